package bus

import "kbus.example/kbus/message"

// status answers a Request in the Replier's place (part 5): queued at the back of to's queue as the Reply that it
// expects, whatever the queue limit says, seen by nobody else and tied to no binding. why is its data. from is the Ksock that should
// have replied, or 0. A Request that was still waiting for room has no slot reserved, so none is given back here (F47).
func (b *Bus) status(name string, why []byte, from message.KsockID, to *Ksock, request message.ID) {
	h := message.Header{ID: b.nextID(), InReplyTo: request, To: to.id, From: from, Flags: message.Synthetic}
	m := b.make(&h, name, why)
	b.showOwn(EventStatus, m, 1, 0)
	b.push(to, m, nil)
}

// statusTo is status for a requester known by id. If it is no longer open, or has given the Request up, there is no Status
// and no serial number is used (R5.6).
func (b *Bus) statusTo(name string, why []byte, from, to message.KsockID, request message.ID) {
	k := b.ksocks[to]
	switch {
	case k == nil:
	case k.givenUp.times[request] > 0 && !k.expects(request):
		b.unwantedCame(k, request)
	default:
		b.status(name, why, from, k, request)
		b.answered(k, request)
	}
}

// make stores a message of the bus's own.
func (b *Bus) make(h *message.Header, name string, data []byte) *stored {
	return b.store.keep(h, []byte(name), data)
}
