package ring

import "slices"

// A message whose data lies in a log takes a slot of the window like any other, but what lies there is only its
// beginning and where its data is. So claiming, taking back, order and room are the same for both kinds; what is added
// is that the window holds the data's place in the log, from StageBody until the client has released the message or it
// has been taken back.
//
// A client that finishes with messages late keeps places in the log. That costs others nothing but the log's use, and
// it is bounded: a window that holds as much as it may shows no more such messages, and they go to that client as they
// would without a log.

// inLog marks, in the length of a slot, that the data lies in the log.
const inLog = 1 << 31

// bodies is what a window holds in a log.
type bodies struct {
	log    *Log
	places []bodyPlace // by slot
	bytes  int         // held in all
	most   int
}

// bodyPlace is where the data of a message lies, if bytes is not 0.
type bodyPlace struct{ at, bytes uint32 }

// UseLog lets the window show messages whose data lies in a log, of which it may hold so many bytes.
func (w *Window) UseLog(l *Log, mostBytes int) {
	w.bodies = bodies{log: l, places: make([]bodyPlace, len(w.own)), most: mostBytes}
}

// StageBody is Stage for a message whose data lies in the log: n is the length of what the caller will fill in.
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
	i := (w.published + w.staged - 1) & uint32(len(w.own)-1)
	w.slots[i].bytes |= inLog
	b.places[i] = bodyPlace{at, uint32(bytes)}
	b.bytes += bytes
	b.log.Hold(at)
	return p
}

// letGo gives up the places of messages first to end.
func (w *Window) letGo(first, end uint32) {
	b := &w.bodies
	for ; first != end; first++ {
		p := &b.places[first&uint32(len(w.own)-1)]
		if p.bytes != 0 {
			b.log.LetGo(p.at)
			b.bytes -= int(p.bytes)
			*p = bodyPlace{}
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
		w.letGo(0, uint32(len(w.own)))
	}
}

// InLog reports whether the data of the message last claimed lies in the log.
func (t *Taker) InLog() bool { return t.inLog }

// Hold keeps the message last claimed beyond the next Claim, instead of Release; LetGo ends that. What the daemon waits
// for is the claim, so here, too, ring reports that the caller must ring its bell.
func (t *Taker) Hold() (number uint32, ring bool) {
	number = t.next
	t.kept = append(t.kept, number)
	return number, t.Release()
}

// LetGo gives back the message of a Hold.
func (t *Taker) LetGo(number uint32) {
	i := slices.Index(t.kept, number)
	t.kept = slices.Delete(t.kept, i, i+1)
	t.released = t.finished()
	t.shared.released.Store(t.released)
}

// finished counts the messages, from the first, that can be released: that is done in order, so those behind the oldest
// one held are not finished yet.
func (t *Taker) finished() uint32 {
	if len(t.kept) > 0 {
		return t.kept[0]
	}
	return t.next
}
