package ring

// A window shows a client the front of its queue. The queue stays in the bus; the window holds copies of its first
// messages, and the client takes one by claiming it, without asking anybody. Because the bus may think again about what
// has not been read (an unbind removes it, an urgent message goes before it, a close answers it), the daemon can take
// back what is not claimed yet.
//
// All of that is one word, `state`: how many messages have been published and how many claimed, both counted for ever
// (modulo 2^32). The client claims by compare-and-swap of claimed+1, the daemon publishes by compare-and-swap of
// published+n and takes back by compare-and-swap of published = claimed. So each message is either claimed or taken
// back, never both and never neither, and either side knows which. A message's bytes are read only after the claim,
// never before, so it does not matter what they were when the word was first looked at.
//
// The client says in `released` up to where it has finished with the bytes, but not each time. The daemon says in
// `want` after which message it would like to be woken, because a sender waits for room; 0 means not at all. And it
// says in `more` that the queue has more than the window shows, for lack of room or because it is not the window's to
// show: a client that finds the window empty must then ask for the next message.
type windowWords struct {
	state    word64 // by both: published << 32 | claimed
	_        [56]byte
	released word32 // by the client
	_        [60]byte
	want     word64 // by the daemon, cleared by whoever rings: wanted | claim number
	_        [56]byte
	more     word32 // by the daemon: there is more than the window shows
	_        [60]byte
}

// slot tells where one message of the window lies.
type slot struct{ at, bytes uint32 }

const wanted = 1 << 32

func join(published, claimed uint32) uint64          { return uint64(published)<<32 | uint64(claimed) }
func split(state uint64) (published, claimed uint32) { return uint32(state >> 32), uint32(state) }

// Window is the daemon's end. One goroutine owns it. Its counts follow one another: freed <= told <= claimed <=
// published.
type Window struct {
	shared *windowWords
	slots  []slot // in the segment; length is a power of two
	own    []slot // what we wrote there; the client's copy is not to be trusted
	data   []byte // in the segment

	published uint32 // shown to the client
	claimed   uint32 // of those, taken by it, as last seen
	told      uint32 // of those, reported by Taken
	freed     uint32 // of those, finished with
	staged    uint32 // put behind the published ones, not shown yet
	more      uint32 // what we have said

	bodies bodies // of messages whose data lies in a log
}

// Shown counts the messages that the client can claim, as last seen.
func (w *Window) Shown() int { return int(w.published - w.claimed) }

// Taken reports how many messages the client has claimed since the last call.
func (w *Window) Taken() (n int, err error) {
	if err := w.look(); err != nil {
		return 0, err
	}
	n = int(w.claimed - w.told)
	w.told = w.claimed
	if w.bodies.bytes > 0 {
		w.free()
	}
	return n, nil
}

// look learns what the client has claimed.
func (w *Window) look() error {
	published, claimed := split(w.shared.state.Load())
	if published != w.published || claimed-w.claimed > w.published-w.claimed {
		return ErrCorrupt
	}
	w.claimed = claimed
	return nil
}

// show changes how many messages are published, given the claims at that very moment. A client can get in between only
// as often as there are messages to claim.
func (w *Window) show(published func(claimed uint32) uint32) error {
	for range len(w.own) + 1 {
		if err := w.look(); err != nil {
			return err
		}
		p := published(w.claimed)
		if w.shared.state.CompareAndSwap(join(w.published, w.claimed), join(p, w.claimed)) {
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
	w.slots[i&uint32(len(w.slots)-1)] = slot{at, uint32(n)}
	w.staged++
	return w.data[at : at+uint32(n) : at+uint32(n)]
}

func (w *Window) slot(i uint32) *slot { return &w.own[i&uint32(len(w.own)-1)] }

// room finds a place for n bytes behind the last message. Messages do not go over the end of the memory.
func (w *Window) room(n uint32) (at uint32, ok bool) {
	next := w.published + w.staged
	switch {
	case next-w.freed >= uint32(len(w.own)):
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
	if r := w.shared.released.Load(); r-w.freed <= w.told-w.freed {
		if w.bodies.bytes > 0 {
			w.letGo(w.freed, r)
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
	return w.show(func(uint32) uint32 { return p })
}

// Withdraw takes back everything that is not claimed. What Taken reports afterwards is final.
func (w *Window) Withdraw() error {
	end := w.published + w.staged
	w.staged = 0
	err := w.show(func(claimed uint32) uint32 { return claimed })
	if err == nil && w.bodies.bytes > 0 {
		w.letGo(w.published, end)
	}
	return err
}

// Want asks the client to ring when it has taken one more message than Taken has reported. wait is false when it has
// taken one already: then look again. (It looks at what is claimed and not at what is released, because a client need
// not tell what it has released unless it sees that somebody wants to know.)
func (w *Window) Want() (wait bool) {
	w.shared.want.Store(wanted | uint64(w.told+1))
	if _, claimed := split(w.shared.state.Load()); claimed != w.told {
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
// one another: released <= next <= claimed <= shown, but for what has been taken back.
type Taker struct {
	shared *windowWords
	slots  []slot
	data   []byte

	claimed  uint32 // the last claim, counted as state does
	shown    uint32 // what was published then
	next     uint32 // of those claimed, the one that has its turn
	released uint32 // what we have announced

	inLog bool     // the data of the message that was claimed last is in the log
	kept  []uint32 // messages that have had their turn and are not finished with; see Hold
}

// releaseEvery is how many messages may be finished with before that is announced, when more are waiting anyway.
const releaseEvery = 8

// Claim takes the front message of the queue, where it lies, and claims up to most at once when it has to claim. The
// bytes are the caller's until Release, which must come before the next Claim. ok is false when the window is empty.
func (t *Taker) Claim(most uint32) (p []byte, ok bool, err error) {
	if t.next == t.claimed && !t.claim(most) {
		if finished := t.finished(); t.released != finished { // it could be that the room is needed to show more
			t.released = finished
			t.shared.released.Store(t.released)
		}
		return nil, false, nil
	}
	between()
	s := t.slots[t.next&uint32(len(t.slots)-1)]
	t.inLog = s.bytes&inLog != 0
	s.bytes &^= inLog
	if uint64(s.at)+uint64(s.bytes) > uint64(len(t.data)) {
		return nil, false, ErrCorrupt
	}
	return t.data[s.at : s.at+s.bytes], true, nil
}

func (t *Taker) claim(most uint32) bool {
	for {
		state := t.shared.state.Load()
		published, claimed := split(state)
		if published == claimed {
			return false
		}
		n := min(published-claimed, most)
		if t.shared.state.CompareAndSwap(state, join(published, claimed+n)) {
			t.next, t.claimed, t.shown = claimed, claimed+n, published
			return true
		}
	}
}

// Release gives the bytes of the last Claim back, and reports whether the caller must ring the daemon's bell. That is
// announced at once when somebody wants to know or nothing more is to be seen, and else every now and then, since each
// time takes the word away from the daemon's processor. Who asks to be told (Want) either does so before we look here,
// or finds the claim.
func (t *Taker) Release() (ring bool) {
	t.next++
	want := t.shared.want.Load()
	finished := t.finished()
	if want == 0 && finished-t.released < releaseEvery && t.next != t.shown {
		return false
	}
	t.released = finished
	t.shared.released.Store(t.released)
	return want != 0 && int32(t.next-uint32(want)) >= 0 && t.shared.want.CompareAndSwap(want, 0)
}

// Held counts the messages that are claimed and have not had their turn.
func (t *Taker) Held() uint32 { return t.claimed - t.next }

// Empty reports whether there is nothing to claim, for a second look after Reader.Doze.
func (t *Taker) Empty() bool {
	published, claimed := split(t.shared.state.Load())
	return published == claimed
}

// More reports whether the queue has more than the window shows. It means something only when the window is empty.
func (t *Taker) More() bool { return t.shared.more.Load() != 0 }
