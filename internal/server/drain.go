package server

import (
	"errors"

	"kbus/internal/device"
	"kbus/internal/session"
)

// A loop's end, in three steps that the server times (stop.go).

// errStopped is why connections end when the bus does.
var errStopped = errors.New("the bus has ended")

// beginStop takes no new clients and no new Requests from now on. The rest goes on: replies are sent and queues are
// read, until nothing is left (run looks for that) or time is up.
func (l *loop) beginStop() {
	if l.stopping {
		return
	}
	l.stopping = true
	l.listener.close()
	if l.device != nil {
		l.device.Close()
	}
	l.engine.Stop()
	l.wakeOthers()
}

// endRepliers closes those who still owe answers, or could have to give some, if anybody waits for one: so every
// Request that is still outstanding gets its Status while there is time to read it.
func (l *loop) endRepliers() {
	waited := false
	var owing []any
	for k := range l.bus.Ksocks() {
		i := k.Info()
		waited = waited || i.Outstanding > 0
		if i.Unreplied > 0 {
			owing = append(owing, k.Tag)
		}
	}
	if !waited {
		return
	}
	for b := range l.bus.Bindings() {
		if b.Replier {
			owing = append(owing, b.Ksock.Tag)
		}
	}
	for _, tag := range owing {
		switch of := tag.(type) {
		case *session.Session:
			l.end(of.Tag.(*conn), errStopped)
		case *device.Ksock:
			of.End()
		}
	}
	l.wakeOthers()
}

// finish ends the bus now. What can be sent without waiting is sent.
func (l *loop) finish() {
	if l.finished {
		return
	}
	l.beginStop()
	l.endRepliers()
	for _, c := range l.conns {
		if c != nil {
			l.flush(c)
			l.end(c, errStopped)
		}
	}
	l.finished = true
	l.closeDescriptors()
	l.server.loopEnded(l)
}
