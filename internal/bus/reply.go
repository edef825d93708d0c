package bus

import "kbus.example/kbus/message"

// Which Ksock owes which an answer. A delivered Request stands in two lists: in its sender's outstanding list from delivery until the
// Reply or Status has been queued (each entry reserves the slot for it, R4.1), and, from when it is read, in its
// Replier's unreplied list until an accepted Reply or close (R4.39).

// requests is a Ksock's side of that.
type requests struct {
	outstanding     ledger[message.ID] // Requests sent and delivered, not yet answered (R4.38)
	outstandingMost uint32
	unreplied       ledger[owed] // Requests read, not yet replied to (R4.39), oldest first
	unrepliedMost   uint32
	givenUp         givenUp
}

// owed is a Request that its Replier has read and must reply to. Ids made by a Limpet need not be unique, so the
// requester belongs to it (F12).
type owed struct {
	id        message.ID
	requester message.KsockID
}

// once reports whether all Requests of that id are one: ids that a Limpet chose may be used twice.
func once(request message.ID) bool { return request.Network == 0 }

func (k *Ksock) expects(request message.ID) bool { return k.outstanding.has(request, false) }

func (t *accounts) expect(k *Ksock, request message.ID) {
	k.outstanding.add(request)
	k.outstandingMost = max(k.outstandingMost, uint32(k.outstanding.len()))
	t.charge(k.account, perCopy)
}

// answered removes one entry of that id (R4.40) and with it the reservation.
func (b *Bus) answered(k *Ksock, request message.ID) {
	if k.outstanding.remove(request, false) {
		b.discharge(k.account, perCopy)
	}
}

func (k *Ksock) owes(o owed) bool { return k.unreplied.has(o, !once(o.id)) }

func (t *accounts) owe(k *Ksock, o owed) {
	k.unreplied.add(o)
	k.unrepliedMost = max(k.unrepliedMost, uint32(k.unreplied.len()))
	t.charge(k.account, perCopy)
}

// paid removes the entry. Of two equal ones it is the last read: the list counts from that end (R5.7).
func (b *Bus) paid(k *Ksock, o owed) {
	if k.unreplied.remove(o, !once(o.id)) {
		b.discharge(k.account, perCopy)
	}
}
