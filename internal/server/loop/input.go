package loop

// Requests are read into one buffer that all connections of a loop share, and handled where they lie. Only what is left
// at the end of a turn, a frame that has not come whole or requests beyond the connection's share, is copied to memory
// of the connection's own, which goes back as soon as it is empty. So a hundred idle clients cost no buffers at all.
type input struct {
	shared []byte
	spare  [][]byte // given back by connections, for the next ones that need some
}

const (
	sharedBytes = 128 << 10
	spareKept   = 8

	// smallestRest is the least memory that a connection takes. A larger frame gets more as it comes, never at once: a
	// client that only announces a long one does not make the daemon hold it.
	smallestRest = 4 << 10
)

// buffer is what to read into. A user who keeps much in memory already gets little at a time: then no more than that
// little can be left over, and flooding the bus with small requests never comes up against limits.user-buffer-bytes.
func (in *input) buffer(frugal bool) []byte {
	if in.shared == nil {
		in.shared = make([]byte, sharedBytes)
	}
	if frugal {
		return in.shared[:smallestRest]
	}
	return in.shared
}

// take gives an empty slice with room for at least n bytes.
func (in *input) take(n int) []byte {
	for i := len(in.spare) - 1; i >= 0; i-- {
		if b := in.spare[i]; cap(b) >= n {
			last := len(in.spare) - 1
			in.spare[i], in.spare[last] = in.spare[last], nil
			in.spare = in.spare[:last]
			return b
		}
	}
	return make([]byte, 0, max(n, smallestRest))
}

func (in *input) give(b []byte) {
	if len(in.spare) < spareKept && cap(b) <= sharedBytes {
		in.spare = append(in.spare, b[:0])
	}
}

// rest is for when the loop has nothing to do: what the last burst needed is let go.
func (in *input) rest() { clear(in.spare); in.spare = in.spare[:0] }
