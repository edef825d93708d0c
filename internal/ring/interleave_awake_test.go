//go:build interleave

package ring

import (
	"fmt"
	"slices"
	"testing"
)

// A reader that works for others, too, has the writer awake meanwhile, and dozes only before it sleeps; others wake it as
// well. The writer need not ring while the reader is awake, and nothing is lost.
func TestKeptAwakeInterleavings(t *testing.T) {
	for at, wakes := range starts(0, 1) {
		t.Run(fmt.Sprint("from=", at.bytes, ",woken=", wakes), func(t *testing.T) {
			explore(t, func(world *world) func() string {
				shared, data := new(words), make([]byte, 4)
				shared.tail.v, shared.head.v = at.bytes, at.bytes
				var toReader, later bell
				var got []byte
				world.shared = func() []uint64 {
					return slices.Concat(shared.values(), pack(data), toReader.values(), later.values())
				}
				world.add("writer", false, func(s *side) {
					w := &Writer{shared: shared, data: data}
					w.startAt(at.bytes)
					for v := byte(1); v <= 3; v++ {
						if _, ring, err := w.Write([]byte{v}); err != nil {
							panic(err)
						} else if ring {
							toReader.rung = true
						}
					}
					s.wait(&later) // it does not go, or the reader would be woken by that
				})
				world.add("reader", false, func(s *side) {
					r := &Reader{shared: shared, data: data}
					r.startAt(at.bytes)
					var buf [4]byte
					byOthers := wakes
					read := func() {
						n, _, err := r.Read(buf[:])
						if err != nil {
							panic(err)
						}
						got = append(got, buf[:n]...)
					}
					for len(got) < 3 {
						r.Awake()
						read()
						between() // works for others
						if len(got) == 3 {
							break
						}
						if !r.Doze() {
							read()
							continue
						}
						if byOthers > 0 && world.choose(2) == 1 { // somebody else's event
							byOthers--
							saw(7)
							continue
						}
						s.wait(&toReader)
					}
					later.rung = true
				})
				return func() string {
					if !slices.Equal(got, []byte{1, 2, 3}) {
						return fmt.Sprint("read ", got)
					}
					return ""
				}
			})
		})
	}
}
