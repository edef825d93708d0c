package bus

import "kbus/message"

// A transport may show its client the front of a queue and let it take messages without asking (package ring). The
// queue here stays the truth for everything that is not taken yet, and the bus never decides anything about a Ksock
// on old news: whenever what has been taken could make a difference to what it does with a queue, it first asks the
// window (Settle), and when it is about to do anything but add at the back, it has the window take back the rest first
// (reclaim). So nothing differs between a message that was taken and one that was asked for with Next. Adding at the
// back of a queue that has room even with what is taken needs no asking, and is what happens most.
type Window interface {
	// Taken reports how many messages of the front of the queue the client has taken since the last call.
	Taken() int
	// Shown counts the messages that the client could take right now, as last seen.
	Shown() int
	// Withdraw ends that: what the client has not taken by now it cannot take any more.
	Withdraw()
}

// SetWindow gives k a window, which shows nothing yet. The owner of the bus shows messages in it, see Queued, when
// Woken tells of the Ksock.
func (b *Bus) SetWindow(k *Ksock, w Window) { k.window = w }

// Settle does for every message taken through k's window what Next does.
func (b *Bus) Settle(k *Ksock) {
	if k.window == nil {
		return
	}
	for n := k.window.Taken(); n > 0; n-- {
		d := b.handOver(k, 0)
		b.handedBack(d.msg)
	}
}

// reclaim makes the whole queue the bus's again. The owner shows it anew, as k is woken.
func (b *Bus) reclaim(k *Ksock) {
	if k.window == nil || k.window.Shown() == 0 {
		return
	}
	k.window.Withdraw()
	b.Settle(k)
	b.wakes.reader(k)
}

// Awaited reports whether somebody waits for room in k's queue. Then the owner must hear of it when the client takes a
// message, and Settle.
func (b *Bus) Awaited(k *Ksock) bool { return k.blocks > 0 }

// blocked notes that a message of k waits for room in a queue. The owner of that queue's window is told, see Awaited.
func (b *Bus) blocked(k, by *Ksock) {
	k.waitFor(by)
	if by.window != nil {
		b.wakes.reader(by)
	}
}

// Queued shows message i of k's queue, 0 being the front, as Next would hand it over; the header goes into h. It is
// valid until the next operation.
func (b *Bus) Queued(k *Ksock, i int, h *message.Header) (name, data []byte, ok bool) {
	if i >= k.queue.len() {
		return nil, nil, false
	}
	e := k.queue.at(i)
	*h = e.msg.head
	if e.mustReply {
		h.Flags |= message.WantYouToReply
	}
	return e.msg.name(), e.msg.data(), true
}
