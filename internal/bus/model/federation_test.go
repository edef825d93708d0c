package model_test

import (
	"bytes"

	"kbus/internal/bus"
	"kbus/message"
)

// What a Limpet does to a bus beside what everybody may.

// overhear sends a message of any kind to Listeners only, as the copy of what was said on another bus.
func (p *pair) overhear(k *ksock, o op) {
	if k.m.Sending() {
		return
	}
	m := o.message()
	if p.ownIDs {
		m.ID.Network = 0
	}
	if o.choice%2 == 0 {
		m.Flags |= message.WantAReply
	}
	if o.choice%4 > 1 {
		m.InReplyTo, m.To = message.ID{Network: 9, Serial: 1}, uint32(o.flags)
	}
	p.say("%d overhear %q id=%v in_reply_to=%v flags=%v data=%q", k.m.ID(), m.Name, m.ID, m.InReplyTo, m.Flags, m.Data)
	want := p.model.SendToListeners(k.m, m)
	p.came(want.ID, want.Reached, want.Skipped, want.Err.Name())
	k.due = false
	got := p.bus.SendToListeners(k.b, &m.Header, []byte(m.Name), bytes.Clone(m.Data))
	same(p, "SendToListeners", got, bus.Outcome(want))
}

// evictSomething takes a Replier's binding away, if there is one.
func (p *pair) evictSomething(k *ksock, o op) {
	name := pick(bindingNames, o.name)
	for _, x := range p.model.Bindings() {
		if x.Ksock == k.m.ID() && x.Replier && o.choice != 7 {
			name = x.Name
		}
	}
	p.say("%d evict %q", k.m.ID(), name)
	c := p.model.Evict(k.m, name)
	p.came(c.Name())
	same(p, "Evict", p.bus.Evict(k.b, name).Name(), c.Name())
}
