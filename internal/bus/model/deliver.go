package model

import "kbus.example/kbus/message"

// Delivery (part 4): first everything is tested, then everything is pushed.

// delivery says which copies a message would be delivered in.
type delivery struct {
	addressee *Ksock     // of a Reply, else nil
	unwanted  *Ksock     // the addressee of a Reply that it has given up (F44)
	replier   *binding   // of a Request, else nil
	held      bool       // it has none, and is held until there is one
	listeners []*binding // those with room, newest first
	skipped   uint32
	missers   []*Ksock // Ksocks with bindings that were skipped
	bill      bill
}

// room says whether one more message fits (R4.1, R4.2).
func (k *Ksock) room() bool { return len(k.queue)+len(k.outstanding) < int(k.maxMessages) }

// plan tests a message in the order of R4.10-R4.18, as F11 and F12 amend them. It changes nothing. A bus that stops
// says so before all else. With aside only the Listeners matter (B24).
func (b *Bus) plan(k *Ksock, m copied, aside bool) (d delivery, c message.Condition) {
	isRequest, isReply := m.IsRequest() && !aside, m.IsReply() && !aside
	if isRequest && b.stopping {
		return d, message.ErrStopping
	}
	wait := m.Flags.Has(message.AllOrWait)
	replier, listeners := b.recipients(m.Name)
	d.held = isRequest && replier == nil && m.To == 0 && contains(b.startable, m.Name)
	if isRequest && replier == nil && !d.held {
		return d, message.ErrNoReplier // R4.11
	}
	if isReply {
		d.addressee = b.ksock(m.To)
		switch {
		case d.addressee == nil:
			return d, message.ErrAddresseeGone // R4.12
		case !contains(d.addressee.outstanding, m.InReplyTo) && contains(d.addressee.givenUp, m.InReplyTo):
			d.addressee, d.unwanted = nil, d.addressee
		case !contains(d.addressee.outstanding, m.InReplyTo):
			return d, message.ErrNotExpected // R4.13
		}
		switch {
		case !contains(k.unreplied, request{m.InReplyTo, m.To}):
			return d, message.ErrNotYoursToReply // F12
		}
		if d.addressee != nil {
			i := b.copy(nil, d.addressee.uid, m)
			i.bytes -= 64 // it takes the place of the open Request
			d.bill = bill{i}
		}
	}
	if d.held {
		if c := mayHold(b, k, m, &d.bill); c != message.OK {
			return d, c
		}
	}
	if isRequest && !d.held { // R4.15
		d.replier = replier
		d.bill = append(d.bill, item{uid: k.uid, bytes: 64}) // for the open Request
		switch {
		case m.To != 0 && m.To != replier.ksock.id:
			return d, message.ErrOtherReplier // R4.16, R4.44
		case b.admits(&d.bill, replier.ksock, m):
		case wait:
			return d, message.ErrPending
		default:
			return d, message.ErrReplierFull
		}
	}
	if isCarried(k, m.Message) { // B24, and what follows where buses are joined to a ring
		if c := b.known(k, m.Message); c != message.OK {
			if d.addressee == nil && d.replier == nil && d.unwanted == nil && !d.held {
				return d, c
			}
			listeners = nil
		}
	}
	for _, x := range listeners { // R4.18; one test for each binding (R4.6)
		switch {
		case b.admits(&d.bill, x.ksock, m):
			d.listeners = append(d.listeners, x)
		case wait:
			return d, message.ErrPending
		case m.Flags.Has(message.AllOrFail):
			return d, message.ErrListenerFull
		default:
			d.skipped++
			d.missers = append(d.missers, x.ksock)
		}
	}
	return d, message.OK
}

// deliver delivers a message from k, or says why not (R4.20-R4.29).
func (b *Bus) deliver(k *Ksock, m message.Message, number int, aside bool) Outcome {
	b.missed = new(missing)
	d, c := b.plan(k, copied{Message: m, number: number}, aside)
	if c != message.OK {
		return Outcome{Err: c}
	}
	out := Outcome{Skipped: d.skipped}
	if isCarried(k, m) {
		b.note(k, m)
	}
	for _, k := range d.missers {
		b.miss(k, d)
	}
	m.Flags &^= message.WantYouToReply
	if d.unwanted != nil {
		d.unwanted.givenUp = without(d.unwanted.givenUp, m.InReplyTo)
		k.unreplied = without(k.unreplied, request{m.InReplyTo, m.To})
	}
	if d.addressee != nil {
		b.push(copied{Message: m, to: d.addressee, number: number}) // R4.47, R4.48
		out.Reached++
		d.addressee.outstanding = without(d.addressee.outstanding, m.InReplyTo) // R4.26
		k.unreplied = without(k.unreplied, request{m.InReplyTo, m.To})          // R4.26; of two the last popped
	}
	if d.replier != nil {
		asked := m
		asked.Flags |= message.WantYouToReply // R4.23
		b.push(copied{Message: asked, to: d.replier.ksock, via: d.replier, number: number})
		out.Reached++
	}
	if d.held {
		hold(b, k, copied{Message: m, number: number})
	}
	if d.replier != nil || d.held {
		k.outstanding = append(k.outstanding, m.ID) // R4.27
		k.outstandingMost = max(k.outstandingMost, len(k.outstanding))
	}
	for _, x := range d.listeners {
		if b.pushOnce(copied{Message: m, to: x.ksock, via: x, number: number}) {
			out.Reached++
		}
	}
	return out
}

// push puts a copy on its recipient's queue (R4.21, R4.28).
func (b *Bus) push(m copied) {
	m.Data = clone(m.Data)
	k := m.to
	if m.Flags.Has(message.Urgent) {
		k.queue = append([]copied{m}, k.queue...)
	} else {
		m.Missed, k.missed = k.missed, 0
		k.queue = append(clone(k.queue), m)
	}
	k.lastPushed = m.ID
	b.wake(k)
}

// pushOnce pushes a Listener's copy, unless the Ksock wants messages only once and this is the one that it was given
// last (R4.24).
func (b *Bus) pushOnce(m copied) bool {
	if m.to.onlyOnce == 1 && m.to.lastPushed == m.ID {
		return false
	}
	b.push(m)
	return true
}

// wake notes that a reader of k has reason to look (R3.95).
func (b *Bus) wake(k *Ksock) {
	if !contains(b.woken, k) {
		b.woken = append(b.woken, k)
	}
}

// Woken are the ids of the open Ksocks that were given a message or had an event set aside since the last call, in the
// order in which that first happened.
func (b *Bus) Woken() (ids []message.KsockID) {
	for _, k := range b.woken {
		if contains(b.ksocks, k) {
			ids = append(ids, k.id)
		}
	}
	b.woken = nil
	return ids
}

// statusWhy answers a Request in the bus's name (R5.2, R5.3): as the expected Reply, whether or not there is room. why is its data.
// Nothing happens, and no serial number is used, if the requester is not open any more (R5.6).
func statusWhy(b *Bus, name, why string, from message.KsockID, r request) {
	k := b.ksock(r.from)
	if k == nil {
		return
	}
	if contains(k.givenUp, r.id) && !contains(k.outstanding, r.id) { // F44
		k.givenUp = without(k.givenUp, r.id)
		return
	}
	m := b.newStatus(name, from, k, r.id)
	m.Data = []byte(why)
	b.push(m)
	k.outstanding = without(k.outstanding, r.id) // R4.38
}

func (b *Bus) newStatus(name string, from message.KsockID, to *Ksock, request message.ID) copied {
	return copied{to: to, number: b.newNumber(), Message: message.Message{
		Header: message.Header{
			ID: b.localID(), InReplyTo: request, To: to.id, From: from, Flags: message.Synthetic,
		},
		Name: name,
	}}
}

// ownStatus answers k's own Request that waited for room. Nothing was reserved for it, so no reservation of an older
// Request with the same id is used up (F47).
func (b *Bus) ownStatus(name string, k *Ksock, id message.ID) { b.push(b.newStatus(name, 0, k, id)) }
