//go:build interleave

package ring

import (
	"fmt"
	"iter"
	"slices"
	"testing"
)

// Every interleaving of what the two sides do is tried: a schedule is a list of choices, and the next schedule
// changes the last choice that has another alternative left. The code that runs is the real one, with words that stop
// before each access. A state that has been reached before is not gone into again. Run with: go test -tags interleave
// ./internal/ring

// bell is a descriptor that one side rings and the other waits for.
type bell struct{ rung bool }

// side is one process. It runs until it needs the other, gives way at every step, and may be dead.
type side struct {
	name   string
	next   func() (struct{}, bool)
	stop   func()
	waits  *bell // blocked until this rings
	done   bool
	dead   bool
	canDie bool
	seen   uint64 // all that it has seen, hashed: with the shared memory, this is its whole state
	steps  int
}

type world struct {
	sides   []*side
	choices []int // the schedule: which alternative was taken at each point
	counts  []int // how many alternatives there were
	at      int
	trace   []string
	failed  string
	shared  func() []uint64 // all memory that both sides see
	visited map[state]bool
}

// state is a world between two steps.
type state [24]uint64

type killed struct{}

// run starts a side. Its body gives way before each shared access.
func (w *world) add(name string, canDie bool, body func(s *side)) *side {
	s := &side{name: name, canDie: canDie}
	s.next, s.stop = iter.Pull(func(yield func(struct{}) bool) {
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(killed); !ok {
					w.failed = fmt.Sprint("panic: ", r)
				}
			}
		}()
		give[s] = func() {
			if !yield(struct{}{}) {
				panic(killed{})
			}
		}
		body(s)
	})
	w.sides = append(w.sides, s)
	return s
}

var (
	give   map[*side]func()
	acting *side
)

// wait blocks the acting side until the bell rings.
func (s *side) wait(b *bell) {
	s.waits = b
	give[s]()
	s.waits = nil
}

func (w *world) choose(n int) int {
	if w.at == len(w.choices) {
		w.choices, w.counts = append(w.choices, 0), append(w.counts, n)
	}
	if w.counts[w.at] != n {
		panic("a schedule did not repeat itself")
	}
	w.at++
	return w.choices[w.at-1]
}

// play runs one schedule to its end.
func (w *world) play(check func() string) {
	defer func() {
		for _, s := range w.sides {
			s.stop()
		}
	}()
	for w.failed == "" {
		if w.at == len(w.choices) {
			state := w.state()
			if w.visited[state] {
				return
			}
			w.visited[state] = true
		}
		var alternatives []func()
		blocked := false
		for _, s := range w.sides {
			if s.done || s.dead {
				continue
			}
			if s.waits != nil && !s.waits.rung && !w.others(s) {
				blocked = true
				continue
			}
			alternatives = append(alternatives, func() {
				if s.waits != nil {
					s.waits.rung = false
				}
				acting = s
				w.trace = append(w.trace, s.name)
				s.steps++
				if _, more := s.next(); !more {
					s.done = true
				}
			})
			if s.canDie {
				alternatives = append(alternatives, func() {
					s.dead = true
					w.trace = append(w.trace, s.name+" dies")
				})
			}
		}
		if len(alternatives) == 0 {
			if blocked {
				w.failed = "somebody sleeps for ever"
			}
			break
		}
		alternatives[w.choose(len(alternatives))]()
	}
	if w.failed == "" {
		w.failed = check()
	}
}

// state is everything that what follows depends on.
func (w *world) state() state {
	var st state
	n := copy(st[:], w.shared())
	for _, s := range w.sides {
		bits := uint64(s.steps) << 8
		for i, b := range []bool{s.done, s.dead, s.waits != nil} {
			if b {
				bits |= 1 << i
			}
		}
		st[n], st[n+1] = s.seen, bits
		n += 2
	}
	return st
}

func (w *words) values() []uint64 {
	return []uint64{w.tail.v, w.skip.v, w.head.v, uint64(w.asleep.v), uint64(w.stranded.v)}
}

func (w *windowWords) values() []uint64 {
	return []uint64{w.state.v, uint64(w.released.v), w.want.v, uint64(w.more.v)}
}

func (b *bell) values() []uint64 {
	if b.rung {
		return []uint64{1}
	}
	return []uint64{0}
}

// bytes of a memory, at most 8 of them.
func pack(data []byte) []uint64 {
	var v uint64
	for _, b := range data {
		v = v<<8 | uint64(b)
	}
	return []uint64{v}
}

// place is a slot's, which need not be told at length: lengths are 1 here.
func place(slots []slot) (v []uint64) {
	for _, s := range slots {
		v = append(v, uint64(s.at))
	}
	return v
}

// others reports whether the other side is gone. The kernel tells whoever waits for it.
func (w *world) others(s *side) (gone bool) {
	for _, o := range w.sides {
		if o != s && (o.done || o.dead) {
			return true
		}
	}
	return false
}

// explore plays all schedules of a scenario.
func explore(t *testing.T, scenario func(w *world) (check func() string)) {
	t.Helper()
	step = func() { give[acting]() }
	saw = func(v uint64) { acting.seen = (acting.seen+v+1)*0x9E3779B97F4A7C15 ^ acting.seen>>29 }
	defer func() { step, saw = func() {}, func(uint64) {} }()
	visited := map[state]bool{}
	var choices, counts []int
	for n := 1; ; n++ {
		give = map[*side]func(){}
		w := &world{choices: choices, counts: counts, visited: visited}
		check := scenario(w)
		w.play(check)
		if w.failed != "" {
			t.Fatalf("schedule %d: %s\n%v", n, w.failed, w.trace)
		}
		choices, counts = w.choices[:w.at], w.counts[:w.at]
		for len(choices) > 0 && choices[len(choices)-1] == counts[len(counts)-1]-1 {
			choices, counts = choices[:len(choices)-1], counts[:len(counts)-1]
		}
		if len(choices) == 0 {
			t.Logf("%d schedules, %d states", n, len(visited))
			return
		}
		choices[len(choices)-1]++
	}
}

// A writer with a pipe of 2 bytes sends 4; both sleep when they must. Nothing is lost, and nobody sleeps for ever.
func TestPipeInterleavings(t *testing.T) {
	for _, dies := range []string{"", "writer", "reader"} {
		t.Run("dies="+dies, func(t *testing.T) {
			explore(t, func(world *world) func() string {
				shared, data := new(words), make([]byte, 2)
				var toReader, toWriter bell
				var got []byte
				world.shared = func() []uint64 {
					return slices.Concat(shared.values(), pack(data), toReader.values(), toWriter.values())
				}
				world.add("writer", dies == "writer", func(s *side) {
					w := &Writer{shared: shared, data: data}
					for p := []byte{1, 2, 3}; len(p) > 0; {
						n, ring, err := w.Write(p)
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

// A daemon shows two messages, takes back what is left, and shows others, while the client claims what it can and
// sleeps when there is nothing. Each message is claimed or taken back, in order, whole, and the client hears of all.
func TestWindowInterleavings(t *testing.T) {
	for _, dies := range []string{"", "client", "client that takes two"} {
		most := uint32(1)
		if dies == "client that takes two" {
			most = 2
		}
		t.Run("dies="+dies, func(t *testing.T) {
			explore(t, func(world *world) func() string {
				shared, sleep := new(windowWords), new(words)
				slots, data := make([]slot, 2), make([]byte, 16)
				var toClient bell
				var claimed, taken, back []byte
				end := false
				world.shared = func() []uint64 {
					return slices.Concat(shared.values(), sleep.values(), place(slots), pack(data[:8]), pack(data[8:]), toClient.values())
				}
				world.add("daemon", false, func(s *side) {
					w := &Window{shared: shared, slots: slots, own: make([]slot, 2), data: data}
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
					in := &Reader{shared: sleep}
					for {
						p, ok, err := t.Claim(most)
						if err != nil {
							panic(err)
						}
						if ok {
							between()
							claimed = append(claimed, p[0])
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
					if dies != "" { // the last claim may not have been noted by a client that died
						claimed = append(claimed, taken[min(len(claimed), len(taken)):]...)
					}
					all := slices.Concat(taken, back)
					slices.Sort(all)
					if !slices.Equal(claimed, taken) || !slices.IsSorted(claimed) || !slices.Equal(all, []byte{1, 2, 3}) {
						return fmt.Sprintf("claimed %v, seen by the daemon %v, taken back %v", claimed, taken, back)
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
	for _, takes := range []struct {
		most uint32
		all  int
	}{{1, last}, {2, last}, {1, 1}} {
		t.Run(fmt.Sprint(takes), func(t *testing.T) {
			explore(t, func(world *world) func() string {
				shared, sleep := new(windowWords), new(words)
				slots, data := make([]slot, 4), make([]byte, 24)
				var toClient, toDaemon, later bell
				var claimed []byte
				world.shared = func() []uint64 {
					return slices.Concat(shared.values(), sleep.values(), place(slots), pack(data[:8]), pack(data[8:16]),
						pack(data[16:]), toClient.values(), toDaemon.values(), later.values())
				}
				world.add("daemon", false, func(s *side) {
					w := &Window{shared: shared, slots: slots, own: make([]slot, 4), data: data}
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
					in := &Reader{shared: sleep}
					for len(claimed) < takes.all {
						if p, ok, _ := t.Claim(takes.most); ok {
							claimed = append(claimed, p[0])
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
					if !slices.Equal(claimed, []byte{1, 2, 3}[:takes.all]) {
						return fmt.Sprint("claimed ", claimed)
					}
					return ""
				}
			})
		})
	}
}
