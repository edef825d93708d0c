package bus

import "bytes"

// The data of a large message may lie outside of the bus's own memory, where its readers can see it for themselves. The
// owner of the bus says where (Keeper); to the bus it is bytes like any other, held as long as a queue has the message.

// Keeper keeps the data of large messages.
type Keeper interface {
	// Keep copies data to where it stays until Release, for so many recipients. It gives nil for what is not worth it, or
	// when there is no room; then the bus keeps it. It looks at data once: that may be memory of the sender's, who can
	// still write to it.
	Keep(data []byte, recipients int) (kept []byte)

	// Release gives back what Keep gave.
	Release(kept []byte)
}

// recipients is how many copies of the message the plan will queue.
func (p *plan) recipients() int {
	n := len(p.listeners)
	if p.addressee != nil {
		n++
	}
	if p.replier != nil {
		n++
	}
	return n
}

// keptIn counts the bytes of messages in k's queue that lie with the Keeper.
func (k *Ksock) keptIn() (n int) {
	for i := range k.queue.len() {
		if m := k.queue.at(i).msg; m.kept && m.lent == 0 {
			n += len(m.body)
		}
	}
	return n
}

// handedBack gives up the reference of a Delivery.
func (b *Bus) handedBack(m *stored) {
	if m.kept {
		m.lent--
	}
	b.release(m)
}

// MoveOut is for when the Keeper has no room: whoever has most there in its queue, if that is at least so many bytes,
// has it moved to the bus's own memory. So a slow reader keeps no room from the others.
func (b *Bus) MoveOut(leastBytes int) {
	most, slowest := leastBytes-1, (*Ksock)(nil)
	for k := range b.Ksocks() {
		if n := k.keptIn(); n > most {
			most, slowest = n, k
		}
	}
	if slowest == nil {
		return
	}
	b.reclaim(slowest)
	for i := range slowest.queue.len() {
		if m := slowest.queue.at(i).msg; m.kept && m.lent == 0 { // nobody reads it just now
			kept := m.body
			m.body, m.kept = bytes.Clone(kept), false
			b.config.Keeper.Release(kept)
		}
	}
}
