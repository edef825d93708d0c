package bus

import "kbus/message"

// Who owes whom. A delivered Request stands in two accounts: in its sender's outstanding list from delivery until the
// Reply or Status has been queued (each entry reserves the slot for it, R4.1), and, from when it is read, in its
// Replier's unreplied list until an accepted Reply or close (R4.39). Both are short and mostly first in, first out, so
// they are searched from the oldest.

// owed is a Request that somebody has read and must reply to. Ids made by a Limpet need not be unique, so the
// requester belongs to it (F12).
type owed struct {
	id        message.ID
	requester uint32
}

func find[T comparable](d *deque[T], v T) int {
	for i := range d.len() {
		if *d.at(i) == v {
			return i
		}
	}
	return -1
}

func (k *Ksock) expects(request message.ID) bool { return find(&k.outstanding, request) >= 0 }

func (k *Ksock) expect(request message.ID) {
	k.outstanding.pushBack(request)
	k.outstandingMost = max(k.outstandingMost, uint32(k.outstanding.len()))
}

// answered removes one entry of that id (R4.40) and with it the reservation.
func (k *Ksock) answered(request message.ID) {
	if i := find(&k.outstanding, request); i >= 0 {
		k.outstanding.remove(i)
	}
}

func (k *Ksock) owes(o owed) bool { return find(&k.unreplied, o) >= 0 }

func (k *Ksock) owe(o owed) {
	k.unreplied.pushBack(o)
	k.unrepliedMost = max(k.unrepliedMost, uint32(k.unreplied.len()))
}

// paid removes the entry. Of two equal ones it is the last read: the list counts from that end (R5.7).
func (k *Ksock) paid(o owed) {
	for i := k.unreplied.len() - 1; i >= 0; i-- {
		if *k.unreplied.at(i) == o {
			k.unreplied.remove(i)
			return
		}
	}
}
