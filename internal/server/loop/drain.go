package loop

import (
	"errors"

	"kbus.example/kbus/internal/device"
	"kbus.example/kbus/internal/session"
)

// A loop's end, in three steps that the host times.

// errStopped is why connections end when the bus does.
var errStopped = errors.New("the bus has ended")

// BeginStop takes no new clients and no new Requests from now on. The rest goes on: replies are sent and queues are
// read, until nothing is left (run looks for that) or time is up.
func (l *Loop) BeginStop() {
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

// EndRepliers closes the Ksocks that owe answers, or could have to give some, if any Ksock waits for one. So every
// Request that is still outstanding gets its Status while there is time to read it.
func (l *Loop) EndRepliers() {
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

// Finish ends the bus now. What can be sent without waiting is sent.
func (l *Loop) Finish() {
	if l.finished {
		return
	}
	l.BeginStop()
	l.EndRepliers()
	for _, c := range l.conns {
		if c != nil {
			l.flush(c)
			l.end(c, errStopped)
		}
	}
	l.finished = true
	l.Close()
}
