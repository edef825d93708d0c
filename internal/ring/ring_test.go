package ring

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

func pair(tb testing.TB, up, down uint32) (daemon *Reader, client *Writer) {
	tb.Helper()
	s, c := segment(tb, Sizes{up, down, 4096, 512})
	daemon, _, _ = s.Daemon()
	_, client, _ = c.Client()
	return daemon, client
}

// segment maps one segment twice, as two processes do.
func segment(tb testing.TB, sizes Sizes) (daemon, client *Segment) {
	tb.Helper()
	s, fd, err := Create(sizes)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := Map(fd)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { unix.Close(fd); s.Close(); c.Close() })
	return s, c
}

// Everything that is written is read, in order, whatever the sizes of the pieces; the two ends map the same memory
// twice, as two processes do.
func TestStreamKeepsOrder(t *testing.T) {
	r, w := pair(t, 4096, 4096)
	rnd := rand.New(rand.NewPCG(1, 2))
	var wrote, read uint64
	buf := make([]byte, 8192)
	for read < 4<<20 {
		p := buf[:8*rnd.IntN(300)]
		for i := 0; i < len(p); i += 8 {
			binary.LittleEndian.PutUint64(p[i:], wrote/8+uint64(i/8))
		}
		n, _, err := w.Write(p)
		if err != nil {
			t.Fatal(err)
		}
		wrote += uint64(n) &^ 7
		if n&7 != 0 { // finish the number that did not fit
			rest := bytes.Clone(p[n&^7 : n&^7+8])
			for rest = rest[n&7:]; len(rest) > 0; {
				read += drain(t, r, read, buf[4096:])
				n, _, _ := w.Write(rest)
				rest = rest[n:]
			}
			wrote += 8
		}
		if rnd.IntN(3) > 0 {
			read += drain(t, r, read, buf[4096:])
		}
	}
}

var half []byte

func drain(t *testing.T, r *Reader, at uint64, buf []byte) (n uint64) {
	t.Helper()
	for {
		c := copy(buf, half)
		m, _, err := r.Read(buf[c : c+256])
		if err != nil {
			t.Fatal(err)
		}
		if m == 0 {
			return n
		}
		got := buf[:c+m]
		for len(got) >= 8 {
			if v := binary.LittleEndian.Uint64(got); v != (at+n)/8 {
				t.Fatalf("number %d where %d should be", v, (at+n)/8)
			}
			got, n = got[8:], n+8
		}
		half = bytes.Clone(got)
	}
}

// A pipe that is always emptied stays near offset 0 (fast-path: memory).
func TestBeginsAgain(t *testing.T) {
	r, w := pair(t, 65536, 4096)
	p := make([]byte, 1000)
	for range 1000 {
		if n, _, err := w.Write(p); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
		if n, _, err := r.Read(p); n != len(p) || err != nil {
			t.Fatal(n, err)
		}
		if at := w.tail & 65535; at > beginAgain+1000 {
			t.Fatalf("writing at offset %d", at)
		}
	}
}

// A writer that has begun again may fill all of the pipe before the reader has looked; where that is then is no nonsense.
func TestFullSinceItBeganAgain(t *testing.T) {
	const size = 65536
	r, w := pair(t, size, 4096)
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i >> 8)
	}
	for _, n := range []int{beginAgain, size} {
		if m, _, err := w.Write(p[:n]); m != n || err != nil {
			t.Fatalf("%d of %d bytes, %v", m, n, err)
		}
		if n == size {
			if w.tail != 2*size {
				t.Fatalf("it has not begun again: at %d", w.tail)
			}
			if m, _, err := w.Write(p[:1]); m != 0 || err != nil {
				t.Errorf("into a full pipe: %d bytes, %v", m, err)
			}
		}
		got := make([]byte, size)
		if m, _, err := r.Read(got); m != n || err != nil || !bytes.Equal(got[:n], p[:n]) {
			t.Fatalf("%d of %d bytes, or others, %v", m, n, err)
		}
	}
}

func TestNonsenseIsFoundOut(t *testing.T) {
	r, w := pair(t, 4096, 4096)
	w.shared.tail.Store(5000)
	if _, _, err := r.Peek(); err != ErrCorrupt {
		t.Errorf("a tail beyond the ring: %v", err)
	}
	w.shared.head.Store(77)
	if _, err := w.Append(make([]byte, 5000)); err != ErrCorrupt {
		t.Errorf("a head beyond the tail: %v", err)
	}
}

func BenchmarkPipe(b *testing.B) {
	for _, size := range []int{64, 128, 1152, 65536} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			r, w := pair(b, 262144, 4096)
			in, out := make([]byte, size), make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				w.Write(in)
				r.Read(out)
			}
		})
	}
}
