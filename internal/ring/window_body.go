package ring

import "slices"

// A message whose data lies in an arena takes a slot of the window like any other, but what lies there is only its
// beginning and where its data is. So taking, taking back, order and room are the same for both kinds; what is added
// is that the window holds the data's place in the arena, from StageBody until the client has released the message or it
// has been taken back.
//
// A client that finishes with messages late keeps places in the arena. That costs others nothing but the arena's use, and
// it is bounded: a window that holds as much as it may shows no more such messages, and they go to that client as they
// would without an arena.

// inArena marks, in the length of a slot, that the data lies in the arena.
const inArena = 1 << 31

// bodies is what a window holds in an arena.
type bodies struct {
	arena *Arena
	spans []span // by slot
	bytes int    // held in all
	most  int
}

// bodyPlace is where the data of a message lies, if bytes is not 0.
type span struct{ at, bytes uint32 }

// UseArena lets the window show messages whose data lies in an arena, of which it may hold so many bytes.
func (w *Window) UseArena(l *Arena, mostBytes int) {
	w.bodies = bodies{arena: l, spans: make([]span, len(w.own)), most: mostBytes}
}

// StageBody is Stage for a message whose data lies in the arena: n is the length of what the caller will fill in.
func (w *Window) StageBody(n int, at uint32, bytes int) []byte {
	b := &w.bodies
	if b.bytes+bytes > b.most {
		if w.free(); b.bytes+bytes > b.most {
			return nil
		}
	}
	p := w.Stage(n)
	if p == nil {
		return nil
	}
	i := (w.published + w.staged - 1) & uint16(len(w.own)-1)
	w.slots[i].bytes |= inArena
	b.spans[i] = span{at, uint32(bytes)}
	b.bytes += bytes
	b.arena.Retain(at)
	return p
}

// release gives up the places of messages first to end.
func (w *Window) release(first, end uint16) {
	b := &w.bodies
	for ; first != end; first++ {
		p := &b.spans[first&uint16(len(w.own)-1)]
		if p.bytes != 0 {
			b.arena.Release(p.at)
			b.bytes -= int(p.bytes)
			*p = span{}
		}
	}
}

// FreeBodies gives up the places of messages that the client has finished with.
func (w *Window) FreeBodies() {
	if w.bodies.bytes > 0 {
		w.free()
	}
}

// DropBodies gives up all places, for a window that is not used any more.
func (w *Window) DropBodies() {
	if w.bodies.bytes > 0 { // in any slot: the client may have broken off anything
		w.release(0, uint16(len(w.own)))
	}
}

// InArena reports whether the data of the message last taken lies in the arena.
func (t *Taker) InArena() bool { return t.inArena }

// Retain keeps the message last taken beyond the next Take, instead of Release; ReleaseRetained ends that. What the daemon waits
// for is the take, so here, too, ring reports that the caller must ring its bell.
func (t *Taker) Retain() (number uint32, ring bool) {
	number = uint32(t.next)
	t.kept = append(t.kept, t.next)
	return number, t.Release()
}

// ReleaseRetained gives back the message of a Retain.
func (t *Taker) ReleaseRetained(number uint32) {
	i := slices.Index(t.kept, uint16(number))
	t.kept = slices.Delete(t.kept, i, i+1)
	t.released = t.finished()
	t.shared.released.Store(uint32(t.released))
}

// finished counts the messages, from the first, that can be released: that is done in order, so those behind the oldest
// one held are not finished yet.
func (t *Taker) finished() uint16 {
	if len(t.kept) > 0 {
		return t.kept[0]
	}
	return t.next
}
