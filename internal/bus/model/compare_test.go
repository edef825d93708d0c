package model_test

import (
	"flag"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kbus/internal/bus/model"
	"kbus/message"
)

// Random operations on a pair. An operation is six small numbers, so that a fuzzer can make it from bytes and rapid can
// make it smaller; what they mean depends on the state at that moment, so that a Reply usually answers a Request that
// somebody has read, and that something happens at all: few Ksocks, few names, short queues.

var wantOps = flag.Int("model.ops", 400_000, "operations in TestCompare")

const stepsPerRun = 150 // on average

// op is one operation: which, on which Ksock, and four numbers of which each operation makes what it needs.
type op struct{ code, k, name, flags, choice, number uint8 }

// start is how a run begins: numbers again.
type start struct{ queues, counters, aside, flavour uint8 }

// newCompared makes a pair and opens a few Ksocks. It can have several flavours: all that is due is polled; there are
// replier bind events, also for somebody whose queue is short; the same few ids over and over (R1.13), or only ids of the
// bus's own; clients may have windows.
func newCompared(t failer, s start) *pair {
	c := model.Config{
		MaxMessages: pick([]uint32{2, 1, 3, 4, 100, 1, 2, 0}, s.queues),
		MaxSetAside: pick([]int{5, 1, 0, 2}, s.aside),
	}
	if s.counters%4 == 3 {
		c.FirstKsock, c.FirstSerial = 1<<32-3, 1<<32-20 // R1.7, R1.12
	}
	p := newPair(t, c)
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
	p.windows = s.flavour&16 != 0
	p.sameIDs, p.ownIDs = s.flavour&12 == 4, s.flavour&8 != 0
	p.settle()
	return p
}

// do does one operation. Earlier ones in the table are likelier, because rapid likes small numbers.
func (p *pair) do(o op) {
	if len(p.ksocks) == 0 {
		p.open()
	}
	k := p.ksocks[int(o.k)%len(p.ksocks)]
	table[int(o.code)%len(table)](p, k, o)
	for len(p.lent) > int(o.choice)%4 {
		p.release(int(o.number) % len(p.lent))
	}
	p.settle()
	if o.code%8 == 0 {
		p.checkNames(bindingNames)
	}
}

var table = []func(p *pair, k *ksock, o op){
	func(p *pair, k *ksock, o op) { p.receive(p.prefer(k, o, p.hasMessages), o) },
	func(p *pair, k *ksock, o op) { p.request(k, o) },
	func(p *pair, k *ksock, o op) { p.reply(p.prefer(k, o, hasRead), o) },
	func(p *pair, k *ksock, o op) { p.announce(k, o) },
	func(p *pair, k *ksock, o op) { p.bind(k, pick(bindingNames, o.name), false) },
	func(p *pair, k *ksock, o op) { p.bind(k, pick(bindingNames, o.name), true) },
	func(p *pair, k *ksock, o op) { p.poll(p.prefer(k, o, isSending)) },
	func(p *pair, k *ksock, o op) { p.request(k, o) },
	func(p *pair, k *ksock, o op) { p.announce(k, o) },
	func(p *pair, k *ksock, o op) { p.reply(p.prefer(k, o, hasRead), o) },
	func(p *pair, k *ksock, o op) { p.unbindSomething(k, o) },
	func(p *pair, k *ksock, o op) { p.receive(p.prefer(k, o, p.hasMessages), o) },
	func(p *pair, k *ksock, o op) { p.close(k) },
	func(p *pair, k *ksock, o op) { p.openMore() },
	func(p *pair, k *ksock, o op) { p.maxMessages(k, uint32(o.number%6)) },
	func(p *pair, k *ksock, o op) { p.resend(p.prefer(k, o, isSending)) },
	func(p *pair, k *ksock, o op) { p.nextSomeReply(p.prefer(k, o, p.hasMessages), o) },
	func(p *pair, k *ksock, o op) { p.reportReplierBinds(k, pick(switches, o.number)) },
	func(p *pair, k *ksock, o op) { p.onlyOnce(k, pick(switches, o.number)) },
	func(p *pair, k *ksock, o op) { p.bind(k, message.NameReplierBindEvent, false) },
	func(p *pair, k *ksock, o op) { p.discard(p.prefer(k, o, isSending)) },
	func(p *pair, k *ksock, o op) { p.unbind(k, pick(bindingNames, o.name), o.number%2 == 1) },
	func(p *pair, k *ksock, o op) { p.refused(k, o) },
}

// prefer is the first Ksock from k on for which the operation would do something; or just k, sometimes.
func (p *pair) prefer(k *ksock, o op, does func(*ksock) bool) *ksock {
	for i := range p.ksocks {
		next := p.ksocks[(int(o.k)+i)%len(p.ksocks)]
		if does(next) && o.choice != 7 {
			return next
		}
	}
	return k
}

func (p *pair) hasMessages(k *ksock) bool { return p.model.NumMessages(k.m) > 0 }
func hasRead(k *ksock) bool               { return len(k.read) > 0 && !k.m.Sending() }
func isSending(k *ksock) bool             { return k.m.Sending() }

// receive has a Ksock read a message, or look at some through its window.
func (p *pair) receive(k *ksock, o op) {
	switch {
	case !p.windows || o.number%4 == 0:
		p.next(k)
	case k.window == nil || len(k.window.shown) == 0:
		for range o.choice%4 + 1 {
			p.show(k)
		}
	default:
		p.take(k)
	}
}

func (p *pair) openMore() {
	if len(p.ksocks) < 6 {
		p.open()
	}
}

// refused does what is mostly refused, and what changes little.
func (p *pair) refused(k *ksock, o op) {
	switch o.choice % 8 {
	case 0:
		p.unbind(k, pick(badNames, o.name), o.number%2 == 1)
	case 1:
		p.verbose(pick(switches, o.number))
	case 2:
		p.maxMessageBytes(pick(sizes, o.number))
	case 3:
		if o.number == 7 && o.name == 7 {
			p.stop()
		}
	default:
		p.bind(k, pick(badNames, o.name), o.number%2 == 1)
	}
}

var (
	sentNames    = []string{"$.A", "$.A.B", "$.B", "$.A.B.C", "$.KBUS.ReplierBindEvent", "$.KBUS.Replier.GoneAway"}
	bindingNames = append([]string{"$.*", "$.A.*", "$.A.%", "$.%", "$.KBUS.*", "$.A.B.*", "$.KBUS.%"}, sentNames...)
	badNames     = []string{
		"", "$.", "$", "$.A.", "$.A..B", "$..A", "$.*.A", "$.A*", "$.A_B", "$.\xc0", "$.A.**",
		"$." + strings.Repeat("x", 998), "$." + strings.Repeat("x", 999),
	}
	switches  = []uint32{1, 0, 1, 0xFFFFFFFF, 0, 1, 2}
	sizes     = []uint32{0, 1, 2, 99, 100, 409600, 409601}
	sendFlags = []message.Flags{
		0, message.AllOrWait, message.AllOrFail, message.Urgent, message.AllOrWait, message.AllOrWait | message.Urgent,
		message.AllOrFail | message.Urgent, message.AllOrWait, 0xABCD00F6 &^ message.WantAReply,
	}
)

func pick[V any](from []V, n uint8) V { return from[int(n)%len(from)] }

// message makes a message that is none of Request and Reply yet.
func (o op) message() message.Message {
	m := message.Message{Name: pick(sentNames, o.name), Header: message.Header{Flags: pick(sendFlags, o.flags)}}
	switch o.number {
	case 1:
		m.ID = message.ID{Network: 9, Serial: uint32(o.choice % 3)} // R1.11, R1.13
	case 2:
		m.ID = message.ID{Serial: 77}
	case 3:
		m.To, m.From, m.Extra = 1, 77, 9
		m.OrigFrom, m.FinalTo = message.Origin{Network: 3, Local: 1}, message.Origin{Local: 4}
	}
	if n := int(o.number); n > 3 {
		m.Data = []byte(strings.Repeat(string('a'+rune(o.choice)), n*n*n))
	}
	return m
}

func (p *pair) trySend(k *ksock, m message.Message) {
	if p.sameIDs && len(m.Data)%2 == 0 {
		m.ID = message.ID{Network: 9, Serial: m.ID.Serial % 2}
	}
	if p.ownIDs {
		m.ID.Network = 0
	}
	if !k.m.Sending() {
		p.send(k, m)
	}
}

func (p *pair) announce(k *ksock, o op) { p.trySend(k, o.message()) }

// request sends a Request, stateful to the Replier, or to just anybody.
func (p *pair) request(k *ksock, o op) {
	m := o.message()
	m.Flags |= message.WantAReply
	for i := range sentNames { // rather one that has a Replier
		name := pick(sentNames, o.name+uint8(i))
		if replier, _ := p.model.Who(name); replier != 0 && o.choice < 7 {
			m.Name = name
			break
		}
	}
	switch o.choice {
	case 5:
		m.To, _ = p.model.Who(m.Name)
	case 6:
		m.To = uint32(o.number) + 1
	case 7: // on behalf of what was asked before, as if a Limpet passed it on
		if len(p.asked) > 0 {
			m.ID = message.ID{Network: 9, Serial: pick(p.asked, o.number).ID.Serial}
		}
	}
	p.trySend(k, m)
}

// reply answers what this Ksock has read, or what it never heard of; a Reply may be a Request as well (R4.17).
func (p *pair) reply(k *ksock, o op) {
	m := o.message()
	requests := k.read
	if o.choice%4 == 3 {
		requests = p.asked
	}
	if len(requests) == 0 {
		return
	}
	request := requests[len(requests)-1-int(o.choice/4)%len(requests)]
	if o.choice%2 == 0 { // and never again
		k.read = slices.DeleteFunc(slices.Clone(k.read), func(h message.Header) bool { return h == request })
	}
	m.InReplyTo, m.To = request.ID, request.From
	switch {
	case o.number == 6:
		m.To = uint32(o.flags)
	case o.number == 7:
		m.InReplyTo.Serial++
	case o.flags%5 == 4:
		m.Flags |= message.WantAReply
	}
	if m.InReplyTo.IsZero() {
		return
	}
	p.trySend(k, m)
}

// unbindSomething takes back a binding that there is.
func (p *pair) unbindSomething(k *ksock, o op) {
	var own []model.Binding
	for _, x := range p.model.Bindings() {
		if x.Ksock == k.m.ID() {
			own = append(own, x)
		}
	}
	if len(own) > 0 {
		x := pick(own, o.name)
		p.unbind(k, x.Name, x.Replier)
	}
}

func (p *pair) nextSomeReply(k *ksock, o op) {
	id := message.ID{}
	if len(p.asked) > 0 && o.choice != 0 {
		id = pick(p.asked, o.number).ID
	}
	p.nextReply(k, id)
}

func below(n int, t *rapid.T) uint8 { return rapid.Uint8Range(0, uint8(n-1)).Draw(t, "number") }

var randomStart = rapid.Custom(func(t *rapid.T) start { return start{below(8, t), below(8, t), below(8, t), below(32, t)} })

var randomOp = rapid.Custom(func(t *rapid.T) op {
	return op{
		code: below(len(table), t), k: below(6, t), name: below(len(bindingNames), t),
		flags: below(len(sendFlags), t), choice: below(8, t), number: below(8, t),
	}
})

// TestCompare compares the bus with the model on random operations, -model.ops of them. A failure says how to repeat it
// with -rapid.seed, and shows the shortest script that was found.
func TestCompare(t *testing.T) {
	for name, value := range map[string]string{
		"rapid.checks":     strconv.Itoa((*wantOps + stepsPerRun - 1) / stepsPerRun),
		"rapid.steps":      strconv.Itoa(stepsPerRun),
		"rapid.nofailfile": "true",
	} {
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	ops := 0
	rapid.Check(t, func(t *rapid.T) {
		p := newCompared(t, randomStart.Draw(t, "start"))
		t.Repeat(map[string]func(*rapid.T){"": func(*rapid.T) {}, "do": func(t *rapid.T) {
			p.do(randomOp.Draw(t, "op"))
			ops++
		}})
		p.finish()
	})
	t.Logf("%d operations", ops)
}

// FuzzOperations compares the bus with the model on operations that are made from bytes, six for each, after four that
// say how it begins.
func FuzzOperations(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 4 {
			return
		}
		p := newCompared(t, start{b[0], b[1], b[2], b[3]})
		for b = b[4:]; len(b) >= 6; b = b[6:] {
			p.do(op{b[0], b[1], b[2], b[3], b[4], b[5]})
		}
		p.finish()
	})
}
