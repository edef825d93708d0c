package kbus

// arrivals is the buffer that the leader receives into. It begins small, and grows while what comes fills it.
type arrivals struct {
	buf        []byte
	start, end int
}

const (
	smallestBuffer = 4 << 10
	roomyBuffer    = 64 << 10
)

// space is where to receive next; it is never empty.
func (a *arrivals) space() []byte {
	switch {
	case a.end < len(a.buf):
		return a.buf[a.end:]
	case a.start > 0:
		a.end = copy(a.buf, a.buf[a.start:a.end])
		a.start = 0
	default:
		a.grow()
	}
	return a.buf[a.end:]
}

func (a *arrivals) grow() {
	buf := make([]byte, max(2*len(a.buf), smallestBuffer))
	a.end = copy(buf, a.buf[a.start:a.end])
	a.start, a.buf = 0, buf
}

// took says that all whole frames have been taken.
func (a *arrivals) took() {
	if a.start < a.end {
		return
	}
	full := a.end == len(a.buf)
	a.start, a.end = 0, 0
	switch {
	case full && len(a.buf) < roomyBuffer:
		a.grow()
	case len(a.buf) > keptBytes:
		a.buf = nil
	}
}
