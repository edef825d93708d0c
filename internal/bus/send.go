package bus

import "kbus.example/kbus/message"

// Sending decides first and acts afterwards. decide finds all recipients, and the first reason why the message cannot be
// sent. Only when there is no such reason does deliver queue the copies. So a full queue never leaves a message half
// delivered (R4.31), and bytes are copied only for a message that has a recipient or waits.

// Outcome is the result of a send. ID is set when Err is OK or ErrPending (R3.67). Reached counts the copies queued and
// Skipped those that Listeners missed because their queue was full, so a loss is never silent.
type Outcome struct {
	ID      message.ID
	Reached uint32
	Skipped uint32
	Err     message.Condition
}

// Send sends a new message: steps 3 and 5-9 of R3.65. The caller has checked its form and name (message.CheckName,
// message.CheckLimits against MaxMessageBytes) and that k is not Sending. Name and data are copied if they are needed
// longer than the call. SendTraced is for a message with a trace context. Besides the conditions of part 4: ErrStopping, and for a message that would have to wait for room
// and would be too much for its sender ErrUserQueueBytes or ErrBusQueueBytes.
func (b *Bus) Send(k *Ksock, h *message.Header, name, data []byte) Outcome {
	if b.tap != nil {
		return b.sendShown(k, h, name, data, nil)
	}
	return b.send(k, h, name, data, nil)
}

// SendTraced is Send for a message with a trace context, which is bytes to the bus; nil for none.
func SendTraced(b *Bus, k *Ksock, h *message.Header, name, data, trace []byte) Outcome {
	if len(trace) == 0 {
		return b.Send(k, h, name, data)
	}
	return sendAs(b, k, h, name, data, &manner{trace: trace})
}

// manner is how a message is sent; nil for most: to everybody, and without a trace context.
type manner struct {
	audience audience
	trace    []byte
}

func (w *manner) to() audience {
	if w == nil {
		return everybody
	}
	return w.audience
}

func (w *manner) traceContext() []byte {
	if w == nil {
		return nil
	}
	return w.trace
}

func sendAs(b *Bus, k *Ksock, h *message.Header, name, data []byte, how *manner) Outcome {
	if b.tap != nil {
		return b.sendShown(k, h, name, data, how)
	}
	return b.send(k, h, name, data, how)
}

// audience says which bindings a message may go to.
type audience bool

const (
	everybody     audience = false
	listenersOnly audience = true // see SendToListeners
)

func (b *Bus) send(k *Ksock, h *message.Header, name, data []byte, how *manner) Outcome {
	if k.pending != nil {
		return Outcome{Err: message.ErrStillSending}
	}
	to := how.to()
	if b.ruled {
		if c := b.maySend(k, h, name, to); c != message.OK {
			return Outcome{Err: c}
		}
	}
	if how == nil {
		if o, ok := b.quick(k, h, name, data); ok {
			return o
		}
	}
	if len(b.deposed) > 0 && h.IsRequest() {
		deposeFor(b, name)
	}
	if h.IsRequest() && to == everybody && !b.canAsk(k) { // R4.5
		return noRoomForReply(b, k)
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
	b.plan.bill.begin(charge(len(name), len(data)+len(how.traceContext())), nil)
	switch c := b.decide(k, &head, name, to); c {
	case message.OK:
		var m *stored
		if !b.plan.empty() {
			m = b.own(&head, name, data, b.plan.recipients(), how)
		}
		return b.deliver(k, m, &head)
	case message.ErrPending:
		if c := b.fits(k.account, b.plan.bill.cost+perCopy, b.plan.bill.cost+perCopy); c != message.OK {
			return Outcome{Err: c}
		}
		m := b.own(&head, name, data, b.plan.recipients(), how)
		m.refs++
		m.audience = to
		k.pending = m
		b.hold(m, k.account)
		b.wakes.pending = append(b.wakes.pending, k)
		b.blocked(k)
		return Outcome{ID: head.ID, Err: c}
	default:
		return Outcome{Err: c}
	}
}

// canAsk reports whether k's queue has room for one more Reply, and its user can be charged for the open Request.
func (b *Bus) canAsk(k *Ksock) bool {
	b.plan.bill.looked = false
	return b.hasRoom(k) && b.fits(k.account, perCopy, perCopy) == message.OK
}

// noRoomForReply is what who cannot ask is told. A bus that stops says so before all else: to wait for room would be in vain.
func noRoomForReply(b *Bus, k *Ksock) Outcome {
	if b.stopping {
		return Outcome{Err: message.ErrStopping}
	}
	b.plan.behind = k
	return Outcome{Err: message.ErrNoRoomForReply}
}

// own stores a message for so many recipients.
func (b *Bus) own(h *message.Header, name, data []byte, recipients int, how *manner) *stored {
	var body []byte
	if b.config.Keeper != nil && !b.plan.held { // what is held could keep that room for long
		body = b.config.Keeper.Keep(data, recipients)
	}
	if body != nil {
		data = nil
	}
	var m *stored
	if how == nil {
		m = b.store.keep(h, name, data)
	} else {
		m = b.store.keepTraced(h, name, data, how.trace)
	}
	m.body, m.kept, m.wasKept = body, body != nil, body != nil
	return m
}

// Resend is SEND on a message that waits for room (R3.68): the checks again, and the same id. When it gives anything
// but ErrPending the message is no longer waiting, and lost if it was not delivered: no Status is made (R5.10).
func (b *Bus) Resend(k *Ksock) Outcome {
	m := k.pending
	switch {
	case m == nil:
		return Outcome{Err: message.ErrNothingToSend}
	case m.head.IsRequest() && m.audience == everybody && !b.canAsk(k):
		b.Discard(k)
		return noRoomForReply(b, k)
	}
	k.lastSent = m.head.ID
	return b.retry(k)
}

// Discard drops the message that waits for room, if any (R3.71).
func (b *Bus) Discard(k *Ksock) {
	if m := k.pending; m != nil {
		k.pending = nil
		b.waitFor(k, nil, 0)
		b.wakes.notPending(k)
		b.letGo(m, k.account)
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
			b.status(name, nil, 0, k, m.head.ID)
		}
		b.release(m)
	}
	b.SyncWindow(k)
	return k.Readable(), k.Sending()
}

// retry tries to deliver the waiting message afresh (R4.33).
func (b *Bus) retry(k *Ksock) Outcome {
	m := k.pending
	id := m.head.ID
	if len(b.deposed) > 0 && m.head.IsRequest() {
		deposeFor(b, m.name())
	}
	b.plan.bill.begin(m.charge(), m)
	c := b.maySend(k, &m.head, m.name(), m.audience)
	if c == message.OK {
		c = b.decide(k, &m.head, m.name(), m.audience)
	}
	if c == message.ErrPending {
		b.blocked(k)
		return Outcome{ID: id, Err: c}
	}
	o := Outcome{Err: c}
	b.waitFor(k, nil, 0)
	if c == message.OK {
		o = b.deliver(k, m, &m.head)
	}
	if o.Err != message.ErrDenied && b.isWatched() { // with ErrPending we are not here: it waits no longer
		shown := o
		shown.ID = id // that it waited with
		b.showSend(k, &m.head, m.name(), m.data(), m.trace(), shown)
	}
	b.Discard(k)
	return o
}

// decide fills b.plan, or gives the first condition that stands in the way (R4.10-R4.18; for Replies in the order of
// F12). The bill is begun already.
func (b *Bus) decide(from *Ksock, h *message.Header, name []byte, to audience) message.Condition {
	p := &b.plan
	b.decided++
	p.addressee, p.blocker, p.short, p.skipped, p.unwanted, p.held = nil, nil, 0, 0, nil, false
	bound, replier := b.route(from, name)
	p.listeners, p.replier = p.listeners[:0], replier
	if b.ruled && b.onlyOwed(from, h, name) {
		bound = nil
	}
	if h.IsRequest() && to == everybody {
		if b.stopping {
			return message.ErrStopping
		}
		if p.replier == nil {
			if p.held = b.holds(h, name); !p.held {
				return message.ErrNoReplier
			}
		}
	} else {
		p.replier = nil
	}
	if h.IsReply() && to == everybody {
		b.SyncWindow(from)
		p.addressee = b.ksocks[h.To]
		switch {
		case isGone(p.addressee):
			return message.ErrAddresseeGone
		case !p.addressee.expects(h.InReplyTo) && p.addressee.givenUp.times[h.InReplyTo] > 0:
			p.addressee, p.unwanted = nil, p.addressee
		case !p.addressee.expects(h.InReplyTo):
			return message.ErrNotExpected
		}
		if !from.owes(owed{h.InReplyTo, h.To}) {
			return message.ErrNotYoursToReply
		}
		if p.addressee != nil {
			to := p.addressee.account
			p.bill.add(to, p.bill.copy(to)-perCopy, true) // in place of the open Request
		}
	}
	if p.replier != nil {
		r := p.replier.ksock
		p.bill.add(from.account, perCopy, false) // for the open Request
		switch {
		case h.To != 0 && h.To != r.id:
			return message.ErrOtherReplier
		case !b.admits(r):
			return p.full(h, r, message.ErrReplierFull)
		}
	}
	if p.held {
		if c := b.mayHold(from, h, name); c != message.OK {
			return c
		}
	}
	if from.isCarried(h) {
		if c := b.known(from, h); c != message.OK {
			bound = nil
			if p.empty() && p.unwanted == nil {
				return c
			}
		}
	}
	for _, l := range bound {
		switch {
		case b.admits(l.ksock):
			p.listeners = append(p.listeners, l)
			l.ksock.missed.got = b.decided
		case h.Flags&(message.AllOrWait|message.AllOrFail) != 0:
			return p.full(h, l.ksock, message.ErrListenerFull)
		default:
			p.skipped++
			p.missers = append(p.missers, l.ksock)
		}
	}
	if p.skipped > 0 {
		b.miss()
	}
	return message.OK
}

// admits reports whether k's queue has room for a copy of the message, and puts that on the bill.
func (b *Bus) admits(k *Ksock) bool {
	p := &b.plan
	p.short = 0
	if !b.hasRoom(k) {
		return false
	}
	if b.afford(k, &p.bill) == message.OK {
		return true
	}
	p.short = p.bill.billed(k.account) + p.bill.copy(k.account)
	return false
}

// full is what a full queue means to this message (R4.14-R4.18).
func (p *plan) full(h *message.Header, who *Ksock, otherwise message.Condition) message.Condition {
	p.behind = who
	if h.Flags.Has(message.AllOrWait) {
		p.blocker = who
		return message.ErrPending
	}
	return otherwise
}

func (p *plan) empty() bool {
	return p.addressee == nil && p.replier == nil && len(p.listeners) == 0 && !p.held
}

// deliver queues the copies of b.plan in the order of R4.20 and settles the accounts (R4.26, R4.27). m may be nil when
// there are none; h is its header.
func (b *Bus) deliver(from *Ksock, m *stored, h *message.Header) Outcome {
	p := &b.plan
	o := Outcome{ID: h.ID, Skipped: p.skipped}
	if from.isCarried(h) {
		b.note(from, h)
	}
	if to := p.addressee; to != nil {
		if b.drowns(to.account, m) {
			b.status(message.NameErrorSending, nil, from.id, to, m.head.InReplyTo)
			b.answered(to, m.head.InReplyTo)
		} else {
			b.push(to, m, nil)
			b.answered(to, m.head.InReplyTo)
			o.Reached++
		}
		b.paid(from, owed{m.head.InReplyTo, m.head.To})
	}
	if to := p.unwanted; to != nil {
		b.unwantedCame(to, h.InReplyTo)
		b.paid(from, owed{h.InReplyTo, h.To})
	}
	if r := p.replier; r != nil {
		b.push(r.ksock, m, r)
		b.expect(from, h.ID)
		o.Reached++
	}
	if p.held {
		b.keepHeld(from, m)
		b.expect(from, h.ID)
	}
	for _, l := range p.listeners {
		if b.pushToListener(l, m) {
			o.Reached++
		}
	}
	b.Work(len(p.listeners) + int(p.skipped))
	if m != nil && m.refs == 0 { // only-once swallowed every copy
		m.refs = 1
		b.release(m)
	}
	return o
}
