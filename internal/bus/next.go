package bus

import "kbus.example/kbus/message"

// Delivery is a message taken from a queue. Name and Data belong to the bus and are valid until Release.
type Delivery struct {
	message.Header
	Name, Data []byte
	Missed     uint32 // how many messages were missed just before it
	msg        *stored
}

// Next takes the front message of k's queue (R3.35-R3.39). From now on its slot is free, and if it is a Request for k
// to answer, k owes the Reply. An empty queue takes set-aside events first (F5).
func (b *Bus) Next(k *Ksock) (Delivery, bool) {
	b.SyncWindow(k)
	b.reclaim(k)
	b.whole(k)
	for k.queue.len() == 0 && k.asideCount > 0 {
		b.moveAside(k)
	}
	if k.queue.len() == 0 {
		return Delivery{}, false
	}
	return b.handOver(k, 0), true
}

// NextReply takes the Reply or Status that answers one Request of k's, wherever it stands in the queue; otherwise it is
// as Next. It is for a caller that waits for that answer and for nothing else.
func (b *Bus) NextReply(k *Ksock, request message.ID) (Delivery, bool) {
	b.SyncWindow(k)
	b.whole(k)
	i := k.queue.reply(request)
	if i >= 0 && b.shows(k, i) {
		b.reclaim(k)
		i = k.queue.reply(request)
	}
	if i < 0 {
		return Delivery{}, false
	}
	return b.handOver(k, i), true
}

// NextAnswer takes the first Reply or Status that is wanted, of those queued since it last looked; otherwise it is as
// Next. It is for an owner that keeps waiting callers: each queued message is looked at once, however many wait.
func (b *Bus) NextAnswer(k *Ksock, wanted func(request message.ID) bool) (Delivery, bool) {
	b.SyncWindow(k)
	b.whole(k)
	for {
		i := k.queue.look(wanted)
		if i < 0 {
			return Delivery{}, false
		}
		if b.shows(k, i) {
			number := k.queue.at(i).number
			b.reclaim(k)
			if i = k.queue.indexOf(number >> 1); i == k.queue.entries.len() || k.queue.at(i).number != number {
				continue // the client has taken it
			}
		}
		return b.handOver(k, i), true
	}
}

// Overlook has NextAnswer pass over what is queued now. It is for an owner that had no caller waiting: what the first one
// waits for is still to come, however long the queue is.
func (b *Bus) Overlook(k *Ksock) {
	k.queue.toLook, k.queue.lookFrom = [2]int64{}, k.queue.back
}

// shows reports whether k's client may see the entry at a place of the queue.
func (b *Bus) shows(k *Ksock, i int) bool {
	return k.window != nil && i-k.queue.holes < k.window.Shown()
}

func (b *Bus) handOver(k *Ksock, i int) Delivery {
	if i > 0 {
		k.passOn(i)
		k.queue.at(i).missed = 0
	}
	e := b.take(k, i)
	d := Delivery{Header: e.msg.head, Name: e.msg.name(), Data: e.msg.data(), Missed: e.missed, msg: e.msg}
	k.missed.reported, k.lastFrom = e.missed, d.From
	if d.msg.kept {
		d.msg.lent++
	}
	if e.mustReply() {
		d.Flags |= message.WantYouToReply
		b.owe(k, owed{d.ID, d.From})
		if b.isWatched() {
			b.show(k, Event{Kind: EventTaken, Header: d.Header, Name: d.Name, Trace: e.msg.trace()})
		}
	}
	b.moveAside(k)
	return d
}

// Trace is the trace context of the message, as it was sent; it is valid until Release.
func (d *Delivery) Trace() []byte { return d.msg.trace() }

// Release gives the bytes of a delivery back, exactly once.
func (b *Bus) Release(d *Delivery) {
	b.handedBack(d.msg)
	*d = Delivery{}
}
