//go:build interleave

package ring

import (
	"fmt"
	"slices"
	"testing"
)

// The scenarios that interleave_test.go tries all schedules of.

// A writer with a pipe of 2 bytes sends 3, at once or one by one, which also has it begin again; both sleep when they
// must. Nothing is lost, and nobody sleeps for ever.
func TestPipeInterleavings(t *testing.T) {
	type pieces struct {
		dies  string
		bytes int
	}
	for at, c := range starts(pieces{"", 3}, pieces{"writer", 3}, pieces{"reader", 3}, pieces{"", 1}, pieces{"writer", 1}) {
		dies := c.dies
		t.Run(fmt.Sprint("from=", at.bytes, ",pieces=", c), func(t *testing.T) {
			explore(t, func(world *world) func() string {
				shared, data := new(words), make([]byte, 2)
				shared.tail.v, shared.head.v = at.bytes, at.bytes
				var toReader, toWriter bell
				var got []byte
				world.shared = func() []uint64 {
					return slices.Concat(shared.values(), pack(data), toReader.values(), toWriter.values())
				}
				world.add("writer", dies == "writer", func(s *side) {
					w := &Writer{shared: shared, data: data}
					w.startAt(at.bytes)
					for p := []byte{1, 2, 3}; len(p) > 0; {
						n, ring, err := w.Write(p[:min(len(p), c.bytes)])
						if err != nil {
							panic(err)
						}
						if ring {
							toReader.rung = true
						}
						if p = p[n:]; n > 0 {
							continue
						}
						if world.others(s) {
							return
						}
						if wait, _ := w.Strand(); wait {
							s.wait(&toWriter)
						}
					}
				})
				world.add("reader", dies == "reader", func(s *side) {
					r := &Reader{shared: shared, data: data}
					r.startAt(at.bytes)
					var buf [3]byte
					for len(got) < 3 {
						n, ring, err := r.Read(buf[:])
						if err != nil {
							panic(err)
						}
						if ring {
							toWriter.rung = true
						}
						if got = append(got, buf[:n]...); n > 0 {
							continue
						}
						if world.others(s) && r.shared.tail.v == r.head {
							return
						}
						if r.Doze() {
							s.wait(&toReader)
						}
					}
				})
				return func() string {
					want := []byte{1, 2, 3}
					if !slices.Equal(got, want[:len(got)]) || dies == "" && len(got) < 3 {
						return fmt.Sprint("read ", got)
					}
					return ""
				}
			})
		})
	}
}

// A daemon shows two messages, takes back what is left, and shows others, while the client takes what it can and
// sleeps when there is nothing. Each message is taken, or taken back, in order, whole, and the client hears of all.
func TestWindowInterleavings(t *testing.T) {
	for at, dies := range starts("", "client", "client that takes two") {
		most := uint32(1)
		if dies == "client that takes two" {
			most = 2
		}
		t.Run(fmt.Sprint("from=", at.messages, ",dies=", dies), func(t *testing.T) {
			explore(t, func(world *world) func() string {
				shared, sleep := new(windowWords), new(words)
				shared.state.v, shared.released.v = join(at.messages, at.messages), uint32(at.messages)
				slots, data := make([]slot, 2), make([]byte, 16)
				var toClient bell
				var got, taken, back []byte
				end := false
				world.shared = func() []uint64 {
					return slices.Concat(shared.values(), sleep.values(), place(slots), pack(data[:8]), pack(data[8:]), toClient.values())
				}
				world.add("daemon", false, func(s *side) {
					w := &Window{shared: shared, slots: slots, own: make([]slot, 2), data: data}
					w.startAt(at.messages)
					out := &Writer{shared: sleep}
					queue := []byte{1, 2}
					see := func() {
						n, err := w.Taken()
						if err != nil {
							panic(err)
						}
						taken, queue = append(taken, queue[:n]...), queue[n:]
					}
					show := func() {
						for shown := w.Shown(); shown < len(queue); shown++ {
							p := w.Stage(1)
							if p == nil {
								break
							}
							p[0] = queue[shown]
						}
						if w.Publish() != nil {
							panic("publish")
						}
						if out.Wake() {
							toClient.rung = true
						}
					}
					show()
					if w.Withdraw() != nil {
						panic("withdraw")
					}
					see()
					if len(queue) > 0 {
						back, queue = append(back, queue[0]), queue[1:]
					}
					queue = append(queue, 3)
					show()
					if w.Withdraw() != nil {
						panic("withdraw")
					}
					see()
					back = append(back, queue...)
					end = true
				})
				world.add("client", dies != "", func(s *side) {
					t := &Taker{shared: shared, slots: slots, data: data}
					t.startAt(at.messages)
					in := &Reader{shared: sleep}
					for {
						p, ok, err := t.Take(most)
						if err != nil {
							panic(err)
						}
						if ok {
							between()
							got = append(got, p[0])
							t.Release()
							continue
						}
						if end {
							return
						}
						if !in.Doze() {
							continue
						}
						if t.Empty() && !end {
							s.wait(&toClient)
						}
						in.Awake()
					}
				})
				return func() string {
					if dies != "" { // the last take may not have been noted by a client that died
						got = append(got, taken[min(len(got), len(taken)):]...)
					}
					all := slices.Concat(taken, back)
					slices.Sort(all)
					if !slices.Equal(got, taken) || !slices.IsSorted(got) || !slices.Equal(all, []byte{1, 2, 3}) {
						return fmt.Sprintf("taken %v, seen by the daemon %v, taken back %v", got, taken, back)
					}
					return ""
				}
			})
		})
	}
}

// A daemon whose queue is full asks to be woken when one is taken, and is: by a client that goes on taking, and by one
// that takes one, of which it may not say at once that it has finished with it, and then has other things to do.
func TestWantInterleavings(t *testing.T) {
	const limit, last = 2, 3
	type takes struct {
		most uint32
		all  int
	}
	for at, takes := range starts(takes{1, last}, takes{2, last}, takes{1, 1}) {
		t.Run(fmt.Sprint("from=", at.messages, takes), func(t *testing.T) {
			explore(t, func(world *world) func() string {
				shared, sleep := new(windowWords), new(words)
				shared.state.v, shared.released.v = join(at.messages, at.messages), uint32(at.messages)
				slots, data := make([]slot, 4), make([]byte, 24)
				var toClient, toDaemon, later bell
				var got []byte
				world.shared = func() []uint64 {
					return slices.Concat(shared.values(), sleep.values(), place(slots), pack(data[:8]), pack(data[8:16]),
						pack(data[16:]), toClient.values(), toDaemon.values(), later.values())
				}
				world.add("daemon", false, func(s *side) {
					w := &Window{shared: shared, slots: slots, own: make([]slot, 4), data: data}
					w.startAt(at.messages)
					out := &Writer{shared: sleep}
					queued := 0
					for v := byte(1); v <= byte(min(last, limit+takes.all)); {
						n, err := w.Taken()
						if err != nil {
							panic(err)
						}
						if queued -= n; queued == limit {
							if w.Want() {
								s.wait(&toDaemon)
							}
							continue
						}
						w.Stage(1)[0] = v
						queued++
						v++
						if w.Publish() != nil {
							panic("publish")
						}
						if out.Wake() {
							toClient.rung = true
						}
					}
					later.rung = true
				})
				world.add("client", false, func(s *side) {
					t := &Taker{shared: shared, slots: slots, data: data}
					t.startAt(at.messages)
					in := &Reader{shared: sleep}
					for len(got) < takes.all {
						if p, ok, _ := t.Take(takes.most); ok {
							got = append(got, p[0])
							if t.Release() {
								toDaemon.rung = true
							}
							continue
						}
						if !in.Doze() {
							continue
						}
						if t.Empty() {
							s.wait(&toClient)
						}
						in.Awake()
					}
					s.wait(&later)
				})
				return func() string {
					if !slices.Equal(got, []byte{1, 2, 3}[:takes.all]) {
						return fmt.Sprint("got ", got)
					}
					return ""
				}
			})
		})
	}
}
