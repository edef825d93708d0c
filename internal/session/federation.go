package session

import (
	"slices"
	"strings"

	"kbus/internal/bus"
	"kbus/internal/wire"
	"kbus/message"
)

// A bus may have one federator: a Limpet that joins it to other buses and knows which of the names that they share have
// a Replier elsewhere. From then on whoever binds as Replier for such a name makes a claim, and waits (claims.go). The
// federator's own Binds, for names that are held elsewhere, need nobody's word.
//
// A federator that is *strict* vouches for the Repliers of its bus: nobody else has their names. When it goes, or the time
// for which it has vouched is over because it stands still, all of them are evicted, before anybody elsewhere may have
// the names. After it has gone Binds are free again, unless the bus is one of those that must have a federator.

// federation is the state of it; the zero value is a bus that is joined to none.
type federation struct {
	required  bool // nobody becomes a Replier without a federator
	federator *Session
	strict    bool
	names     []string // that are shared, as bindings; none: all
	lapsed    bool     // nobody vouches for the Repliers
	alarm     func(at uint64) message.Condition
	deciding  *bus.Ksock // whose Bind goes ahead
	claims    []*claim   // oldest first
	lastID    uint32
}

// RequireFederator has Binds as Replier fail with ErrNoFederation as long as there is no federator.
func (e *Engine) RequireFederator() {
	e.federation.required = true
	e.bus.SetGuard(e.guard)
}

// Alarm sets whom to tell when Lapse is to be called, in nanoseconds since the machine was started, its sleep included;
// 0 is never. What it gives is the result of Vouch. Without it the federator's word holds as long as it is there.
func (e *Engine) Alarm(set func(at uint64) message.Condition) { e.federation.alarm = set }

// own are the names that every bus has for itself.
const own = "$.KBUS."

func (f *federation) covers(name string) bool {
	if strings.HasPrefix(name, own) {
		return false
	}
	return len(f.names) == 0 || slices.ContainsFunc(f.names, func(n string) bool { return message.Covers(n, name) })
}

// federate makes s the federator; argument 1 makes it strict. The payload is the names that it decides about.
func (s *Session) federate(h wire.Header, payload []byte) {
	f := &s.engine.federation
	names := wire.ParseNames(payload)
	bad := slices.IndexFunc(names, func(n string) bool { return message.CheckBinding(n) != message.OK })
	switch {
	case !s.mayJoin():
		s.result(h, message.ErrNotPermitted, 0)
	case h.Arg > 1:
		s.result(h, message.ErrBadSwitch, 0)
	case bad >= 0:
		s.refuse(h, message.ErrBadName, names[bad])
	case f.federator != nil:
		s.refuse(h, message.ErrReplierBound, "the bus has a federator already")
	default:
		f.federator, f.strict, f.names, f.lapsed = s, h.Arg == 1, names, false
		s.engine.bus.SetGuard(s.engine.guard)
		s.result(h, message.OK, 0)
	}
}

// guard is asked about each Bind as Replier, see bus.Guard.
func (e *Engine) guard(k *bus.Ksock, name string, of message.Origin) (c message.Condition, done bool) {
	f := &e.federation
	switch {
	case !f.covers(name), k == f.deciding:
		return message.OK, false
	case f.federator == nil:
		return message.ErrNoFederation, true
	case k == f.federator.ksock:
		return message.OK, false
	case f.lapsed:
		return message.ErrNoFederation, true
	}
	return e.claim(k, name, of)
}

// vouch is the federator's word that nobody else has the names of the bus, until a moment.
func (s *Session) vouch(h wire.Header, payload []byte) {
	f := &s.engine.federation
	if f.federator != s {
		s.result(h, message.ErrNotPermitted, 0)
		return
	}
	c := message.OK
	if f.strict && f.alarm != nil {
		c = f.alarm(max(1, wire.ParseVouch(payload)))
	}
	f.lapsed = f.lapsed && c != message.OK
	s.result(h, c, 0)
}

// Lapse is for the moment that Alarm has told: the federator has not vouched again. Settle must follow.
func (e *Engine) Lapse() {
	f := &e.federation
	if f.federator != nil && f.strict {
		f.lapsed = true
		e.evictAll()
		f.dropClaims()
	}
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

// evictAll takes all Repliers of shared names away that are not the federator's own.
func (e *Engine) evictAll() {
	for _, n := range slices.Collect(e.bus.Bindings()) {
		if n.Replier && n.Ksock != e.federation.federator.ksock && e.federation.covers(n.Name) {
			e.bus.Evict(n.Ksock, n.Name)
		}
	}
}

// unfederate is for when the federator has gone.
func (e *Engine) unfederate() {
	f := &e.federation
	if f.strict {
		e.evictAll()
	}
	if f.alarm != nil {
		f.alarm(0)
	}
	f.federator, f.names = nil, nil
	if !f.required {
		e.bus.SetGuard(nil)
	}
	f.dropClaims()
}
