package client

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kbus.example/kbus/internal/client/model"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// TestModel does the same random things to a Core and to its twin, and compares after each what they send, what they tell
// and what they keep. The bus in between says whatever a bus may say, in any order.
func TestModel(t *testing.T) {
	for seed := range 3000 {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { newDuel(t, uint64(seed)).run() }) {
			return
		}
	}
}

// duel is a Core and its twin, and the bus that both have.
type duel struct {
	*testing.T
	*rand.Rand
	script    // the Core, and its link
	twin      *model.Client
	of        map[*model.Question]*Question
	pipe      Pipe
	piped     []*model.Question
	names     int
	id        int
	requested []int // ids that the bus has given to Requests
	did       []string
}

func newDuel(t *testing.T, seed uint64) *duel {
	d := &duel{T: t, Rand: rand.New(rand.NewPCG(seed, 1)), twin: model.New(), of: map[*model.Question]*Question{}}
	d.twin.ReadAhead = 1 + d.IntN(3)
	d.words = []string{"readahead", fmt.Sprint(d.twin.ReadAhead)}
	if d.twin.KeepLate = d.IntN(2) == 0; d.twin.KeepLate {
		d.words = append(d.words, "keeplate")
	}
	if d.twin.Window = d.IntN(2) == 0; d.twin.Window {
		d.words = append(d.words, "window")
	}
	d.begin()
	return d
}

func (d *duel) run() {
	steps := []func(){d.ask, d.ask, d.receive, d.receive, d.giveUp, d.busAnswers, d.busAnswers, d.busAnswers, d.pop, d.popReply, d.sendPiped, d.show, d.show}
	for range 60 {
		steps[d.IntN(len(steps))]()
		d.compare()
	}
	if d.IntN(4) > 0 {
		d.did = append(d.did, "lost")
		d.core.Lost("")
		d.twin.End(message.ErrBusGone)
	} else {
		d.did = append(d.did, "close")
		d.core.Close()
		d.twin.End(message.ErrClosed)
	}
	d.compare()
	for d.core.Waiting() {
		d.pop()
		d.compare()
	}
}

func (d *duel) compare() {
	d.Helper()
	var sent, told []string
	frames, _ := d.core.Out()
	for b := frames; len(b) > 0; {
		h, _, n, _ := wire.Split(b, wire.MaxResultBytes)
		sent, b = append(sent, fmt.Sprint(h.Op, " ", h.Seq)), b[n:]
	}
	d.core.SentBytes(len(frames))
	for _, q := range d.core.Completed() {
		line := fmt.Sprint(q.Tag, " ", q.Condition.Name())
		if q.Got != nil {
			line = fmt.Sprint(q.Tag, " got ", q.Got.ID.Serial)
		}
		told = append(told, line)
	}
	slices.Sort(told)
	slices.Sort(d.twin.Emitted)
	same(d, "sent", sent, d.twin.Out)
	same(d, "told", told, d.twin.Emitted)
	same(d, "outstanding", []int{d.core.Outstanding()}, []int{len(d.twin.Owed())})
	same(d, "kept", []uint32{d.core.Kept()}, []uint32{uint32(len(d.twin.Inbox) + d.twin.Held)})
	d.twin.Out, d.twin.Emitted = nil, nil
}

func same[T comparable](d *duel, what string, core, twin []T) {
	d.Helper()
	if !slices.Equal(core, twin) {
		d.Fatalf("%s: the Core %v, its twin %v\nafter %q", what, core, twin, d.did)
	}
}

// named gives both a question.
func (d *duel) named(op wire.Op) (*Question, *model.Question) {
	d.names++
	q, twin := d.core.Question(op), &model.Question{Name: fmt.Sprintf("q%d", d.names), Op: op.String()}
	q.Tag = twin.Name
	d.of[twin] = q
	return q, twin
}

func (d *duel) ask() {
	ops := []wire.Op{wire.OpSendMessage, wire.OpSendMessage, wire.OpCall, wire.OpNext, wire.OpWaitSent, wire.OpResend}
	q, twin := d.named(ops[d.IntN(len(ops))])
	switch q.Op {
	case wire.OpSendMessage, wire.OpCall:
		twin.Request = q.Op == wire.OpCall || d.IntN(2) == 0
		q.Message = &message.Message{Name: "$.A"}
		if twin.Request {
			q.Message.Flags = message.WantAReply
		}
	}
	d.did = append(d.did, fmt.Sprint(twin.Name, " = ", q.Op))
	d.core.Start(q)
	d.twin.Ask(twin)
}

func (d *duel) receive() {
	d.names++
	name := fmt.Sprintf("q%d", d.names)
	d.did = append(d.did, name+" = receive")
	d.script.words, d.said, d.at = []string{name}, nil, ""
	d.script.receive()
	told := len(d.twin.Emitted)
	d.twin.Receive(name)
	if at := d.twin.Emitted[told:]; len(d.said) > 0 { // at once, and by no completion
		q := d.questions[name]
		if q.Got != nil {
			same(d, "received", []string{fmt.Sprint(name, " got ", q.Got.ID.Serial)}, at)
		} else if len(at) != 1 {
			d.Fatalf("received %q, its twin %q\nafter %q", d.said, at, d.did)
		}
		d.twin.Emitted = d.twin.Emitted[:told]
	}
	for _, twin := range slices.Concat(d.twin.Open, d.twin.Readers) {
		if twin.Name == name {
			d.of[twin] = d.questions[name]
		}
	}
}

// giveUp cancels a question, perhaps abandons it, or takes a reader away.
func (d *duel) giveUp() {
	if n := len(d.twin.Readers); n > 0 && d.IntN(3) == 0 {
		twin := d.twin.Readers[d.IntN(n)]
		d.did = append(d.did, twin.Name+" waits no more")
		d.core.Withdraw(d.of[twin])
		d.twin.StopWaiting(twin)
		return
	}
	open := slices.DeleteFunc(slices.Clone(d.twin.Open), func(q *model.Question) bool { return q.Orphan || q.Canceled || q.Piped })
	if len(open) == 0 {
		return
	}
	twin := open[d.IntN(len(open))]
	d.did = append(d.did, "cancel "+twin.Name)
	d.core.Cancel(d.of[twin])
	d.twin.Cancel(twin)
	if d.IntN(2) == 0 {
		d.did = append(d.did, "abandon "+twin.Name)
		d.core.Abandon(d.of[twin])
		twin.Orphan = true
	}
}

// newMessage makes one; some are answers to Requests, to us or to others.
func (d *duel) newMessage() (*message.Message, model.Message) {
	d.id++
	m := &message.Message{Name: "$.A", Header: message.Header{ID: message.ID{Serial: uint32(d.id)}, From: 2}}
	twin := model.Message{ID: d.id}
	if d.IntN(2) == 0 {
		twin.Ours = d.IntN(4) > 0
		if twin.ReplyTo = d.IntN(d.id + 3); len(d.requested) > 0 && d.IntN(3) > 0 {
			twin.ReplyTo = d.requested[d.IntN(len(d.requested))]
		}
		m.InReplyTo.Serial, m.To = uint32(twin.ReplyTo), 9
		if twin.Ours {
			m.To = 1
		}
	}
	return m, twin
}

// busAnswers answers any question that is open; those of Pipes in their order.
func (d *duel) busAnswers() {
	if len(d.twin.Open) == 0 {
		return
	}
	twin := d.twin.Open[d.IntN(len(d.twin.Open))]
	if twin.Piped {
		twin = d.piped[0]
		d.piped = d.piped[1:]
	}
	h := wire.Header{Op: opNamed(twin.Op), Seq: uint32(twin.Seq)}
	var payload []byte
	var messages []model.Message
	id, most := 0, 0
	choose := func(c ...message.Condition) { h.Condition = c[d.IntN(len(c))] }
	switch h.Op {
	case wire.OpSendMessage:
		choose(message.OK, message.OK, message.ErrPending, message.ErrStillSending, message.ErrNoReplier)
	case wire.OpResend:
		choose(message.OK, message.ErrPending, message.ErrNoReplier)
	case wire.OpNext:
		most = d.IntN(d.twin.ReadAhead + 1)
	case wire.OpNextWait, wire.OpCall:
		if most = 1; h.Op == wire.OpNextWait && !d.twin.Window {
			most += d.IntN(d.twin.ReadAhead)
		}
		if twin.Canceled {
			choose(message.OK, message.ErrCanceled)
		}
	}
	if accepted := h.Condition == message.OK || h.Condition == message.ErrPending; accepted && (h.Op == wire.OpSendMessage || h.Op == wire.OpResend) {
		d.id++
		id = d.id
		d.requested = append(d.requested, id)
		payload = wire.AppendSent(nil, wire.Sent{ID: message.ID{Serial: uint32(id)}})
	}
	if h.Op == wire.OpCall && h.Condition == message.ErrCanceled {
		d.id++
		id = d.id
		d.requested = append(d.requested, id)
		payload = wire.AppendID(nil, message.ID{Serial: uint32(id)})
	}
	if h.Condition == message.OK {
		for range most {
			m, t := d.newMessage()
			payload = wire.AppendMessage(payload, &m.Header, []byte(m.Name), nil)
			messages = append(messages, t)
			h.Arg++
		}
	}
	d.did = append(d.did, fmt.Sprintf("the bus answers %s %d with %s, id %d, %v", twin.Op, twin.Seq, h.Condition.Name(), id, messages))
	d.said = nil
	d.receiveBytes(wire.AppendFrame(nil, h, payload))
	if len(d.said) > 0 {
		d.Fatalf("%q\nafter %q", d.said, d.did)
	}
	d.twin.Answer(twin, h.Condition.Name(), id, messages)
}

func (d *duel) pop() {
	m, twin := d.core.Pop(nil), model.Message{}
	t, ok := d.twin.Pop()
	d.did = append(d.did, "pop")
	d.sameMessage(m, t, ok, twin)
}

func (d *duel) popReply() {
	if len(d.requested) == 0 {
		return
	}
	request := d.requested[d.IntN(len(d.requested))]
	d.did = append(d.did, fmt.Sprint("reply to ", request))
	m := d.core.PopReply(message.ID{Serial: uint32(request)})
	t, ok := d.twin.PopReply(request)
	d.sameMessage(m, t, ok, model.Message{})
}

func (d *duel) sameMessage(m *message.Message, t model.Message, ok bool, got model.Message) {
	d.Helper()
	if m != nil {
		got = model.Message{ID: int(m.ID.Serial), ReplyTo: int(m.InReplyTo.Serial), Ours: m.To == 1}
	}
	if ok != (m != nil) || got != t {
		d.Fatalf("got %v, the twin %v %v\nafter %q", got, t, ok, d.did)
	}
}

func (d *duel) sendPiped() {
	m, twin := &message.Message{Name: "$.A"}, &model.Question{Op: "SendMessage", Piped: true}
	if d.IntN(2) == 0 {
		m.Flags, twin.Request = message.WantAReply, true
	}
	d.did = append(d.did, "pipe")
	d.core.Pipe(&d.pipe, m)
	d.twin.Ask(twin)
	d.piped = append(d.piped, twin)
}

func (d *duel) show() {
	if !d.twin.Window {
		return
	}
	m, twin := d.newMessage()
	d.did = append(d.did, fmt.Sprintf("the window shows %v", twin))
	d.window.list = append(d.window.list, shownMessage{Message: *m})
	if d.window.expected {
		if err := d.core.ServeReaders(); err != nil {
			d.Fatal(err)
		}
	}
	d.twin.Show(twin)
}
