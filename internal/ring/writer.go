package ring

// Writer is the writing end of a pipe. One goroutine owns it.
type Writer struct {
	shared  *words
	data    []byte // length is a power of two
	tail    uint32 // ours; what the segment says is for the reader
	head    uint32 // the reader's, as last seen
	shallow uint32 // how deep it is filled with what is not long; 0: all of it
	begun   bool   // we have begun again, at head, and have not seen the reader there yet: an older head means this one
	skipped bool   // skip says where we last began again: at skip
	skip    uint32
	long    bool // the rest of what AppendLong had no room for is to come
}

// leastShallow is how much of its pipe a client fills with messages that are not long. A client that fills more finds
// less of the pipe in the processor's cache, and sends more than its readers' windows have room for. It is more than
// what counts as long, or the reader might wait for the rest of a message for which the writer has no room.
const leastShallow = 64 << 10

// depth is how much may be in the pipe now.
func (w *Writer) depth() uint32 {
	if w.long || w.shallow == 0 {
		return uint32(len(w.data))
	}
	return min(uint32(len(w.data)), w.shallow)
}

// room is how much more.
func (w *Writer) room() uint32 {
	depth := w.depth()
	return depth - min(depth, w.tail-w.head)
}

// AppendLong is Append for a long piece, which may fill all of the pipe. If it does not fit, what is appended next must
// be the rest of it.
func (w *Writer) AppendLong(p []byte) (n int, err error) {
	w.long = true
	return w.Append(p)
}

// Write copies as much of p as there is room for and announces it. ring reports that the reader sleeps and that the
// caller must ring its bell now. n < len(p) means that the pipe is full.
func (w *Writer) Write(p []byte) (n int, ring bool, err error) {
	n, err = w.Append(p)
	if err != nil || n == 0 {
		return 0, false, err
	}
	return n, w.Publish(), nil
}

// Post is Write that leaves it to a later Wake to ring, when what was written is not worth waking the reader.
func (w *Writer) Post(p []byte) (n int, err error) {
	n, err = w.Append(p)
	if n > 0 && err == nil {
		w.shared.tail.Store(w.tail)
	}
	return n, err
}

// Append is Write without announcing, for several pieces that belong together.
func (w *Writer) Append(p []byte) (n int, err error) {
	size := uint32(len(w.data))
	at := w.tail & (size - 1)
	if len(p) > int(w.room()) || at >= beginAgain {
		if err := w.look(); err != nil {
			return 0, err
		}
		if w.tail == w.head && at >= beginAgain {
			w.tail += size - at
			w.head, w.begun, at = w.tail, true, 0
			w.skip, w.skipped = w.tail, true
			w.shared.skip.Store(w.tail | skipping) // before tail, after which the reader looks at it
		}
	}
	n = min(len(p), int(w.room()))
	w.long = w.long && n < len(p)
	copied := copy(w.data[at:], p[:n])
	copy(w.data, p[copied:n])
	w.tail += uint32(n)
	return n, nil
}

// look learns how far the reader has come. It is called at least once for each time around the memory.
func (w *Writer) look() error {
	head, size := w.shared.head.Load(), uint32(len(w.data))
	if w.skipped && w.tail-w.skip > forgetSkip {
		w.skipped = false
		w.shared.skip.Store(0)
	}
	if w.begun {
		if before := w.head - head; before-1 < size { // it is where we were before we began again
			return nil
		}
		w.begun = false
	}
	if w.tail-head > size {
		return ErrCorrupt
	}
	w.head = head
	return nil
}

// Publish announces what has been appended, and reports whether the caller must ring the reader's bell.
func (w *Writer) Publish() (ring bool) {
	w.shared.tail.Store(w.tail)
	return w.Wake()
}

// Wake reports whether the reader sleeps and the caller must ring its bell, after something else than a Publish that
// the reader may wait for.
func (w *Writer) Wake() (ring bool) {
	return w.shared.asleep.Load() != 0 && w.shared.asleep.Swap(0) != 0
}

// Strand says that the writer is about to wait for room. It reports false when there is some after all.
func (w *Writer) Strand() (wait bool, err error) {
	w.shared.stranded.Store(1)
	if err := w.look(); err != nil {
		return false, err
	}
	if w.room() > 0 {
		w.shared.stranded.Store(0)
		return false, nil
	}
	return true, nil
}
