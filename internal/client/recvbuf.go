package client

// recvbuf is the buffer that the caller receives into. It begins small, and grows while what comes fills it.
type recvbuf struct {
	buf        []byte
	start, end int
}

const (
	smallestBuffer = 4 << 10
	roomyBuffer    = 64 << 10
)

// space is where to receive next; it is never empty.
func (r *recvbuf) space() []byte {
	switch {
	case r.end < len(r.buf):
		return r.buf[r.end:]
	case r.start > 0:
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.start = 0
	default:
		r.grow()
	}
	return r.buf[r.end:]
}

func (r *recvbuf) grow() {
	buf := make([]byte, max(2*len(r.buf), smallestBuffer))
	r.end = copy(buf, r.buf[r.start:r.end])
	r.start, r.buf = 0, buf
}

// split says that all whole frames have been taken.
func (r *recvbuf) split() {
	if r.start < r.end {
		return
	}
	full := r.end == len(r.buf)
	r.start, r.end = 0, 0
	switch {
	case full && len(r.buf) < roomyBuffer:
		r.grow()
	case len(r.buf) > keptBytes:
		r.buf = nil
	}
}
