package session

import (
	"slices"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A Bind that the federator must decide is a bind request, and waits. The federator takes bind requests one by one, finds
// out whether the name is free, and decides; then the Bind goes ahead or fails.
//
// A device cannot wait: its Bind gets ErrUndecided, and the program tries again. The bind request is kept, and the next
// Bind of that Ksock and name has the outcome that was decided.

type bindRequest struct {
	id        uint32
	ksock     *bus.Ksock
	name      string
	of        message.Origin // of a proxy: its Replier elsewhere
	waiter    *Session       // its Bind waits, as request seq; nil: it will try again
	op        wire.Op        // of that request
	standby   bool           // another may have become the Replier meanwhile
	seq       uint32
	handedOut bool // the federator has it
	decided   bool // only where the Bind will be tried again
	outcome   message.Condition
}

// maxBindRequests is how many bind requests a bus keeps. A Bind beyond that gets ErrUndecided, and its client tries again.
const maxBindRequests = MaxWaiting

// requestBind has a Bind be decided, or gives what was decided.
func (e *Engine) requestBind(k *bus.Ksock, name string, of message.Origin) (c message.Condition, done bool) {
	f := &e.federation
	f.requests = slices.DeleteFunc(f.requests, func(c *bindRequest) bool { return !c.ksock.Open() })
	i := slices.IndexFunc(f.requests, func(c *bindRequest) bool { return c.ksock == k && c.name == name })
	switch {
	case i >= 0 && f.requests[i].decided:
		c = f.requests[i].outcome
		f.requests = slices.Delete(f.requests, i, i+1)
		return c, true
	case i >= 0:
		return message.ErrUndecided, true
	case e.bus.Replier(name) != 0: // a request would change nothing
		return message.OK, false
	case len(f.requests) < maxBindRequests:
		f.lastID++
		f.requests = append(f.requests, &bindRequest{id: f.lastID, ksock: k, name: name, of: of})
		e.look(f.federator)
	}
	return message.ErrUndecided, true
}

// bound answers a Bind, or has it wait when it has made the newest bind request. If it has not made it, an older request waits
// for the same, and it must ask again.
func (s *Session) bound(h wire.Header, name []byte, c message.Condition) {
	requests := s.engine.federation.requests
	if c == message.ErrUndecided && len(requests) > 0 {
		if last := requests[len(requests)-1]; last.ksock == s.ksock && last.waiter == nil && !last.handedOut {
			last.waiter, last.op, last.seq = s, h.Op, h.Seq
			last.standby = h.Op == wire.OpBind && h.Arg == wire.AsStandby
			s.binds++
			return
		}
	}
	s.named(h, name, true, c)
}

func (s *Session) nextBindRequest(h wire.Header, _ []byte) {
	switch {
	case s.engine.federation.federator != s:
		s.result(h, message.ErrNotPermitted, 0)
	case len(s.bindRequests) >= MaxWaiting:
		s.refuse(h, message.ErrNoMemory, limitText)
	default:
		s.bindRequests = append(s.bindRequests, h.Seq)
		s.engine.look(s)
	}
}

// answerBindRequest answers one NextBindRequest, and reports false when there is no new bind request.
func (s *Session) answerBindRequest() bool {
	f := &s.engine.federation
	i := slices.IndexFunc(f.requests, func(c *bindRequest) bool { return !c.handedOut && c.ksock.Open() })
	if i < 0 {
		return false
	}
	c := f.requests[i]
	c.handedOut = true
	at := s.begin(wire.Header{Op: wire.OpNextBindRequest, Seq: s.bindRequests[0]}, message.OK, c.id, len(c.name))
	s.bindRequests = slices.Delete(s.bindRequests, 0, 1)
	s.out.buf = wire.AppendBindRequest(s.out.buf, wire.BindRequest{
		ID: c.id, Ksock: uint32(c.ksock.ID()), PID: c.ksock.Owner().PID, Of: c.of, Name: c.name,
	})
	s.end(at, c.id)
	return true
}

// decide is the federator's decision of a bind request. With OK the Bind goes ahead now, and its outcome is the result of
// decide. ErrCanceled if the Ksock that made the request has gone.
func (s *Session) decide(h wire.Header, payload []byte) {
	f := &s.engine.federation
	verdict, ok := wire.ParseDecision(payload)
	i := slices.IndexFunc(f.requests, func(c *bindRequest) bool { return c.id == h.Arg && c.handedOut && !c.decided })
	switch {
	case f.federator != s:
		s.result(h, message.ErrNotPermitted, 0)
		return
	case !ok:
		s.result(h, message.ErrMalformed, 0)
		return
	case i < 0 || !f.requests[i].ksock.Open():
		s.result(h, message.ErrCanceled, 0)
		return
	}
	outcome := verdict
	if verdict == message.OK {
		outcome = f.requests[i].bindDecided(s.engine.bus)
	}
	f.conclude(i, outcome)
	if verdict != message.OK {
		outcome = message.OK
	}
	s.result(h, outcome, 0)
}

func (c *bindRequest) bindDecided(b *bus.Bus) message.Condition {
	if c.standby {
		return bus.StandByDecided(b, c.ksock, c.name)
	}
	return b.BindDecided(c.ksock, c.name, c.of)
}

// conclude gives the outcome of bind request i to its Ksock.
func (f *federation) conclude(i int, outcome message.Condition) {
	c := f.requests[i]
	if c.waiter == nil {
		c.decided, c.outcome = true, outcome
		return
	}
	f.requests = slices.Delete(f.requests, i, i+1)
	c.waiter.binds--
	c.waiter.result(wire.Header{Op: c.op, Seq: c.seq}, outcome, 0)
}

// dropBindRequests ends all that wait.
func (f *federation) dropBindRequests() {
	for len(f.requests) > 0 {
		last := len(f.requests) - 1
		if f.requests[last].waiter != nil {
			f.conclude(last, message.ErrNoFederation)
		} else {
			f.requests = f.requests[:last]
		}
	}
}

// forget drops the bind requests of a session that ends.
func (f *federation) forget(s *Session) {
	f.requests = slices.DeleteFunc(f.requests, func(c *bindRequest) bool { return c.ksock == s.ksock })
}
