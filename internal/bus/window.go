package bus

import "kbus.example/kbus/message"

// A transport may show its client the front of a queue and let it take messages without asking (package ring). The
// queue here stays the truth for everything that is not taken yet, and the bus never decides anything about a Ksock on
// old news. Whenever what the client has taken could make a difference, the bus first asks the window (SyncWindow); before
// it changes a queue in any way but adding at the back, it has the window take back what is not taken (reclaim). So
// taking a message from the window and asking for it with Next have the same outcome. Adding at the back of a queue
// that has room, even with what is taken, needs no asking, and is what happens most.
//
// The bus asks what has been taken; whoever owns the bus fills the window.
type Window interface {
	// Taken reports how many messages of the front of the queue the client has taken since the last call.
	Taken() int
	// Shown counts the messages that the client could take right now, as last seen.
	Shown() int
	// Withdraw ends that: what the client has not taken by now it cannot take any more.
	Withdraw()

	// Show adds a message behind those shown; missed and trace go with it, see wire.Following. It reports false when there is
	// no room for it now.
	Show(h *message.Header, name, data []byte, missed uint32, trace []byte) bool
	// Publish makes what was added visible to the client.
	Publish()
	// More tells the client that there is more than it is shown, so that it asks when the window is empty.
	More(more bool)
	// Want has the client ring when it next takes a message; session.WindowTaken must follow. It reports false when the client
	// has taken one already.
	Want() bool
}

// SetWindow gives k a window, which shows nothing yet. The owner of the bus shows messages in it, see Queued, when
// Woken tells of the Ksock.
func (b *Bus) SetWindow(k *Ksock, w Window) {
	b.countWindow(k, -1)
	k.window = w
	b.countWindow(k, 1)
}

func (t *accounts) countWindow(k *Ksock, n int) {
	if k.window != nil {
		k.account.windows += n
		t.all.windows += n
	}
}

// SyncWindow does for every message taken through k's window what Next does.
func (b *Bus) SyncWindow(k *Ksock) {
	if k.window != nil {
		b.syncWindow(k)
	}
}

func (b *Bus) syncWindow(k *Ksock) {
	n := k.window.Taken()
	if n > 0 && k.asideCount == 0 && k.blocks == 0 && !b.slow {
		taken := b.quickTake(k, n)
		b.quickly.Taken += uint64(taken)
		n -= taken
	}
	for ; n > 0; n-- {
		d := b.handOver(k, 0)
		b.handedBack(d.msg)
	}
}

// reclaim makes the whole queue the bus's again. The owner shows its front anew, because k is woken.
func (b *Bus) reclaim(k *Ksock) {
	if k.window != nil && k.window.Shown() > 0 {
		b.withdrawWindow(k)
	}
}

func (b *Bus) withdrawWindow(k *Ksock) {
	k.window.Withdraw()
	b.syncWindow(k)
	b.wakes.reader(k)
}

// Awaited reports whether a sender waits for room in k's queue. While it does, the client must tell the owner when it
// takes a message, and the owner must call SyncWindow.
func (b *Bus) Awaited(k *Ksock) bool { return k.blocks > 0 }

// blocked notes that a message of k waits for room in the queue where b.plan has found none. It wakes the owner of that
// queue's window, for Awaited is true now.
func (b *Bus) blocked(k *Ksock) {
	by, short := b.plan.blocker, b.plan.short
	if by == nil { // it is woken by what becomes of its name
		b.waitFor(k, nil, 0)
		return
	}
	if short > 0 && b.plan.bill.of == nil && by.account == k.account {
		short -= b.plan.bill.cost // it is charged to the same user while it waits
	}
	b.waitFor(k, by, short)
	if by.window != nil {
		b.wakes.reader(by)
	}
}

// Queued shows message i of k's queue, 0 being the front, as Next would hand it over; the header goes into h. It is
// valid until the next operation.
func (b *Bus) Queued(k *Ksock, i int, h *message.Header) (name, data []byte, missed uint32, trace []byte, ok bool) {
	i = k.queue.nth(i)
	if i < 0 {
		return nil, nil, 0, nil, false
	}
	e := k.queue.at(i)
	*h = e.msg.head
	if e.mustReply() {
		h.Flags |= message.WantYouToReply
	}
	return e.msg.name(), e.msg.data(), e.missed, e.msg.trace(), true
}
