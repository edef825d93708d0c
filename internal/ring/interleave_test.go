//go:build interleave

package ring

import (
	"fmt"
	"iter"
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

func values(words ...word32) (v []uint64) {
	for _, w := range words {
		v = append(v, uint64(w.v))
	}
	return v
}

func (w *words) values() []uint64 {
	return values(w.tail, w.skip, w.head, w.asleep, w.stranded)
}

func (w *windowWords) values() []uint64 {
	return values(w.state, w.released, w.want, w.more)
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
	saw = func(v uint32) { acting.seen = (acting.seen+uint64(v)+1)*0x9E3779B97F4A7C15 ^ acting.seen>>29 }
	defer func() { step, saw = func() {}, func(uint32) {} }()
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

// Just before what is counted comes round.
const (
	lastBytes    = ^uint32(0) - 1 // a multiple of the memory
	lastMessages = ^uint16(0)
)

func (w *Window) startAt(n uint16) { w.published, w.taken, w.reported, w.freed = n, n, n, n }

func (t *Taker) startAt(n uint16) { t.taken, t.shown, t.next, t.released = n, n, n, n }

// start is what is counted already when a scenario begins.
type start struct {
	bytes    uint32
	messages uint16
}

// starts gives each case twice: from 0, and so that counts come round.
func starts[T any](cases ...T) iter.Seq2[start, T] {
	return func(yield func(start, T) bool) {
		for _, s := range [...]start{{}, {lastBytes, lastMessages}} {
			for _, c := range cases {
				if !yield(s, c) {
					return
				}
			}
		}
	}
}
