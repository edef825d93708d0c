package session

import (
	"slices"

	"kbus/internal/bus"
	"kbus/internal/wire"
	"kbus/message"
)

// A bus may have one federator: a Limpet that joins it to other buses and knows which names have a Replier elsewhere.
// From then on whoever binds as Replier makes a claim, and waits. The federator takes claims one by one, finds out, and
// decides; then the Bind goes ahead or fails. The federator's own Binds, for names that are held elsewhere, need nobody's
// word.
//
// Who cannot wait (a device, which answers ErrUndecided) asks again: the claim is kept, and what was decided is what the
// next Bind of that Ksock and name comes to.
//
// When the federator goes, claims that wait end in ErrNoFederation, and new Binds need no word any more. If it was
// strict, all Repliers are evicted first: nobody can vouch for them.

// federation is the state of it; the zero value is a bus that is joined to none.
type federation struct {
	permits   func(Peer) bool // who may federate; nil: everybody
	federator *Session
	strict    bool
	deciding  *bus.Ksock // whose Bind goes ahead
	claims    []*claim   // oldest first
	lastID    uint32
}

type claim struct {
	id      uint32
	ksock   *bus.Ksock
	name    string
	waiter  *Session // whose Bind waits, as request seq; nil: it will ask again
	seq     uint32
	told    bool // the federator has it
	decided bool // only for who asks again
	outcome message.Condition
}

// maxClaims is how many claims a bus keeps. Whoever comes when there are as many gets ErrUndecided and asks again.
const maxClaims = MaxWaiting

// Permit sets who may federate, and send to Listeners only. Without it everybody may.
func (e *Engine) Permit(permits func(Peer) bool) { e.federation.permits = permits }

func (s *Session) mayFederate() bool {
	permits := s.engine.federation.permits
	return permits == nil || permits(s.peer)
}

func (s *Session) sendToListeners(h wire.Header, payload []byte) {
	if !s.mayFederate() {
		s.result(h, message.ErrNotPermitted, 0)
		return
	}
	if o, ok := s.submit(h, payload, (*bus.Bus).SendToListeners); ok {
		s.outcome(h, o)
	}
}

// federate makes s the federator; argument 1 makes it strict.
func (s *Session) federate(h wire.Header, _ []byte) {
	f := &s.engine.federation
	switch {
	case !s.mayFederate():
		s.result(h, message.ErrNotPermitted, 0)
	case h.Arg > 1:
		s.result(h, message.ErrBadSwitch, 0)
	case f.federator != nil:
		s.refuse(h, message.ErrReplierBound, "the bus has a federator already")
	default:
		f.federator, f.strict = s, h.Arg == 1
		s.engine.bus.SetGuard(s.engine.guard)
		s.result(h, message.OK, 0)
	}
}

// guard is asked about each Bind as Replier, see bus.Guard.
func (e *Engine) guard(k *bus.Ksock, name string) (c message.Condition, done bool) {
	f := &e.federation
	if k == f.federator.ksock || k == f.deciding {
		return message.OK, false
	}
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
		f.claims = append(f.claims, &claim{id: f.lastID, ksock: k, name: name})
		e.look(f.federator)
	}
	return message.ErrUndecided, true
}

// await has request seq of s, a Bind that made the newest claim, wait for what is decided. It reports false if it did
// not make it: an older request waits for the same.
func (f *federation) await(s *Session, seq uint32) bool {
	if len(f.claims) == 0 {
		return false
	}
	c := f.claims[len(f.claims)-1]
	if c.ksock != s.ksock || c.waiter != nil || c.told {
		return false
	}
	c.waiter, c.seq = s, seq
	s.binds++
	return true
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
		ID: c.id, Ksock: c.ksock.ID(), PID: c.ksock.Owner().PID, Name: c.name,
	})
	s.end(at, c.id)
	return true
}

// decide is the federator's word on a claim. With OK the Bind goes ahead now, and what becomes of it is the result.
// ErrCanceled if whoever made the claim has gone.
func (s *Session) decide(h wire.Header, payload []byte) {
	e := s.engine
	f := &e.federation
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
	c := f.claims[i]
	outcome := verdict
	if verdict == message.OK {
		f.deciding = c.ksock
		outcome = e.bus.Bind(c.ksock, c.name, true)
		f.deciding = nil
	}
	f.conclude(i, outcome)
	if verdict != message.OK {
		outcome = message.OK
	}
	s.result(h, outcome, 0)
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
	c.waiter.result(wire.Header{Op: wire.OpBind, Seq: c.seq}, outcome, 0)
}

// evict takes the binding of Ksock h.Arg as Replier of that name away: ErrNotBound if there is none.
func (s *Session) evict(h wire.Header, name []byte) {
	b := s.engine.bus
	c := message.ErrNotBound
	if s.engine.federation.federator != s {
		c = message.ErrNotPermitted
	} else if k := b.Ksock(h.Arg); k != nil {
		c = b.Evict(k, string(name))
	}
	s.result(h, c, 0)
}

// forget drops the claims of a session that ends.
func (f *federation) forget(s *Session) {
	f.claims = slices.DeleteFunc(f.claims, func(c *claim) bool { return c.ksock == s.ksock })
}

// unfederate is for when the federator has gone.
func (e *Engine) unfederate() {
	f := &e.federation
	f.federator = nil
	e.bus.SetGuard(nil)
	if f.strict {
		for _, binding := range slices.Collect(e.bus.Bindings()) {
			if binding.Replier {
				e.bus.Evict(binding.Ksock, binding.Name)
			}
		}
	}
	for len(f.claims) > 0 {
		last := len(f.claims) - 1
		if f.claims[last].waiter != nil {
			f.conclude(last, message.ErrNoFederation)
		} else {
			f.claims = f.claims[:last]
		}
	}
}
