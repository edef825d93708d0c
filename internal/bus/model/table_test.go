package model_test

import (
	"slices"
	"strings"

	"kbus.example/kbus/internal/bus/model"
	"kbus.example/kbus/message"
)

// What the numbers of an operation mean. A number picks from a list, and the lists are short, so that things meet; what
// would do nothing at this moment is turned into something near that does, most of the time.

var table = []func(p *pair, k *ksock, o op){
	func(p *pair, k *ksock, o op) { p.receive(p.prefer(k, o, p.hasMessages), o) },
	func(p *pair, k *ksock, o op) { p.request(k, o) },
	func(p *pair, k *ksock, o op) { p.reply(p.prefer(k, o, hasRead), o) },
	func(p *pair, k *ksock, o op) { p.announce(k, o) },
	func(p *pair, k *ksock, o op) { p.bind(k, pick(bindingNames, o.name), false) },
	func(p *pair, k *ksock, o op) { p.bind(k, pick(bindingNames, o.name), true) },
	func(p *pair, k *ksock, o op) { p.standBy(k, pick(bindingNames, o.name)) },
	func(p *pair, k *ksock, o op) { p.poll(p.prefer(k, o, isSending)) },
	func(p *pair, k *ksock, o op) { p.request(k, o) },
	func(p *pair, k *ksock, o op) { p.announce(k, o) },
	func(p *pair, k *ksock, o op) { p.reply(p.prefer(k, o, hasRead), o) },
	func(p *pair, k *ksock, o op) { p.unbindSomething(k, o) },
	func(p *pair, k *ksock, o op) { p.receive(p.prefer(k, o, p.hasMessages), o) },
	func(p *pair, k *ksock, o op) { p.close(k) },
	func(p *pair, k *ksock, o op) { p.openMore() },
	func(p *pair, k *ksock, o op) { p.maxMessages(k, uint32(o.number%6)) },
	func(p *pair, k *ksock, o op) { p.nextSomeReply(p.prefer(k, o, p.hasMessages), o) },
	func(p *pair, k *ksock, o op) { p.resend(p.prefer(k, o, isSending)) },
	func(p *pair, k *ksock, o op) { p.nextSomeReply(p.prefer(k, o, p.hasMessages), o) },
	func(p *pair, k *ksock, o op) { p.reportReplierBinds(k, pick(switches, o.number)) },
	func(p *pair, k *ksock, o op) { p.onlyOnce(k, pick(switches, o.number)) },
	func(p *pair, k *ksock, o op) { p.bind(k, message.NameReplierBindEvent, false) },
	func(p *pair, k *ksock, o op) { p.discard(p.prefer(k, o, isSending)) },
	func(p *pair, k *ksock, o op) { p.unbind(k, pick(bindingNames, o.name), o.number%2 == 1) },
	func(p *pair, k *ksock, o op) { p.refused(k, o) },
	func(p *pair, k *ksock, o op) { p.overhear(k, o) },
	func(p *pair, k *ksock, o op) { p.evictSomething(k, o) },
	func(p *pair, k *ksock, o op) { p.carrySomething(k, o) },
	func(p *pair, k *ksock, o op) { p.carrySomething(k, o) },
	func(p *pair, k *ksock, o op) { p.giveUpSomething(k, o) },
	func(p *pair, k *ksock, o op) { p.giveUpSomething(k, o) },
	func(p *pair, k *ksock, o op) { p.tell(k, o) },
	func(p *pair, k *ksock, o op) { p.tell(k, o) },
	func(p *pair, k *ksock, o op) { p.startSomething(k, o) },
	func(p *pair, k *ksock, o op) { p.describeSomething(k, o) },
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

// describeSomething attaches a card, mostly where that can be.
func (p *pair) describeSomething(k *ksock, o op) {
	name := pick(bindingNames, o.name)
	for _, x := range p.model.Bindings() {
		if x.Ksock == k.m.ID() && (x.Replier || x.Standby) && o.choice != 7 {
			name = x.Name
		}
	}
	p.describe(k, name, []byte(strings.Repeat("c", pick([]int{0, 10, 300, 700, 16384, 16385}, o.number))))
}

var startableNames = []string{"$.A", "$.A.B", "$.B"}

// startSomething asks for a name that nobody answers, or says that it was not started.
func (p *pair) startSomething(k *ksock, o op) {
	name := pick(startableNames, o.name)
	switch {
	case !p.starts || o.choice < 4:
		m := o.message()
		m.Name, m.To = name, 0
		m.Flags |= message.WantAReply
		p.trySend(k, m)
	case o.choice == 4 && o.number == 7:
		p.setStartable(startableNames[:o.flags%4])
	default:
		p.notStarted(name)
	}
}

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
	if o.choice == 3 || o.choice == 6 {
		m.Trace = &message.Trace{Parent: strings.Repeat("0-", 1+int(o.flags)), State: strings.Repeat("x", 20*int(o.number%5))}
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

// tell sends plain announcements of one name one after the other, rather of one that has Listeners: what goes a quick way.
// Another number says whether it may.
func (p *pair) tell(k *ksock, o op) {
	name := pick(sentNames, o.name)
	for i := range sentNames {
		if _, listeners := p.model.Who(pick(sentNames, o.name+uint8(i))); len(listeners) > 0 {
			name = pick(sentNames, o.name+uint8(i))
			break
		}
	}
	for i := range int(o.flags%4) + 2 {
		if p.paths == eitherPath {
			p.bus.SetQuick(o.choice>>i&1 == 0)
		}
		m := o.message()
		m.Header, m.Name, m.Trace = message.Header{To: m.To, From: m.From, Extra: m.Extra, OrigFrom: m.OrigFrom}, name, nil
		p.trySend(k, m)
		p.follow()
	}
}

// request sends a Request, sometimes a stateful one, to the Replier or to somebody else.
func (p *pair) request(k *ksock, o op) {
	m := o.message()
	m.Flags |= message.WantAReply
	for i := range sentNames { // rather a name that has a Replier
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
		m.To = message.KsockID(o.number) + 1
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
		m.To = message.KsockID(o.flags)
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
		p.unbind(k, x.Name, x.Replier || x.Standby)
	}
}

// giveUpSomething has a Ksock not want an answer any more, mostly one of its own.
func (p *pair) giveUpSomething(k *ksock, o op) {
	for i := range p.asked {
		h := pick(p.asked, o.number+uint8(i))
		if h.From == k.m.ID() || o.choice == 7 {
			p.giveUp(k, h.ID)
			return
		}
	}
}

// nextSomeReply has a Ksock pick an answer from its queue.
func (p *pair) nextSomeReply(k *ksock, o op) {
	if o.choice%2 == 1 {
		p.nextAnswer(k, p.asked[min(int(o.number), len(p.asked)):])
		return
	}
	id := message.ID{}
	if len(p.asked) > 0 && o.choice != 0 {
		id = pick(p.asked, o.number).ID
	}
	p.nextReply(k, id)
}
