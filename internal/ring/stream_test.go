//go:build !interleave

package ring

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
)

// end is one side of a connection as it is in earnest: its own mapping, and a bell that it sleeps on. The bells here
// are pipes.
type end struct {
	r          *Reader
	w          *Writer
	mine, your *os.File // to sleep on, and to wake the other side by
}

func (e *end) ring(wake bool) {
	if wake {
		e.your.Write([]byte{1})
	}
}

func (e *end) sleep() {
	var bells [16]byte
	e.mine.Read(bells[:])
}

// ends makes both sides.
func ends(t *testing.T, bytes uint32) (daemon, client *end) {
	t.Helper()
	s, c := segment(t, Sizes{bytes, bytes, 4096, 512})
	var bells [2][2]*os.File
	for i := range bells {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close(); w.Close() })
		bells[i] = [2]*os.File{r, w}
	}
	daemon, client = &end{mine: bells[0][0], your: bells[1][1]}, &end{mine: bells[1][0], your: bells[0][1]}
	daemon.r, daemon.w, _ = s.Daemon()
	client.r, client.w, _ = c.Client()
	return daemon, client
}

// write writes numbers from 0 up in pieces of odd sizes, and sleeps whenever there is no room.
func (e *end) write(t *testing.T, total int, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	all := make([]byte, 0, 3*8192)
	for at := 0; at < total; {
		for len(all) < 8192 && at < total {
			all = binary.LittleEndian.AppendUint64(all, uint64(at))
			at += 8
		}
		for p := all; len(p) > 0; {
			n, wake, err := e.w.Write(p[:min(len(p), 1+rnd.IntN(6000))])
			if err != nil {
				t.Error(err)
				return
			}
			e.ring(wake)
			p = p[n:]
			if n > 0 {
				continue
			}
			if wait, err := e.w.Strand(); err != nil {
				t.Error(err)
				return
			} else if wait {
				e.sleep()
			}
		}
		all = all[:0]
	}
}

// read checks them.
func (e *end) read(t *testing.T, total int, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 2))
	buf := make([]byte, 8+6000)
	for at, have := 0, 0; at < total; {
		n, wake, err := e.r.Read(buf[have : have+1+rnd.IntN(6000)])
		if err != nil {
			t.Error(err)
			return
		}
		e.ring(wake)
		if n == 0 {
			if e.r.Doze() {
				e.sleep()
				e.r.Awake()
			}
			continue
		}
		have += n
		p := buf[:have]
		for ; len(p) >= 8; p = p[8:] {
			if v := binary.LittleEndian.Uint64(p); v != uint64(at) {
				t.Errorf("at %d there is %d", at, v)
				return
			}
			at += 8
		}
		have = copy(buf, p)
	}
}

// Two pipes of one segment, both ways at once, each with a goroutine at either end that sleeps when it must: everything
// comes, in order, and nobody sleeps for ever.
func TestStreamsWithBells(t *testing.T) {
	for _, bytes := range []uint32{4096, 65536} {
		t.Run(fmt.Sprint(bytes), func(t *testing.T) {
			const total = 4 << 20
			// Each way has a pair of ends to itself, because a bell here does not say which way it is for.
			var wg sync.WaitGroup
			for way := range uint64(2) {
				daemon, client := ends(t, bytes)
				if way == 1 {
					daemon, client = client, daemon
				}
				wg.Go(func() { client.write(t, total, way) })
				wg.Go(func() { daemon.read(t, total, way) })
			}
			wg.Wait()
		})
	}
}
