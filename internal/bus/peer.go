package bus

import "kbus.example/kbus/message"

// Which process sent a message? The message has the number of its sender's Ksock, and a receiver may ask for the
// process behind it, also when the sender has closed since. The bus remembers a closed Ksock for as long as that
// matters: while a queue has a message of it, while a Request of it is open, or while its message was the last that a
// Ksock took.
//
// Nothing is counted for that on the way of a message. Closed Ksocks are simply kept. When there are many, the bus goes
// through all queues once and forgets those that no longer matter, except the last few, since a program may take
// several messages before it asks. It does that in pieces, one with each Ksock that closes: see sorting.go.

const (
	recentlyClosed = 1024 // that are remembered whether or not they matter
	mostDeparted   = 2 * recentlyClosed
)

// departed is the Ksocks that have closed.
type departed struct {
	owners  map[message.KsockID]Owner
	recent  [recentlyClosed]message.KsockID // ids, a ring
	next    int
	sweep   int      // how many there are when it is time to forget some; 0: mostDeparted
	sorting *sorting // under way; nil: none
}

// depart remembers a closing Ksock.
func (b *Bus) depart(k *Ksock) {
	d := &b.departed
	if d.owners == nil {
		d.owners = map[message.KsockID]Owner{}
	}
	d.owners[k.id] = k.owner.gone()
	d.recent[d.next] = k.id
	d.next = (d.next + 1) % recentlyClosed
	switch {
	case d.sorting != nil:
		d.sorting.matter[k.id] = k.owner
	case len(d.owners) >= max(d.sweep, mostDeparted):
		d.sorting = b.beginSorting()
	default:
		return
	}
	if d.sorting.goOn(sortPiece) {
		d.owners, d.sorting = d.sorting.matter, nil
		d.sweep = 2 * len(d.owners)
	}
}

// arrive is for a new Ksock: its id is not that of a closed one any more, after 2^32 opens.
func (d *departed) arrive(id message.KsockID) {
	delete(d.owners, id)
	if d.sorting != nil {
		delete(d.sorting.matter, id)
	}
}

// Peer gives the process behind a Ksock, and whether that Ksock is still open. known is false when there was no such
// Ksock, or the bus has forgotten it.
func (r *roster) Peer(id message.KsockID) (o Owner, open, known bool) {
	if k := r.ksocks[id]; k != nil {
		return k.owner, true, true
	}
	o, known = r.departed.owners[id]
	return o, false, known
}
