package main

import (
	"io"
	"sync"
	"time"

	"kbus.example/kbus/internal/logger"
)

// The log is written by a goroutine of its own. A bus's loop must not wait for the reader of standard error, and a
// client must not be able to make it wait: lines go to a bounded buffer, and when that is full they are counted, not
// kept.

const logBufferBytes = 64 << 10

type logWriter struct {
	out  io.Writer
	log  *logger.Logger // to say how many lines were lost
	done chan struct{}

	mu     sync.Mutex
	filled sync.Cond // there is something to write, or it is closed
	buffer []byte
	lost   int
	closed bool
}

func newLogWriter(out io.Writer) *logWriter {
	w := &logWriter{out: out, done: make(chan struct{})}
	w.filled.L = &w.mu
	go w.run()
	return w
}

// reportLost names the log, which writes here, that is to say how many lines were lost.
func (w *logWriter) reportLost(log *logger.Logger) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = log
}

// Write takes one line and never waits.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.buffer)+len(line) > logBufferBytes {
		w.lost++
	} else {
		w.buffer = append(w.buffer, line...)
		w.filled.Signal()
	}
	return len(line), nil
}

func (w *logWriter) run() {
	defer close(w.done)
	var writing []byte
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for len(w.buffer) == 0 {
			if w.closed {
				return
			}
			w.filled.Wait()
		}
		writing, w.buffer = w.buffer, writing[:0]
		w.mu.Unlock()
		w.out.Write(writing)
		w.noteLost()
		w.mu.Lock()
	}
}

func (w *logWriter) noteLost() {
	w.mu.Lock()
	lost, log := w.lost, w.log
	w.lost = 0
	w.mu.Unlock()
	if lost > 0 && log != nil {
		log.Warn("log lines lost: whoever reads the log was too slow", "lines", lost)
	}
}

// close writes what is left. When the log has no reader it gives up soon.
func (w *logWriter) close() {
	w.mu.Lock()
	w.closed = true
	w.filled.Signal()
	w.mu.Unlock()
	select {
	case <-w.done:
	case <-time.After(time.Second):
	}
}

func newLogger(w io.Writer, format string, level logger.Leveler) *logger.Logger {
	if format == "json" {
		return logger.New(logger.NewJSON(w, level))
	}
	return logger.New(logger.NewText(w, level))
}
