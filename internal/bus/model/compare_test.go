package model_test

import (
	"flag"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/bus/model"
	"kbus.example/kbus/message"
)

// Random operations on a pair. An operation is six small numbers, so that a fuzzer can make it from bytes and rapid can
// make it smaller; what they mean depends on the state at that moment, so that a Reply usually answers a Request that
// somebody has read, and that something happens at all: few Ksocks, few names, short queues.

var wantOps = flag.Int("model.ops", 400_000, "operations in TestCompare")

const opsPerRun = 150 // on average

// op is one operation: which, on which Ksock, and four numbers of which each operation makes what it needs.
type op struct{ code, k, name, flags, choice, number uint8 }

// start is how a run begins: numbers again.
type start struct {
	queues, counters, aside, flavour, limits uint8
	paths                                    uint8 // of the bus: quick, slow, or either as it comes
	windows                                  bool
	handsOver                                bool // see handOver
}

// newCompared makes a pair and opens a few Ksocks. It can have several flavours: all that is due is polled; there are
// replier bind events, also for somebody whose queue is short; limits on what users are charged; the same few ids over and
// over (R1.13), or only ids that the bus chose.
func newCompared(t failer, s start) *pair {
	c := model.Config{
		MaxMessages: pick([]uint32{2, 1, 3, 4, 100, 1, 2, 0}, s.queues),
		MaxSetAside: pick([]int{5, 1, 0, 2}, s.aside),
		MaxHeld:     pick([]int{2, 1, 0, 3}, s.queues),
	}
	if s.limits%2 == 1 { // of bytes: of a user, of all, of both, with queues that are long enough to meet them
		c.UserQueueBytes = pick([]int{600, 0, 900, 2000}, s.limits/2)
		c.QueueBytes = pick([]int{0, 2400, 3600, 2000}, s.limits/2)
		c.UserWildcards = int(s.aside)
		c.MaxMessages = max(c.MaxMessages, 3)
	}
	if s.counters%4 == 3 {
		c.FirstKsock, c.FirstSerial = 1<<32-3, 1<<32-20 // R1.7, R1.12
	}
	p := newPair(t, c)
	p.kinds = int(s.counters+s.aside) % 3
	for range 3 {
		p.open()
	}
	p.eager = s.flavour&1 != 0
	if s.flavour&2 != 0 {
		p.reportReplierBinds(p.ksocks[2], 1)
		p.maxMessages(p.ksocks[0], 1)
		p.bind(p.ksocks[0], message.NameReplierBindEvent, false)
		p.bind(p.ksocks[1], pick(bindingNames, s.aside), false)
	}
	p.windows, p.handsOver = s.windows, s.handsOver
	p.paths = s.paths % 4
	if p.pieces = s.paths&4 != 0; p.pieces {
		p.bus.InPieces(1)
	}
	p.bus.SetQuick(p.paths != slowPaths)
	p.sameIDs, p.ownIDs = s.flavour&12 == 4, s.flavour&8 != 0
	if p.starts = s.counters%2 == 1; p.starts {
		p.setStartable(startableNames)
	}
	p.follow()
	return p
}

// do does one operation. Earlier ones in the table are likelier, because rapid likes small numbers.
func (p *pair) do(o op) {
	if len(p.ksocks) == 0 {
		p.open()
	}
	if p.paths == eitherPath {
		p.bus.SetQuick((o.code^o.number^o.choice)&1 == 0)
	}
	if p.pieces && o.flags%2 == 0 {
		p.sweep(int(o.choice) * 5)
		p.follow()
	}
	if p.handsOver && (o.name^o.choice)%4 == 3 {
		p.handOver()
	}
	k := p.ksocks[int(o.k)%len(p.ksocks)]
	table[int(o.code)%len(table)](p, k, o)
	for len(p.lent) > int(o.choice)%4 {
		p.release(int(o.number) % len(p.lent))
	}
	p.follow()
	if o.code%8 == 0 {
		p.checkNames(bindingNames)
	}
}

func below(n int, t *rapid.T) uint8 { return rapid.Uint8Range(0, uint8(n-1)).Draw(t, "number") }

var randomStart = rapid.Custom(func(t *rapid.T) start {
	return start{queues: below(8, t), counters: below(8, t), aside: below(8, t), flavour: below(16, t), limits: below(8, t), paths: below(8, t)}
})
var randomOp = rapid.Custom(func(t *rapid.T) op {
	return op{
		code: below(len(table), t), k: below(6, t), name: below(len(bindingNames), t),
		flags: below(len(sendFlags), t), choice: below(8, t), number: below(8, t),
	}
})

// TestCompare compares the bus with the model on random operations, -model.ops of them. A failure says how to repeat it
// with -rapid.seed, and shows the shortest script that was found.
func TestCompare(t *testing.T) { compare(t, *wantOps, start{}) }

// TestCompareWindows is the same with clients that have windows.
func TestCompareWindows(t *testing.T) { compare(t, *wantOps/2, start{windows: true}) }

func compare(t *testing.T, wantOps int, with start) {
	for name, value := range map[string]string{
		"rapid.checks":     strconv.Itoa(wantOps/opsPerRun + 1),
		"rapid.steps":      strconv.Itoa(opsPerRun),
		"rapid.nofailfile": "true",
	} {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	ops, quickly := 0, bus.Quickly{}
	rapid.Check(t, func(t *rapid.T) {
		s := randomStart.Draw(t, "start")
		s.windows, s.handsOver = with.windows, with.handsOver
		p := newCompared(t, s)
		t.Repeat(map[string]func(*rapid.T){"do": func(t *rapid.T) {
			p.do(randomOp.Draw(t, "op"))
			ops++
		}})
		p.finish()
		here := p.bus.Quickly()
		quickly.Announced += here.Announced
		quickly.Routed += here.Routed
		quickly.Taken += here.Taken
	})
	t.Logf("%d operations, by quick ways %+v", ops, quickly)
	least := uint64(ops) / 500
	if quickly.Announced < least || quickly.Routed < least || with.windows && quickly.Taken < least {
		t.Error("the quick paths were hardly compared")
	}
}

// FuzzOperations compares the bus with the model on operations that are made from bytes, six for each of at most 500,
// after four that say how it begins. Use -fuzzminimizetime=20x: every input is interesting to begin with, and making it
// smaller takes the fuzzer a minute.
func FuzzOperations(f *testing.F) {
	for flavour := range byte(32) {
		b := []byte{flavour, flavour / 4, flavour / 8, flavour | flavour<<5}
		for i := range byte(120) {
			b = append(b, i%23, i*i/7, i/3, i/5, i*flavour, i*3)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 4 {
			return
		}
		p := newCompared(t, start{b[0], b[1], b[2], b[3], b[3] >> 5, b[0] >> 3, b[3]&16 != 0, b[2]&64 != 0})
		for b = b[4:min(len(b), 4+6*500)]; len(b) >= 6; b = b[6:] {
			p.do(op{b[0], b[1], b[2], b[3], b[4] % 8, b[5] % 8})
		}
		p.finish()
	})
}
