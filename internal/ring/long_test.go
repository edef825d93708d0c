//go:build !interleave

package ring

import (
	"bytes"
	"testing"
)

// Only long pieces fill a pipe that is larger than others, and one that has been begun can be ended.
func TestLongPieces(t *testing.T) {
	const size = 4 * leastShallow
	s, c := segment(t, Sizes{size, 4096, 4096, 512})
	in, _, _ := s.Daemon()
	_, out, _ := c.Client()
	append := func(f func([]byte) (int, error), n, want int) {
		t.Helper()
		if got, err := f(bytes.Repeat([]byte{byte(n)}, n)); got != want || err != nil {
			t.Fatalf("%d bytes of %d, want %d: %v", got, n, want, err)
		}
		out.Publish()
	}
	stranded := func(want bool) {
		t.Helper()
		if wait, err := out.Strand(); wait != want || err != nil {
			t.Fatalf("to wait for room: %v, %v", wait, err)
		}
	}
	append(out.Append, leastShallow+1, leastShallow)
	stranded(true)
	append(out.AppendLong, size, size-leastShallow)
	stranded(true)
	in.Consume(100)
	append(out.Append, 99, 99) // the rest
	stranded(true)
	append(out.Append, 1, 0)
	in.Consume(size - 100 + 99 - leastShallow)
	append(out.Append, 1, 0)
	in.Consume(1)
	append(out.Append, 2, 1)
	append(out.AppendLong, 2, 2)
}
