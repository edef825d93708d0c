package bus

import "kbus/message"

// What was said on another bus is *carried* here by a Limpet, and where buses are joined twice, or to a ring, by several
// of them. Listeners hear it once all the same, for the first copy that comes is noted and the others are not for them
// any more. Whoever must answer a Request, or waits for a Reply, gets it in any case: that is told apart elsewhere.
//
// A message is known by its network id, its serial number and, between the two, the *incarnation* of the bus where it
// was said: a number that a bus is given for life, and that travels in the header's extra. Without it nobody could tell
// what a bus says after it was started anew, and counts from 1 again, from what it said before.
//
// For each bus that is heard of, the last serial numbers are remembered (message.ReplayWindow). What is older than that
// cannot be told to be new, unless all from there has come by one way so far, on which nothing comes twice.

// carriage is what a bus knows of that; the zero value is a bus that no Limpet has joined to others.
type carriage struct {
	network uint32 // of this bus, as its Limpets have said; 0: not said
	namers  int    // open Ksocks that have said so
	heard   map[source]*hearing
	turn    uint64 // counts carried messages, to know which hearing was used last
}

// source is one life of another bus.
type source struct{ network, incarnation uint32 }

// hearing is what has been heard of a source.
type hearing struct {
	message.ReplayWindow
	way  *Ksock // that has carried all of it, or all since the last that did has gone; nil: there are several
	used uint64
}

// maxHearings limits the memory for other buses, 600 bytes each; of more of them the one not heard for longest is
// forgotten.
const maxHearings = 1 << 14

// Carry makes k one that carries messages from other buses to this one, which they know by that network id: all Ksocks
// that carry must say the same, or ErrOtherNetwork; 0 is whoever does not say. It gives the incarnation of the bus, for
// what is to be carried from here. What k sends with another bus's network id and incarnation, in extra, is from now on
// for Listeners only once: ErrHeard, or ErrStale if that cannot be known. It keeps its extra.
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

// stopNaming is for when k closes. When the last of those that have said which network the bus is has gone, the next
// may say something else.
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

// known tells whether Listeners have heard a carried message: ErrHeard, ErrStale if that is not known, OK if not.
func (b *Bus) known(k *Ksock, h *message.Header) message.Condition {
	t := &b.carriage
	if h.ID.Network == t.network || h.Extra == b.config.Incarnation { // it was said here, and has come round
		return message.ErrHeard
	}
	heard := t.heard[source{h.ID.Network, h.Extra}]
	if heard == nil {
		return message.OK
	}
	switch sight := heard.Look(h.ID.Serial); {
	case sight == message.Seen:
		return message.ErrHeard
	case sight == message.Old && !heard.onlyBy(k):
		return message.ErrStale
	}
	return message.OK
}

// note remembers that Listeners have heard a carried message.
func (b *Bus) note(k *Ksock, h *message.Header) {
	t := &b.carriage
	s := source{h.ID.Network, h.Extra}
	heard := t.heard[s]
	switch {
	case heard == nil:
		heard = b.newHearing(s)
		heard.way = k
	case heard.onlyBy(k):
		heard.way = k
	default:
		heard.way = nil
	}
	t.turn++
	heard.used = t.turn
	heard.See(h.ID.Serial)
	b.wakes.carriers(k)
}

// onlyBy reports whether all that was heard has come by k, but for what has come by a Ksock that is closed now.
func (h *hearing) onlyBy(k *Ksock) bool { return h.way != nil && (h.way == k || !h.way.open) }

func (b *Bus) newHearing(s source) *hearing {
	t := &b.carriage
	if t.heard == nil {
		t.heard = map[source]*hearing{}
	}
	if len(t.heard) >= maxHearings {
		var oldest source
		for other, h := range t.heard {
			if used := t.heard[oldest]; used == nil || h.used < used.used {
				oldest = other
			}
		}
		delete(t.heard, oldest)
	}
	h := &hearing{}
	t.heard[s] = h
	return h
}
