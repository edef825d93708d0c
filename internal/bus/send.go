package bus

import "kbus/message"

// Sending decides first and acts afterwards: plan finds everybody who should get the message and the first reason why
// it cannot be sent; only when there is none does push queue the copies. So nothing is ever partly delivered because
// something was full (R4.31), and bytes are copied only for a message that somebody gets or that waits.

// Outcome is what a send tells. ID is set when Err is OK or ErrPending (R3.67). Reached counts the copies queued and
// Skipped those that listeners missed because their queue was full, so a loss is never silent.
type Outcome struct {
	ID      message.ID
	Reached uint32
	Skipped uint32
	Err     message.Condition
}

// plan is who gets a message. It lives in the Bus so that deciding allocates nothing.
type plan struct {
	addressee *Ksock     // of a Reply
	replier   *binding   // of a Request
	listeners []*binding // those with room, newest first
	skipped   uint32     // listener bindings without
	blocker   *Ksock     // with ErrPending: whose queue is full
	aside     bool       // Listeners only, see SendToListeners
}

// Send sends a new message: steps 3 and 5-9 of R3.65. The caller has checked its form and name (message.CheckName,
// message.CheckLimits against MaxMessageBytes) and that k is not Sending. Name and data are copied if they are needed
// longer than the call. Besides the conditions of part 4: ErrStopping, ErrUserQueueBytes, ErrBusQueueBytes.
func (b *Bus) Send(k *Ksock, h *message.Header, name, data []byte) Outcome {
	b.plan.aside = false
	return b.send(k, h, name, data)
}

func (b *Bus) send(k *Ksock, h *message.Header, name, data []byte) Outcome {
	if k.pending != nil {
		return Outcome{Err: message.ErrStillSending}
	}
	if h.IsRequest() && !b.plan.aside && !b.hasRoom(k) { // R4.5
		return Outcome{Err: message.ErrNoRoomForReply}
	}
	if c := b.canHold(k, charge(name, data)); c != message.OK {
		return Outcome{Err: c}
	}
	head := *h
	head.From = k.id
	head.Flags &^= message.Synthetic | message.WantYouToReply
	if !k.isCarried(h) {
		head.Extra = 0
	}
	if head.ID.Network == 0 {
		head.ID = b.nextID()
	}
	k.lastSent = head.ID
	switch c := b.decide(k, &head, name); c {
	case message.OK:
		var m *stored
		if !b.plan.empty() {
			m = b.own(k, &head, name, data)
		}
		return b.deliver(k, m, &head)
	case message.ErrPending:
		m := b.own(k, &head, name, data)
		m.refs++
		m.aside = b.plan.aside
		k.pending = m
		b.blocked(k, b.plan.blocker)
		b.wakes.pending = append(b.wakes.pending, k)
		return Outcome{ID: head.ID, Err: c}
	default:
		return Outcome{Err: c}
	}
}

// canHold tests the limits on queued bytes. What has been taken through windows counts no more.
func (b *Bus) canHold(k *Ksock, bytes int64) message.Condition {
	c := b.accounts.canHold(k.account, bytes)
	if c != message.OK {
		for range b.Ksocks() { // settles them
		}
		c = b.accounts.canHold(k.account, bytes)
	}
	return c
}

// own stores a message and charges its sender.
func (b *Bus) own(k *Ksock, h *message.Header, name, data []byte) *stored {
	cost := charge(name, data)
	b.accounts.charge(k.account, cost)
	var body []byte
	if b.config.Keeper != nil {
		body = b.config.Keeper.Keep(data, b.plan.recipients())
	}
	if body != nil {
		data = nil
	}
	m := b.store.keep(h, name, data, k.account)
	m.charge, m.body, m.kept = cost, body, body != nil
	return m
}

// Resend is SEND on a message that waits for room (R3.68): the checks again, and the same id. When it gives anything
// but ErrPending the message is no longer waiting, and lost if it was not delivered: no Status is made (R5.10).
func (b *Bus) Resend(k *Ksock) Outcome {
	m := k.pending
	switch {
	case m == nil:
		return Outcome{Err: message.ErrNothingToSend}
	case m.head.IsRequest() && !m.aside && !b.hasRoom(k):
		b.Discard(k)
		return Outcome{Err: message.ErrNoRoomForReply}
	}
	k.lastSent = m.head.ID
	return b.retry(k)
}

// Discard drops the message that waits for room, if any (R3.71).
func (b *Bus) Discard(k *Ksock) {
	if m := k.pending; m != nil {
		k.pending = nil
		k.waitFor(nil)
		b.wakes.notPending(k)
		b.release(m)
	}
}

// Poll retries a message that waits for room (R3.92) and then says whether k is readable and whether it is still
// sending (F10). A Request that can never be delivered gets its Status here; another message is dropped (F14).
func (b *Bus) Poll(k *Ksock) (readable, sending bool) {
	if m := k.pending; m != nil {
		m.refs++ // for the Status
		o := b.retry(k)
		if o.Err != message.OK && o.Err != message.ErrPending && m.head.IsRequest() {
			name := message.NameErrorSending
			if o.Err.Errno() == message.ErrNoReplier.Errno() {
				name = message.NameDisappeared
			}
			b.status(name, 0, k, m.head.ID)
			b.wakes.allPending() // with ids used twice, somebody's waiting Reply may have lost its Request to this Status
		}
		b.release(m)
	}
	b.Settle(k)
	return k.Readable(), k.Sending()
}

// retry tries to deliver the waiting message afresh (R4.33).
func (b *Bus) retry(k *Ksock) Outcome {
	m := k.pending
	id := m.head.ID
	b.plan.aside = m.aside
	c := b.decide(k, &m.head, m.name())
	if c == message.ErrPending {
		b.blocked(k, b.plan.blocker)
		return Outcome{ID: id, Err: c}
	}
	o := Outcome{Err: c}
	if c == message.OK {
		o = b.deliver(k, m, &m.head)
	}
	b.Discard(k)
	return o
}

// decide fills b.plan, or gives the first condition that stands in the way (R4.10-R4.18; for Replies in the order of
// F12). b.plan.aside is set already.
func (b *Bus) decide(from *Ksock, h *message.Header, name []byte) message.Condition {
	p := &b.plan
	p.addressee, p.blocker, p.skipped = nil, nil, 0
	p.listeners, p.replier = b.bindings.match(name)
	if h.IsRequest() && !p.aside {
		if b.stopping {
			return message.ErrStopping
		}
		if p.replier == nil {
			return message.ErrNoReplier
		}
	} else {
		p.replier = nil
	}
	if h.IsReply() && !p.aside {
		b.Settle(from)
		p.addressee = b.ksocks[h.To]
		switch {
		case p.addressee == nil:
			return message.ErrAddresseeGone
		case !p.addressee.expects(h.InReplyTo):
			return message.ErrNotExpected
		case !from.owes(owed{h.InReplyTo, h.To}):
			return message.ErrNotYoursToReply
		}
	}
	if p.replier != nil {
		r := p.replier.ksock
		switch {
		case h.To != 0 && h.To != r.id:
			return message.ErrOtherReplier
		case !b.hasRoom(r):
			return p.full(h, r, message.ErrReplierFull)
		}
	}
	if from.isCarried(h) {
		if c := b.known(from, h); c != message.OK {
			p.listeners = p.listeners[:0]
			if p.empty() {
				return c
			}
		}
	}
	kept := p.listeners[:0]
	for _, l := range p.listeners {
		switch {
		case b.hasRoom(l.ksock):
			kept = append(kept, l)
		case h.Flags&(message.AllOrWait|message.AllOrFail) != 0:
			return p.full(h, l.ksock, message.ErrListenerFull)
		default:
			p.skipped++
		}
	}
	p.listeners = kept
	return message.OK
}

// full is what a full queue means to this message (R4.14-R4.18).
func (p *plan) full(h *message.Header, who *Ksock, otherwise message.Condition) message.Condition {
	if h.Flags.Has(message.AllOrWait) {
		p.blocker = who
		return message.ErrPending
	}
	return otherwise
}

func (p *plan) empty() bool { return p.addressee == nil && p.replier == nil && len(p.listeners) == 0 }

// deliver queues the copies of b.plan in the order of R4.20 and settles the accounts (R4.26, R4.27). m may be nil when
// there are none; h is its header.
func (b *Bus) deliver(from *Ksock, m *stored, h *message.Header) Outcome {
	p := &b.plan
	o := Outcome{ID: h.ID, Skipped: p.skipped}
	if from.isCarried(h) {
		b.note(from, h)
	}
	if to := p.addressee; to != nil {
		b.push(to, entry{msg: m})
		to.answered(m.head.InReplyTo)
		from.paid(owed{m.head.InReplyTo, m.head.To})
		o.Reached++
	}
	if r := p.replier; r != nil {
		b.push(r.ksock, entry{msg: m, via: r, mustReply: true})
		from.expect(h.ID)
		o.Reached++
	}
	for _, l := range p.listeners {
		if b.pushToListener(l, m) {
			o.Reached++
		}
	}
	if m != nil && m.refs == 0 { // only-once swallowed every copy
		m.refs = 1
		b.release(m)
	}
	return o
}
