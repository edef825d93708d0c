package bus

import "kbus.example/kbus/message"

// A Limpet *carries* to this bus what was sent on another one. Where buses are joined twice, or to a ring, several
// Limpets bring the same message. Listeners get it once all the same: the bus notes the first copy, and later copies
// are not for Listeners. The Replier of a Request and the addressee of a Reply get theirs in any case, because their
// Limpets tell those copies apart themselves.
//
// A message is known by its network id, its serial number and the *incarnation* of the bus that it was sent on. The
// incarnation is a number that a bus has for life, and it travels in the header's extra. A bus that starts anew counts
// from 1 again; the incarnation tells its new messages from its old ones.
//
// For each other bus this bus remembers the last serial numbers (message.ReplayWindow). For a number below that window
// nobody knows whether it is new, unless all messages from there have come by one way so far, on which nothing comes
// twice.

// carriage is what a bus knows of that; the zero value is a bus that no Limpet has joined to others.
type carriage struct {
	network uint32 // of this bus, as its Limpets have said; 0: not said
	namers  int    // open Ksocks that have said so
	seen    map[source]*hearing
	turn    uint64 // counts carried messages, to know which hearing was used last
}

// limpet is what the bus knows of a Ksock that a Limpet may have.
type limpet struct {
	carries bool // messages from other buses
	names   bool // it has said which network this one is
}

// source is one life of another bus.
type source struct{ network, incarnation uint32 }

// hearing is what this bus remembers of one other bus.
type hearing struct {
	message.ReplayWindow
	way  *Ksock // that has carried all of it, or all since the last that did has gone; nil: there are several
	used uint64
}

// maxHearings limits the memory for other buses, 600 bytes each. Beyond it, the bus from which nothing has come for
// longest is forgotten.
const maxHearings = 1 << 14

// Carry lets k carry messages from other buses to this one. network is the id by which other buses know this one: all
// Ksocks that carry must give the same, else ErrOtherNetwork; 0 leaves it to the others. Carry gives the incarnation of
// the bus, which goes with messages that are carried from here. A message that k sends with another bus's network id,
// and that bus's incarnation in extra, now goes to Listeners only once: a later copy is ErrHeard, or ErrStale if its
// number is too old to know. It keeps its extra.
func (b *Bus) Carry(k *Ksock, network uint32) (incarnation uint32, c message.Condition) {
	t := &b.carriage
	if network != 0 {
		if t.network != 0 && t.network != network {
			return 0, message.ErrOtherNetwork
		}
		t.network = network
		if !k.names {
			k.names = true
			t.namers++
		}
	}
	k.carries = true
	b.wakes.allPending()
	return b.config.Incarnation, message.OK
}

// stopNaming is for when k closes. When the last Ksock that gave the bus its network id has closed, the next one may
// give another.
func (b *Bus) stopNaming(k *Ksock) {
	if !k.names {
		return
	}
	if b.carriage.namers--; b.carriage.namers == 0 {
		b.carriage.network = 0
	}
}

// isCarried reports whether Listeners are to hear a message of k's only once.
func (k *Ksock) isCarried(h *message.Header) bool {
	return k.carries && h.ID.Network != 0 && h.Extra != 0
}

// known says whether Listeners have had a carried message: ErrHeard, ErrStale if that is not known, OK if not.
func (b *Bus) known(k *Ksock, h *message.Header) message.Condition {
	t := &b.carriage
	if h.ID.Network == t.network || h.Extra == b.config.Incarnation { // it was sent here, and has come round
		return message.ErrHeard
	}
	seen := t.seen[source{h.ID.Network, h.Extra}]
	if seen == nil {
		return message.OK
	}
	switch sight := seen.Look(h.ID.Serial); {
	case sight == message.Seen:
		return message.ErrHeard
	case sight == message.Old && !seen.onlyBy(k):
		return message.ErrStale
	}
	return message.OK
}

// note remembers that Listeners have had a carried message.
func (b *Bus) note(k *Ksock, h *message.Header) {
	t := &b.carriage
	s := source{h.ID.Network, h.Extra}
	seen := t.seen[s]
	switch {
	case seen == nil:
		seen = b.newHearing(s)
		seen.way = k
	case seen.onlyBy(k):
		seen.way = k
	default:
		seen.way = nil
	}
	t.turn++
	seen.used = t.turn
	seen.See(h.ID.Serial)
	b.wakes.carriers(k)
}

// onlyBy reports whether all messages of the other bus have come by k, not counting a Ksock that is closed now.
func (h *hearing) onlyBy(k *Ksock) bool { return h.way != nil && (h.way == k || !h.way.open) }

func (b *Bus) newHearing(s source) *hearing {
	t := &b.carriage
	if t.seen == nil {
		t.seen = map[source]*hearing{}
	}
	if len(t.seen) >= maxHearings {
		var oldest source
		for other, h := range t.seen {
			if used := t.seen[oldest]; used == nil || h.used < used.used {
				oldest = other
			}
		}
		delete(t.seen, oldest)
	}
	h := &hearing{}
	t.seen[s] = h
	return h
}
