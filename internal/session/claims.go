package session

import (
	"slices"

	"kbus/internal/bus"
	"kbus/internal/wire"
	"kbus/message"
)

// A Bind that must be decided is a claim, and waits. The federator takes claims one by one, finds out, and decides; then
// the Bind goes ahead or fails.
//
// Who cannot wait (a device, which answers ErrUndecided) asks again: the claim is kept, and what was decided is what the
// next Bind of that Ksock and name comes to.

type claim struct {
	id      uint32
	ksock   *bus.Ksock
	name    string
	of      message.Origin // of whom it is to be the proxy
	waiter  *Session       // whose Bind waits, as request seq; nil: it will ask again
	op      wire.Op        // of that request
	seq     uint32
	told    bool // the federator has it
	decided bool // only for who asks again
	outcome message.Condition
}

// maxClaims is how many claims a bus keeps. Whoever comes when there are as many gets ErrUndecided and asks again.
const maxClaims = MaxWaiting

// claim has a Bind be decided, or gives what was decided.
func (e *Engine) claim(k *bus.Ksock, name string, of message.Origin) (c message.Condition, done bool) {
	f := &e.federation
	f.claims = slices.DeleteFunc(f.claims, func(c *claim) bool { return !c.ksock.Open() })
	i := slices.IndexFunc(f.claims, func(c *claim) bool { return c.ksock == k && c.name == name })
	switch {
	case i >= 0 && f.claims[i].decided:
		c = f.claims[i].outcome
		f.claims = slices.Delete(f.claims, i, i+1)
		return c, true
	case i >= 0:
		return message.ErrUndecided, true
	case e.bus.Replier(name) != 0: // a claim would change nothing
		return message.OK, false
	case len(f.claims) < maxClaims:
		f.lastID++
		f.claims = append(f.claims, &claim{id: f.lastID, ksock: k, name: name, of: of})
		e.look(f.federator)
	}
	return message.ErrUndecided, true
}

// bound answers a Bind, or has it wait when it has made the newest claim. If it has not made it, an older request waits
// for the same, and it must ask again.
func (s *Session) bound(h wire.Header, c message.Condition) {
	claims := s.engine.federation.claims
	if c == message.ErrUndecided && len(claims) > 0 {
		if last := claims[len(claims)-1]; last.ksock == s.ksock && last.waiter == nil && !last.told {
			last.waiter, last.op, last.seq = s, h.Op, h.Seq
			s.binds++
			return
		}
	}
	s.result(h, c, 0)
}

func (s *Session) nextClaim(h wire.Header, _ []byte) {
	switch {
	case s.engine.federation.federator != s:
		s.result(h, message.ErrNotPermitted, 0)
	case len(s.claims) >= MaxWaiting:
		s.refuse(h, message.ErrNoMemory, limitText)
	default:
		s.claims = append(s.claims, h.Seq)
		s.engine.look(s)
	}
}

// answerClaim answers one NextClaim, and reports false when there is no new claim.
func (s *Session) answerClaim() bool {
	f := &s.engine.federation
	i := slices.IndexFunc(f.claims, func(c *claim) bool { return !c.told && c.ksock.Open() })
	if i < 0 {
		return false
	}
	c := f.claims[i]
	c.told = true
	at := s.begin(wire.Header{Op: wire.OpNextClaim, Seq: s.claims[0]}, message.OK, c.id, len(c.name))
	s.claims = slices.Delete(s.claims, 0, 1)
	s.out.buf = wire.AppendClaim(s.out.buf, wire.Claim{
		ID: c.id, Ksock: c.ksock.ID(), PID: c.ksock.Owner().PID, Of: c.of, Name: c.name,
	})
	s.end(at, c.id)
	return true
}

// decide is the federator's word on a claim. With OK the Bind goes ahead now, and what becomes of it is the result.
// ErrCanceled if whoever made the claim has gone.
func (s *Session) decide(h wire.Header, payload []byte) {
	f := &s.engine.federation
	verdict, ok := wire.ParseDecision(payload)
	i := slices.IndexFunc(f.claims, func(c *claim) bool { return c.id == h.Arg && c.told && !c.decided })
	switch {
	case f.federator != s:
		s.result(h, message.ErrNotPermitted, 0)
		return
	case !ok:
		s.result(h, message.ErrMalformed, 0)
		return
	case i < 0 || !f.claims[i].ksock.Open():
		s.result(h, message.ErrCanceled, 0)
		return
	}
	outcome := verdict
	if verdict == message.OK {
		outcome = s.engine.bindDecided(f.claims[i])
	}
	f.conclude(i, outcome)
	if verdict != message.OK {
		outcome = message.OK
	}
	s.result(h, outcome, 0)
}

func (e *Engine) bindDecided(c *claim) message.Condition {
	f := &e.federation
	f.deciding = c.ksock
	defer func() { f.deciding = nil }()
	if c.of.IsZero() {
		return e.bus.Bind(c.ksock, c.name, true)
	}
	return e.bus.BindProxy(c.ksock, c.name, c.of)
}

// conclude tells claim i what it has come to.
func (f *federation) conclude(i int, outcome message.Condition) {
	c := f.claims[i]
	if c.waiter == nil {
		c.decided, c.outcome = true, outcome
		return
	}
	f.claims = slices.Delete(f.claims, i, i+1)
	c.waiter.binds--
	c.waiter.result(wire.Header{Op: c.op, Seq: c.seq}, outcome, 0)
}

// dropClaims ends all that wait.
func (f *federation) dropClaims() {
	for len(f.claims) > 0 {
		last := len(f.claims) - 1
		if f.claims[last].waiter != nil {
			f.conclude(last, message.ErrNoFederation)
		} else {
			f.claims = f.claims[:last]
		}
	}
}

// forget drops the claims of a session that ends.
func (f *federation) forget(s *Session) {
	f.claims = slices.DeleteFunc(f.claims, func(c *claim) bool { return c.ksock == s.ksock })
}
