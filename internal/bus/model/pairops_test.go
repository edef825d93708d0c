package model_test

import (
	"bytes"
	"slices"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/bus/model"
	"kbus.example/kbus/message"
)

// The operations on a pair: each is done to the bus and to its model, and the outcomes compared.

// open opens an original Ksock, or one that is not.
func (p *pair) open() {
	original := p.kinds == 0 || p.kinds == 1 && len(p.ksocks)%2 == 0
	p.say("open original %v", original)
	uid := 1000 + p.opened%3
	p.opened++
	p.came("for", uid)
	b, c := p.bus.Open(bus.Owner{UID: uid, PID: uint32(len(p.script)), Original: original})
	k := &ksock{b: b, m: p.model.Open(uid, original)}
	k.seen = model.Client{ID: k.m.ID(), Copies: 2} // as requester and as Replier
	same(p, "Open", c, message.OK)
	same(p, "id", b.ID(), k.m.ID())
	p.ksocks = append(p.ksocks, k)
	p.came(b.ID())
}

func (p *pair) close(k *ksock) {
	p.say("%d close", k.m.ID())
	i := p.model.KsockInfo(k.m)
	k.seen.Left = i.Sending || i.Outstanding+i.Queued+i.SetAside > 0
	p.history = append(p.history, k.seen)
	p.later(func() { p.bus.Close(k.b) })
	p.model.Close(k.m)
	for i := range p.ksocks {
		if p.ksocks[i] == k {
			p.ksocks = append(p.ksocks[:i:i], p.ksocks[i+1:]...)
			return
		}
	}
}

func role(replier bool) string {
	if replier {
		return "replier"
	}
	return "listener"
}

func (p *pair) bind(k *ksock, name string, replier bool) {
	p.say("%d bind %s %q", k.m.ID(), role(replier), name)
	c := p.model.Bind(k.m, name, replier)
	p.came(c.Name())
	k.seen.Copies++
	same(p, "Bind", p.bus.Bind(k.b, name, replier).Name(), c.Name())
}

func (p *pair) standBy(k *ksock, name string) {
	p.say("%d bind standby %q", k.m.ID(), name)
	c := model.StandBy(p.model, k.m, name)
	p.came(c.Name())
	k.seen.Copies++
	same(p, "StandBy", bus.StandBy(p.bus, k.b, name).Name(), c.Name())
}

func (p *pair) unbind(k *ksock, name string, replier bool) {
	p.say("%d unbind %s %q", k.m.ID(), role(replier), name)
	var got message.Condition
	p.later(func() { got = p.bus.Unbind(k.b, name, replier) })
	c := p.model.Unbind(k.m, name, replier)
	p.came(c.Name())
	same(p, "Unbind", got.Name(), c.Name())
}

// later has the bus do something that may bring Statuses, and tells the model whether they come now.
func (p *pair) later(do func()) {
	before := p.bus.Owing()
	do()
	p.model.Later(p.bus.Owing() > before)
}

// sweep has the bus go on with what it does in pieces.
func (p *pair) sweep(steps int) {
	owed := p.bus.Owing()
	p.say("sweep %d", steps)
	p.bus.Sweep(steps)
	p.came("Statuses", owed-p.bus.Owing())
	model.Pay(p.model, owed-p.bus.Owing())
}

// send sends what a caller of the bus may hand to it: in form, and not while sending.
func (p *pair) send(k *ksock, m message.Message) {
	p.say("%d send %q id=%v extra=%d in_reply_to=%v to=%d orig_from=%v flags=%v data=%q trace=%v",
		k.m.ID(), m.Name, m.ID, m.Extra, m.InReplyTo, m.To, m.OrigFrom, m.Flags, m.Data, m.Trace)
	want := p.model.Send(k.m, m)
	p.came(want.ID, want.Reached, want.Skipped, want.Err.Name())
	k.due = false
	h, name, data := m.Header, []byte(m.Name), bytes.Clone(m.Data)
	trace := message.AppendTrace(nil, m.Trace)
	got := bus.SendTraced(p.bus, k.b, &h, name, data, trace)
	same(p, "Send", got, bus.Outcome(want))
	for _, b := range [][]byte{name, data, trace} { // which are the caller's again
		for i := range b {
			b[i] = '!'
		}
	}
	if m.Flags.Has(message.WantAReply) {
		m.ID, m.From = p.model.LastSent(k.m), k.m.ID()
		p.asked = append(p.asked[max(0, len(p.asked)-7):], m.Header)
		k.ask(m.ID, want.Err)
	}
}

func (p *pair) resend(k *ksock) {
	p.say("%d resend", k.m.ID())
	want := p.model.Resend(k.m)
	p.came(want.ID, want.Reached, want.Skipped, want.Err.Name())
	k.due = false
	switch want.Err {
	case message.OK, message.ErrPending, message.ErrNothingToSend:
	default:
		k.forget(p.model.LastSent(k.m)) // the caller knows
	}
	same(p, "Resend", p.bus.Resend(k.b), bus.Outcome(want))
}

func (p *pair) poll(k *ksock) {
	p.say("%d poll", k.m.ID())
	readable, sending := p.model.Poll(k.m)
	p.came("readable", readable, "sending", sending)
	k.due = false
	gotReadable, gotSending := p.bus.Poll(k.b)
	same(p, "Poll readable", gotReadable, readable)
	same(p, "Poll sending", gotSending, sending)
}

func (p *pair) discard(k *ksock) {
	p.say("%d discard", k.m.ID())
	if k.m.Sending() {
		k.forget(p.model.LastSent(k.m))
	}
	p.model.Discard(k.m)
	p.bus.Discard(k.b)
}

func (p *pair) next(k *ksock) {
	p.say("%d next", k.m.ID())
	want, wantOK := p.model.Next(k.m)
	got, ok := p.bus.Next(k.b)
	p.taken(k, got, ok, want, wantOK)
	p.remember(k, want, wantOK, false)
}

func (p *pair) nextReply(k *ksock, request message.ID) {
	p.say("%d next reply to %v", k.m.ID(), request)
	want, wantOK := p.model.NextReply(k.m, request)
	got, ok := p.bus.NextReply(k.b, request)
	p.taken(k, got, ok, want, wantOK)
	p.remember(k, want, wantOK, true)
}

// nextAnswer wants the answers to some of the Requests that were sent of late.
func (p *pair) nextAnswer(k *ksock, requests []message.Header) {
	var ids []message.ID
	for _, h := range requests {
		ids = append(ids, h.ID)
	}
	wanted := func(id message.ID) bool { return slices.Contains(ids, id) }
	if len(p.script)%5 == 0 {
		p.say("%d overlooks what is queued", k.m.ID())
		p.bus.Overlook(k.b)
		model.Overlook(k.m)
	}
	p.say("%d next answer to any of %v", k.m.ID(), ids)
	want, wantOK := p.model.NextAnswer(k.m, wanted)
	got, ok := p.bus.NextAnswer(k.b, wanted)
	p.taken(k, got, ok, want, wantOK)
	p.remember(k, want, wantOK, true)
}

func (p *pair) taken(k *ksock, got bus.Delivery, ok bool, want message.Message, wantOK bool) {
	p.checkTaken(k, got.Header, got.Name, got.Data, got.Missed, traceOf(got, ok), ok, want, wantOK)
	if ok {
		p.lent = append(p.lent, loan{got, want})
	}
}

func traceOf(d bus.Delivery, ok bool) []byte {
	if !ok {
		return nil
	}
	return d.Trace()
}

func (p *pair) checkTaken(
	k *ksock, h message.Header, name, data []byte, missed uint32, trace []byte, ok bool, want message.Message, wantOK bool,
) {
	if wantOK {
		p.came(&want, "extra", want.Extra)
	} else {
		p.came("nothing")
	}
	same(p, "there is a message", ok, wantOK)
	if !ok {
		return
	}
	same(p, "header", h, want.Header)
	same(p, "missed before it", missed, want.Missed)
	same(p, "name", string(name), want.Name)
	same(p, "data", string(data), string(want.Data))
	same(p, "trace context", string(trace), string(message.AppendTrace(nil, want.Trace)))
	if want.WantsUsToReply() {
		k.read = append(k.read[max(0, len(k.read)-7):], want.Header)
	}
}

func (p *pair) giveUp(k *ksock, request message.ID) {
	p.say("%d give up %v", k.m.ID(), request)
	given := p.model.GiveUp(k.m, request)
	p.came(given)
	p.bus.GiveUp(k.b, request)
	if given {
		k.forget(request)
		k.seen.GaveUp = append(k.seen.GaveUp, request)
	}
}

func (p *pair) maxMessages(k *ksock, n uint32) {
	p.say("%d max messages %d", k.m.ID(), n)
	same(p, "SetMaxMessages", p.bus.SetMaxMessages(k.b, n), p.model.SetMaxMessages(k.m, n))
}

// setting is what an operation that gives a number or fails came to.
func (p *pair) setting(got uint32, gotErr message.Condition, want uint32, wantErr message.Condition) {
	p.came(want, wantErr.Name())
	same(p, "condition", gotErr.Name(), wantErr.Name())
	if wantErr == message.OK {
		same(p, "value", got, want)
	}
}

func (p *pair) onlyOnce(k *ksock, v uint32) {
	p.say("%d only once %d", k.m.ID(), v)
	got, gotErr := p.bus.OnlyOnce(k.b, v)
	want, wantErr := p.model.OnlyOnce(k.m, v)
	p.setting(got, gotErr, want, wantErr)
}

func (p *pair) reportReplierBinds(k *ksock, v uint32) {
	p.say("%d report replier binds %d", k.m.ID(), v)
	got, gotErr := p.bus.ReportReplierBinds(k.b, v)
	want, wantErr := p.model.ReportReplierBinds(k.m, v)
	p.setting(got, gotErr, want, wantErr)
}

func (p *pair) verbose(v uint32) {
	p.say("verbose %d", v)
	got, gotErr := p.bus.Verbose(nil, v)
	want, wantErr := p.model.Verbose(v)
	p.setting(got, gotErr, want, wantErr)
}

func (p *pair) maxMessageBytes(n uint32) {
	p.say("max message bytes %d", n)
	got, gotErr := p.bus.SetMaxMessageBytes(nil, n)
	want, wantErr := p.model.SetMaxMessageBytes(n)
	p.setting(got, gotErr, want, wantErr)
}

func (p *pair) describe(k *ksock, name string, card []byte) {
	p.say("%d describe %q with %d bytes", k.m.ID(), name, len(card))
	c := model.Describe(p.model, k.m, name, card)
	p.came(c.Name())
	same(p, "Describe", bus.Describe(p.bus, k.b, name, card).Name(), c.Name())
}

func (p *pair) setStartable(names []string) {
	p.say("startable %v", names)
	p.later(func() { p.bus.SetStartable(names) })
	model.SetStartable(p.model, names)
}

func (p *pair) notStarted(name string) {
	p.say("not started %s", name)
	p.later(func() { p.bus.NotStarted(name, "it broke") })
	model.NotStarted(p.model, name, "it broke")
}

func (p *pair) stop() {
	p.say("stop")
	p.later(p.bus.Stop)
	p.model.Stop()
}
