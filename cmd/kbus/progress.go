package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// What lasts longer than a second tells a person how far it is, on one line of the terminal that is written again and again. Nobody
// else is told: not a program (--json), not a log, and not the terminal when the output goes through a pipe to what may use it.

// progress is that line.
type progress struct {
	to    *os.File // nil: nobody is told
	mu    sync.Mutex
	shown bool
}

// progressPause is how often it is written.
const progressPause = time.Second

// newProgress is for who writes to standard output, if at all.
func newProgress(l *line) *progress {
	p := &progress{}
	if !l.JSON && isTerminal(l.err) && !isPipe(l.out) {
		p.to = l.err
	}
	return p
}

func isPipe(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
}

// show writes the line.
func (p *progress) show(text string) {
	if p.to == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprint(p.to, "\r"+paletteFor(p.to).paint(dim, text)+"\x1b[K")
	p.shown = true
}

// clear removes it, before something else is written.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.to, "\r\x1b[K")
		p.shown = false
	}
}

// over is for what is written meanwhile to what may be the same terminal.
func (p *progress) over(w io.Writer) io.Writer { return &overProgress{w, p} }

type overProgress struct {
	io.Writer
	progress *progress
}

func (o *overProgress) Write(b []byte) (int, error) {
	o.progress.clear()
	return o.Writer.Write(b)
}

// run shows a text each second until stop is called.
func (p *progress) run(text func() string) (stop func()) {
	if p.to == nil {
		return func() {}
	}
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticks := time.NewTicker(progressPause)
		defer ticks.Stop()
		for {
			select {
			case <-ticks.C:
				p.show(text())
			case <-ended:
				return
			}
		}
	})
	return func() {
		close(ended)
		running.Wait()
		p.clear()
	}
}

// reading is how far a file has been read.
type reading struct {
	io.Reader
	name   string
	size   int64 // 0: not known
	at     atomic.Int64
	events atomic.Uint64
}

func newReading(f *os.File, name string) *reading {
	r := &reading{Reader: f, name: name}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		r.size = info.Size()
	}
	return r
}

func (r *reading) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.at.Add(int64(n))
	return n, err
}

func (r *reading) String() string {
	events := plural(r.events.Load(), "event")
	if r.size == 0 {
		return fmt.Sprintf("%s of %s, %s", inUnits(r.at.Load()), r.name, events)
	}
	return fmt.Sprintf("%d %% of %s, %s", min(100, 100*r.at.Load()/r.size), r.name, events)
}
