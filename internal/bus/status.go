package bus

import "kbus/message"

// status answers a Request in the Replier's place (part 5): queued at the back of to's queue as the Reply that it
// expects, whatever the queue limit says, seen by nobody else and tied to no binding. from is the Ksock that should
// have replied, or 0.
func (b *Bus) status(name string, from uint32, to *Ksock, request message.ID) {
	h := message.Header{ID: b.nextID(), InReplyTo: request, To: to.id, From: from, Flags: message.Synthetic}
	b.push(to, entry{msg: b.make(&h, name, nil)})
	to.answered(request)
}

// statusTo is status for a requester known by id. If it is no longer open there is no Status and no serial number is
// used (R5.6).
func (b *Bus) statusTo(name string, from, to uint32, request message.ID) {
	if k := b.ksocks[to]; k != nil {
		b.status(name, from, k, request)
	}
}

// make stores a message of the bus's own; nobody is charged for it.
func (b *Bus) make(h *message.Header, name string, data []byte) *stored {
	return b.store.keep(h, []byte(name), data, nil)
}
