package ring

// Reader is the reading end of a pipe. One goroutine owns it.
type Reader struct {
	shared *words
	data   []byte // length is a power of two
	head   uint32 // ours; what the segment says is for the writer
	ended  bool   // see End
	end    uint32
}

// Read copies what has been written, at most len(p) bytes, and gives the room back. ring reports that the writer waits
// for room and that the caller must ring its bell now. n is 0 when there is nothing.
func (r *Reader) Read(p []byte) (n int, ring bool, err error) {
	first, second, err := r.Peek()
	if err != nil {
		return 0, false, err
	}
	n = copy(p, first)
	n += copy(p[n:], second)
	if n == 0 {
		return 0, false, nil
	}
	return n, r.Consume(n), nil
}

// Peek shows what has been written where it lies, in two parts when it goes over the end of the memory. The other side
// can still change it: copy it first unless you trust that side.
func (r *Reader) Peek() (first, second []byte, err error) {
	tail := r.shared.tail.Load()
	if r.ended {
		tail = r.end
	}
	if tail == r.head {
		return nil, nil, nil
	}
	size := uint32(len(r.data))
	// In between, also when the numbers wrap; never backwards, whatever tail is.
	if skip := r.shared.skip.Load(); skip&skipping != 0 {
		if on := skip - skipping - r.head; on <= tail-r.head && on < size {
			r.head += on
		}
	}
	n := tail - r.head
	if n > size {
		return nil, nil, ErrCorrupt
	}
	at := r.head & (size - 1)
	if at+n <= size {
		return r.data[at : at+n], nil, nil
	}
	return r.data[at:], r.data[:at+n-size], nil
}

// Consume gives the room of n bytes back, and reports whether the caller must ring the writer's bell.
func (r *Reader) Consume(n int) (ring bool) {
	r.head += uint32(n)
	r.shared.head.Store(r.head)
	return r.shared.stranded.Load() != 0 && r.shared.stranded.Swap(0) != 0
}

// End is for when the other side is gone: what it has written by now is all there will be, even if another process can
// still write to the segment.
func (r *Reader) End() {
	if !r.ended {
		r.ended, r.end = true, r.shared.tail.Load()
	}
}

// Doze says that the reader is about to wait for bytes. It reports false when there are some after all.
func (r *Reader) Doze() (wait bool) {
	r.shared.asleep.Store(1)
	if r.shared.tail.Load() != r.head {
		r.shared.asleep.Store(0)
		return false
	}
	return true
}

// Awake takes a Doze back, for a reader that woke for another reason.
func (r *Reader) Awake() { r.shared.asleep.Store(0) }

// DozeFor is Doze for more than the n bytes that there are.
func (r *Reader) DozeFor(n int) (wait bool) {
	r.shared.asleep.Store(1)
	if r.shared.tail.Load()-r.head != uint32(n) {
		r.shared.asleep.Store(0)
		return false
	}
	return true
}

// Size is how much the pipe can hold.
func (r *Reader) Size() int { return len(r.data) }
