package model_test

import (
	"bytes"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
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
		m.InReplyTo, m.To = message.ID{Network: 9, Serial: 1}, message.KsockID(o.flags)
	}
	p.overhearMessage(k, m)
}

func (p *pair) overhearMessage(k *ksock, m message.Message) {
	p.say("%d overhear %q id=%v extra=%d in_reply_to=%v flags=%v data=%q", k.m.ID(), m.Name, m.ID, m.Extra, m.InReplyTo, m.Flags,
		m.Data)
	want := p.model.SendToListeners(k.m, m)
	p.came(want.ID, want.Reached, want.Skipped, want.Err.Name())
	k.due = false
	got := p.bus.SendToListeners(k.b, &m.Header, []byte(m.Name), bytes.Clone(m.Data), message.AppendTrace(nil, m.Trace))
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
	var got message.Condition
	p.later(func() { got = p.bus.Evict(k.b, name) })
	c := p.model.Evict(k.m, name)
	p.came(c.Name())
	same(p, "Evict", got.Name(), c.Name())
}

// carrySomething has a Ksock carry a message of any kind from another bus, to all or to Listeners only; or join the bus,
// or stand for a Replier elsewhere.
func (p *pair) carrySomething(k *ksock, o op) {
	carries := p.carriers[k]
	switch {
	case !carries || o.choice == 7:
		p.carry(k, pick([]uint32{5, 0, 5, 6, 5}, o.number))
	case o.choice == 6:
		p.bindProxy(k, pick(bindingNames, o.name), message.Origin{Network: 7, Local: uint32(o.number)})
	case k.m.Sending():
	default:
		m := o.message()
		m.ID = message.ID{Network: pick([]uint32{7, 7, 8, 5}, o.flags), Serial: pick(carriedSerials, o.number)}
		m.Extra = pick([]uint32{33, 33, 34, 0, 33, 1}, o.name)
		if p.ownIDs { // as the history is checked, each must be another
			return
		}
		switch o.choice {
		case 0, 1:
			m.Flags |= message.WantAReply
			p.trySend(k, m)
		case 2:
			if len(k.read) == 0 {
				return
			}
			request := k.read[len(k.read)-1]
			m.InReplyTo, m.To = request.ID, request.From
			p.trySend(k, m)
		case 3:
			p.overhearMessage(k, m)
		default:
			p.trySend(k, m)
		}
	}
}

// carriedSerials are near each other, at the edge of what is remembered and beyond it, and around where numbers wrap.
var carriedSerials = []uint32{1, 2, 1 << 12, 1<<12 + 1, 1<<13 + 7, 1<<32 - 1, 1<<32 - 4096, 3}

func (p *pair) carry(k *ksock, network uint32) {
	p.say("%d carry %d", k.m.ID(), network)
	want, c := p.model.Carry(k.m, network)
	got, gotC := p.bus.Carry(k.b, network)
	p.setting(got, gotC, want, c)
	if c == message.OK {
		if p.carriers == nil {
			p.carriers = map[*ksock]bool{}
		}
		p.carriers[k] = true
	}
}

func (p *pair) bindProxy(k *ksock, name string, of message.Origin) {
	p.say("%d bind proxy %q of %v", k.m.ID(), name, of)
	c := p.model.BindProxy(k.m, name, of)
	p.came(c.Name())
	k.seen.Copies++
	same(p, "BindProxy", p.bus.BindProxy(k.b, name, of).Name(), c.Name())
}
