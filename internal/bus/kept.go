package bus

import "bytes"

// The data of a large message may lie outside of the bus's own memory, where its readers can see it for themselves. The
// owner of the bus says where (Keeper); to the bus it is bytes like any other, held as long as a queue has the message.

// Keeper keeps the data of large messages.
type Keeper interface {
	// Keep copies data to where it stays until Release, for so many recipients. It gives nil when that is not worth it
	// or there is no room; then the bus keeps the data itself. Keep reads data once, because that may be memory of the
	// sender, which can still write to it.
	Keep(data []byte, recipients int) (kept []byte)

	// Release gives back what Keep gave.
	Release(kept []byte)
}

// handedBack gives up the reference of a Delivery.
func (b *Bus) handedBack(m *stored) {
	if m.kept {
		m.lent--
	}
	b.release(m)
}

// mostMovedOut is how many bytes MoveOut moves, and mostLookedAt how many entries of a queue it looks at, in one go.
const (
	mostMovedOut = 256 << 10
	mostLookedAt = LongQueue
)

// MoveOut makes room with the Keeper: the queue that has most bytes there, if those are at least leastBytes, has messages
// moved to the bus's own memory, the front ones first. So a slow reader does not keep that room from others. In one go only
// so much is moved; who needs more calls it again.
func (b *Bus) MoveOut(leastBytes int) {
	most, slowest := leastBytes-1, (*Ksock)(nil)
	for k := range b.Ksocks() {
		if n := k.queue.keptBytes; n > most {
			most, slowest = n, k
		}
	}
	b.Work(b.accounts.all.ksocks)
	if slowest == nil {
		return
	}
	b.reclaim(slowest)
	b.whole(slowest)
	q := &slowest.queue
	from := q.indexOf(q.keptFrom)
	i, moved := from, 0
	for ; i < q.entries.len() && i-from < mostLookedAt && moved < mostMovedOut; i++ {
		m := q.at(i).msg
		if m == nil || !m.wasKept {
			continue
		}
		q.keptBytes -= len(m.data()) // what is lent comes out by itself
		if m.kept && m.lent == 0 {   // no reader has it just now
			kept := m.body
			m.body, m.kept = bytes.Clone(kept), false
			b.config.Keeper.Release(kept)
			moved += len(kept)
		}
	}
	q.steps += i - from
	b.Work((i-from)/8 + moved/bytesPerStep)
	if i < q.entries.len() {
		q.keptFrom = q.at(i).number >> 1
	} else {
		q.keptBytes, q.keptFrom = 0, q.back
	}
}

// bytesPerStep is how many bytes are copied in about the time of a step of work.
const bytesPerStep = 512
