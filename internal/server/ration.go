package server

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"kbus.example/kbus/internal/logger"
)

// The log gets so many lines of one kind in so much time and no more, however often a client asks to be refused or to
// be thrown out: what is of use in it must not be washed away, nor the disk be filled. A kind is what a line says, for
// one bus and user, whatever the numbers in it. How many were left out a line says at the end of that time.
//
// This is a logger.Handler before the one that writes, so it holds for whatever the server says: warnings and errors, and
// what happens at a user's will. What the daemon does of itself is not counted.
const (
	linesOfAKind = 10
	rationTime   = 10 * time.Second

	// mostKinds bounds the memory: further kinds share one ration.
	mostKinds = 1000
)

type ration struct {
	logger.Handler
	bus string // what With has said: part of the kind
	*kinds
}

// kinds are what has been said in the last time, for all loggers of a server.
type kinds struct {
	mu     sync.Mutex
	byName map[string]*kind
	name   []byte // of the kind of a line, while it is looked for: who floods is not to make garbage of it
	ended  bool
}

type kind struct {
	lines, leftOut int
	like           logger.Record  // the last that was left out
	by             logger.Handler // of it
	timer          *time.Timer
}

func newRation(h logger.Handler) *ration {
	return &ration{Handler: h, kinds: &kinds{byName: map[string]*kind{}}}
}

// With is for logger.Handler.
func (r *ration) With(attrs []logger.Attr) logger.Handler {
	return &ration{r.Handler.With(attrs), r.bus + fmt.Sprint(attrs), r.kinds}
}

// Handle is for logger.Handler.
func (r *ration) Handle(line logger.Record) error {
	if isCounted(line) && !r.allows(line) {
		return nil
	}
	return r.Handler.Handle(line)
}

func (r *ration) allows(line logger.Record) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return true
	}
	r.name = appendKind(append(r.name[:0], r.bus...), line)
	k := r.byName[string(r.name)]
	if k == nil {
		name := string(r.name)
		if len(r.byName) >= mostKinds {
			name = "" // all others
			k = r.byName[name]
		}
		if k == nil {
			k = &kind{}
			k.timer = time.AfterFunc(rationTime, func() { r.over(name) })
			r.byName[name] = k
		}
	}
	if k.lines < linesOfAKind {
		k.lines++
		return true
	}
	k.leftOut++
	attrs := append(k.like.Attrs[:0], line.Attrs...)
	k.like, k.by = line, r.Handler
	k.like.Attrs = attrs
	return false
}

// over ends the time of a kind.
func (r *ration) over(name string) {
	r.mu.Lock()
	k := r.byName[name]
	delete(r.byName, name)
	r.mu.Unlock()
	if k != nil {
		k.report()
	}
}

func (k *kind) report() {
	if k.leftOut == 0 {
		return
	}
	line := logger.Record{Time: time.Now(), Level: k.like.Level, Message: "lines left out"}
	line.Attrs = append([]logger.Attr{logger.Int("lines", k.leftOut), logger.String("like", k.like.Message)}, k.like.Attrs...)
	_ = k.by.Handle(line) // as of any line: there is nobody to tell
}

// end tells what has been left out so far. What is said from now on is not counted.
func (r *ration) end() {
	r.mu.Lock()
	kinds := r.byName
	r.byName, r.ended = nil, true
	r.mu.Unlock()
	for _, k := range kinds {
		k.timer.Stop()
		k.report()
	}
}

// isCounted reports whether lines of its kind are counted.
func isCounted(line logger.Record) bool {
	if line.Level < logger.LevelInfo {
		return false
	}
	return line.Level >= logger.LevelWarn || slices.ContainsFunc(line.Attrs, func(a logger.Attr) bool {
		return a.Key == "uid" || a.Key == "refused"
	})
}

// appendKind appends what makes the kind of a line: what it says but for its numbers, and of which user.
func appendKind(b []byte, line logger.Record) []byte {
	b = append(b, line.Message...)
	for _, a := range line.Attrs {
		if a.Key == "uid" {
			b = fmt.Append(append(b, " uid="...), a.Value)
			continue
		}
		switch v := a.Value.(type) {
		case int, int64, uint32, bool, time.Duration:
		case string:
			b = appendWithoutDigits(append(append(append(b, ' '), a.Key...), '='), v)
		default:
			b = appendWithoutDigits(append(append(append(b, ' '), a.Key...), '='), fmt.Sprint(v))
		}
	}
	return b
}

func appendWithoutDigits(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < '0' || c > '9' {
			b = append(b, c)
		}
	}
	return b
}
