package pair

import (
	"net"
	"sync"
	"time"
)

// The log names each connection that is refused, but not all of many: a client that tries all the time must not fill a
// disk.

const (
	refusalsAtOnce = 20 // are logged, and then
	refusalEvery   = time.Second
)

// refusalLog decides which refusals are logged.
type refusalLog struct {
	mu      sync.Mutex
	filled  time.Time
	spent   int
	omitted int
}

// allow reports whether this one is logged, and how many before it were not.
func (r *refusalLog) allow(now time.Time) (allowed bool, omitted int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := int(now.Sub(r.filled) / refusalEvery); n > 0 {
		r.spent, r.filled = max(0, r.spent-n), now
	}
	if r.spent >= refusalsAtOnce {
		r.omitted++
		return false, 0
	}
	r.spent++
	omitted, r.omitted = r.omitted, 0
	return true, omitted
}

func (l *listener) refused(conn net.Conn, err error) {
	allowed, omitted := l.log.allow(time.Now())
	switch {
	case allowed && omitted > 0:
		l.Log.Warn("refused", "from", conn.RemoteAddr().String(), "error", err, "and others", omitted)
	case allowed:
		l.Log.Warn("refused", "from", conn.RemoteAddr().String(), "error", err)
	}
}
