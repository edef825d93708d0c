package session

import (
	"slices"
	"strings"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A bus may have one federator: a Limpet that joins it to other buses and knows which of the names that they share have
// a Replier elsewhere. From then on each Bind as Replier for such a name is a bind request, and waits for the federator's
// decision (bindrequests.go). The federator's own Binds, for names that are held elsewhere, need no decision.
//
// A *strict* federator vouches for the Repliers of its bus: no other bus has their names. When it goes, or stands still
// until the time for which it has vouched is over, all of them are evicted, before other buses may have the names.
// After a federator has gone Binds are free again, unless the bus is one of those that must have a federator.

// federation is the state of it; the zero value is a bus that is joined to none.
type federation struct {
	required  bool // without a federator no Ksock becomes a Replier
	federator *Session
	strict    bool
	names     []string // that are shared, as bindings; none: all
	lapsed    bool     // no federator vouches for the Repliers
	alarm     func(at uint64) message.Condition
	requests  []*bindRequest // oldest first
	lastID    uint32
}

// RequireFederator has Binds as Replier fail with ErrNoFederation as long as there is no federator.
func (e *Engine) RequireFederator() {
	e.federation.required = true
	e.bus.SetBindHook(e.bindHook)
}

// Alarm sets a function that arranges for Lapse to be called at a moment, in nanoseconds since the machine was started,
// its sleep included; 0 is never. Its condition is the result of Vouch. Without it a federator has vouched for as long
// as it is there.
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
	if c, why := s.mayJoin(); c != message.OK {
		s.fail(h, c, why)
		return
	}
	switch {
	case h.Arg > 1:
		s.result(h, message.ErrBadSwitch, 0)
	case bad >= 0:
		s.refuse(h, message.ErrBadName, names[bad])
	case f.federator != nil:
		s.refuse(h, message.ErrReplierBound, "the bus has a federator already")
	default:
		f.federator, f.strict, f.names, f.lapsed = s, h.Arg == 1, names, false
		s.engine.bus.SetBindHook(s.engine.bindHook)
		s.result(h, message.OK, 0)
	}
}

// bindHook decides about each Bind as Replier, see bus.BindHook.
func (e *Engine) bindHook(k *bus.Ksock, name string, of message.Origin) (c message.Condition, done bool) {
	f := &e.federation
	switch {
	case !f.covers(name):
		return message.OK, false
	case f.federator == nil:
		return message.ErrNoFederation, true
	case k == f.federator.ksock:
		return message.OK, false
	case f.lapsed:
		return message.ErrNoFederation, true
	}
	return e.requestBind(k, name, of)
}

// vouch is the federator's promise that no other bus has the names of this one, until a moment.
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

// Lapse is for the moment that Alarm was given: the federator has not vouched again. Pump must follow.
func (e *Engine) Lapse() {
	f := &e.federation
	if f.federator != nil && f.strict {
		f.lapsed = true
		e.evictAll()
		f.dropBindRequests()
	}
}

// evict takes the binding of Ksock h.Arg as Replier of that name away: ErrNotBound if there is none.
func (s *Session) evict(h wire.Header, name []byte) {
	b := s.engine.bus
	c := message.ErrNotBound
	if s.engine.federation.federator != s {
		c = message.ErrNotPermitted
	} else if k := b.Ksock(message.KsockID(h.Arg)); k != nil {
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
		e.bus.SetBindHook(nil)
	}
	f.dropBindRequests()
}
