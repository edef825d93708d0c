package ring

// A window shows a client the front of its queue. The queue stays in the bus; the window holds copies of its first
// messages, and the client takes one by itself, without asking anybody. Because the bus may think again about what
// has not been read (an unbind removes it, an urgent message goes before it, a close answers it), the daemon can take
// back what is not taken yet.
//
// All of that is one word, `state`: how many messages have been published and how many taken, both counted for ever
// (modulo 2^16). The client takes by compare-and-swap of taken+1, the daemon publishes by compare-and-swap of
// published+n and takes back by compare-and-swap of published = taken. So each message is either taken or taken
// back, never both and never neither, and either side knows which. A message's bytes are read only after the take,
// never before, so it does not matter what they were when the word was first looked at.
//
// That counts come round does no harm. A compare-and-swap that finds the word as it was loaded may have slept through
// any number of changes in between. But each half is changed by one side: while the client sleeps between its two
// steps, nothing is taken, so what it finds published is that many messages from where it stands, whichever they
// are; and while the daemon does, nothing is published, so what is taken cannot go further than that, at most
// 2^14 messages. The same holds for all differences of counts here: they are between things that are in the window at
// one time, or one more, so as numbers of 16 bits, with or without a sign, they are right.
//
// The client says in `released` up to where it has finished with the bytes, but not each time. The daemon says in
// `want` after which message it would like to be woken, because a sender waits for room; 0 means not at all. And it
// says in `more` that the queue has more than the window shows, for lack of room or because it is not the window's to
// show: a client that finds the window empty must then ask for the next message.
//
// `want` can be taken back by a client that sleeps between loading it and its compare-and-swap, while the daemon asks
// anew. The same word then is the same message, and that cannot be another one 2^16 further: nothing is taken while
// the client sleeps. So what it takes back, it also rings for.
type windowWords struct {
	state    word32 // by both: published << 16 | taken
	_        [60]byte
	released word32 // by the client
	_        [60]byte
	want     word32 // set by the daemon, cleared by the side that rings: wanted | take number
	_        [60]byte
	more     word32 // by the daemon: there is more than the window shows
	_        [60]byte
}

// slot tells where one message of the window lies.
type slot struct{ at, bytes uint32 }

const wanted = 1 << 16

func join(published, taken uint16) uint32          { return uint32(published)<<16 | uint32(taken) }
func split(state uint32) (published, taken uint16) { return uint16(state >> 16), uint16(state) }

// Window is the daemon's end. One goroutine owns it. Its counts follow one another: freed <= reported <= taken <=
// published.
type Window struct {
	shared *windowWords
	slots  []slot // in the segment; length is a power of two
	own    []slot // what we wrote there; the client's copy is not to be trusted
	data   []byte // in the segment

	published uint16 // shown to the client
	taken     uint16 // of those, taken by it, as last seen
	reported  uint16 // of those, reported by Taken
	freed     uint16 // of those, finished with
	staged    uint16 // put behind the published ones, not shown yet
	more      uint32 // what we have said

	bodies bodies // of messages whose data lies in an arena
}

// Shown counts the messages that the client can take, as last seen.
func (w *Window) Shown() int { return int(w.published - w.taken) }

// Taken reports how many messages the client has taken since the last call.
func (w *Window) Taken() (n int, err error) {
	if err := w.look(); err != nil {
		return 0, err
	}
	n = int(w.taken - w.reported)
	w.reported = w.taken
	if w.bodies.bytes > 0 {
		w.free()
	}
	return n, nil
}

// look learns what the client has taken.
func (w *Window) look() error {
	published, taken := split(w.shared.state.Load())
	if published != w.published || taken-w.taken > w.published-w.taken {
		return ErrCorrupt
	}
	w.taken = taken
	return nil
}

// show changes how many messages are published, given the takes at that very moment. A client can get in between only
// as often as there are messages to take.
func (w *Window) show(published func(taken uint16) uint16) error {
	for range len(w.own) + 1 {
		if err := w.look(); err != nil {
			return err
		}
		p := published(w.taken)
		if w.shared.state.CompareAndSwap(join(w.published, w.taken), join(p, w.taken)) {
			w.published = p
			return nil
		}
	}
	return ErrCorrupt
}

// Stage gives room for the next message, n > 0 bytes, for the caller to fill before Publish. It gives nil when there
// is no room now.
func (w *Window) Stage(n int) []byte {
	if n > len(w.data) {
		return nil
	}
	at, ok := w.room(uint32(n))
	if !ok {
		w.free()
		if at, ok = w.room(uint32(n)); !ok {
			return nil
		}
	}
	i := w.published + w.staged
	*w.slot(i) = slot{at, uint32(n)}
	w.slots[i&uint16(len(w.slots)-1)] = slot{at, uint32(n)}
	w.staged++
	return w.data[at : at+uint32(n) : at+uint32(n)]
}

func (w *Window) slot(i uint16) *slot { return &w.own[i&uint16(len(w.own)-1)] }

// room finds a place for n bytes behind the last message. Messages do not go over the end of the memory.
func (w *Window) room(n uint32) (at uint32, ok bool) {
	next := w.published + w.staged
	switch {
	case next-w.freed >= uint16(len(w.own)):
		return 0, false
	case next == w.freed:
		return 0, true // nothing in use: begin again at offset 0
	}
	first, last := w.slot(w.freed).at, w.slot(next-1)
	end := (last.at + last.bytes + 7) &^ 7
	if last.at < first { // in use: from first to the end, and from 0 to end
		return end, end < first && first-end >= n
	}
	if size := uint32(len(w.data)); end < size && size-end >= n { // in use: from first to end
		return end, true
	}
	return 0, first >= n
}

// free learns what the client has finished with. Nonsense frees nothing.
func (w *Window) free() {
	if r := uint16(w.shared.released.Load()); r-w.freed <= w.reported-w.freed {
		if w.bodies.bytes > 0 {
			w.release(w.freed, r)
		}
		w.freed = r
	}
}

// Publish shows the client what has been staged. The caller must ring if the client sleeps, see Writer.Wake.
func (w *Window) Publish() error {
	if w.staged == 0 {
		return nil
	}
	p := w.published + w.staged
	w.staged = 0
	return w.show(func(uint16) uint16 { return p })
}

// Withdraw takes back everything that is not taken. What Taken reports afterwards is final.
func (w *Window) Withdraw() error {
	end := w.published + w.staged
	w.staged = 0
	err := w.show(func(taken uint16) uint16 { return taken })
	if err == nil && w.bodies.bytes > 0 {
		w.release(w.published, end)
	}
	return err
}

// Want asks the client to ring when it has taken one more message than Taken has reported. wait is false when it has
// taken one already: then look again. (Want looks at the count of takes and not of releases, because a client
// announces its releases only now and then unless the daemon asks.)
func (w *Window) Want() (wait bool) {
	w.shared.want.Store(wanted | uint32(w.reported+1))
	if _, taken := split(w.shared.state.Load()); taken != w.reported {
		w.shared.want.Store(0)
		return false
	}
	return true
}

// More says whether there is more than the window shows, and reports whether that is news.
func (w *Window) More(more bool) (news bool) {
	v := uint32(0)
	if more {
		v = 1
	}
	if v == w.more {
		return false
	}
	w.more = v
	w.shared.more.Store(v)
	return true
}

// Taker is the client's end. One goroutine at a time uses it, but for Empty and More, which any may. Its counts follow
// one another: released <= next <= taken <= shown, but for what has been taken back.
type Taker struct {
	shared *windowWords
	slots  []slot
	data   []byte

	taken    uint16 // the last take, counted as state does
	shown    uint16 // what was published then
	next     uint16 // of those taken, the one that has its turn
	released uint16 // what we have announced

	inArena bool     // the data of the message that was taken last is in the arena
	kept    []uint16 // messages that have had their turn and are not finished with; see Retain
}

// releaseEvery is how many messages may be finished with before that is announced, when more are waiting anyway.
const releaseEvery = 8

// Take gives the front message of the queue, where it lies, and takes up to most at once when it has to. The
// bytes are the caller's until Release, which must come before the next Take. ok is false when the window is empty.
func (t *Taker) Take(most uint32) (p []byte, ok bool, err error) {
	if t.next == t.taken && !t.take(most) {
		if finished := t.finished(); t.released != finished { // it could be that the room is needed to show more
			t.released = finished
			t.shared.released.Store(uint32(t.released))
		}
		return nil, false, nil
	}
	between()
	s := t.slots[t.next&uint16(len(t.slots)-1)]
	t.inArena = s.bytes&inArena != 0
	s.bytes &^= inArena
	if uint64(s.at)+uint64(s.bytes) > uint64(len(t.data)) {
		return nil, false, ErrCorrupt
	}
	return t.data[s.at : s.at+s.bytes], true, nil
}

func (t *Taker) take(most uint32) bool {
	for {
		state := t.shared.state.Load()
		published, taken := split(state)
		if published == taken {
			return false
		}
		n := uint16(min(uint32(published-taken), most))
		if t.shared.state.CompareAndSwap(state, join(published, taken+n)) {
			t.next, t.taken, t.shown = taken, taken+n, published
			return true
		}
	}
}

// Release gives the bytes of the last Take back, and reports whether the caller must ring the daemon's bell. It
// announces the release at once when the daemon wants to know or nothing more is to be seen, and otherwise now and
// then, since each announcement takes the word away from the daemon's processor. A daemon that asks (Want) either does
// so before Release looks, or finds the take.
func (t *Taker) Release() (ring bool) {
	t.next++
	want := t.shared.want.Load()
	finished := t.finished()
	if want == 0 && finished-t.released < releaseEvery && t.next != t.shown {
		return false
	}
	t.released = finished
	t.shared.released.Store(uint32(t.released))
	return want != 0 && int16(t.next-uint16(want)) >= 0 && t.shared.want.CompareAndSwap(want, 0)
}

// Held counts the messages that are taken and have not had their turn.
func (t *Taker) Held() uint32 { return uint32(t.taken - t.next) }

// Empty reports whether there is nothing to take, for a second look after Reader.Doze.
func (t *Taker) Empty() bool {
	published, taken := split(t.shared.state.Load())
	return published == taken
}

// More reports whether the queue has more than the window shows. It means something only when the window is empty.
func (t *Taker) More() bool { return t.shared.more.Load() != 0 }
