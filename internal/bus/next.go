package bus

import "kbus/message"

// Delivery is a message taken from a queue. Name and Data belong to the bus and are valid until Release.
type Delivery struct {
	message.Header
	Name, Data []byte
	msg        *stored
}

// Next takes the front message of k's queue (R3.35-R3.39). From now on its slot is free, and if it is a Request for k
// to answer, k owes the Reply. An empty queue takes set-aside events first (F5).
func (b *Bus) Next(k *Ksock) (Delivery, bool) {
	b.Settle(k)
	b.reclaim(k)
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
	b.Settle(k)
	i := k.queue.reply(request)
	if i >= 0 && k.window != nil && i < k.window.Shown() {
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
	b.Settle(k)
	for q := &k.queue; q.unseen > 0; q.unseen-- {
		i := q.len() - q.unseen
		if e := q.at(i); e.via != nil || !e.msg.head.IsReply() || !wanted(e.msg.head.InReplyTo) {
			continue
		}
		if k.window != nil && i < k.window.Shown() {
			b.reclaim(k)
			if i = q.len() - q.unseen; i == q.len() {
				break // the client has taken it
			}
		}
		return b.handOver(k, i), true
	}
	return Delivery{}, false
}

// reply finds the Reply or Status that answers a Request.
func (q *queue) reply(request message.ID) int {
	if request.IsZero() {
		return -1
	}
	for i := range q.len() {
		if e := q.at(i); e.via == nil && e.msg.head.InReplyTo == request {
			return i
		}
	}
	return -1
}

func (b *Bus) handOver(k *Ksock, i int) Delivery {
	e := b.take(k, i)
	d := Delivery{Header: e.msg.head, Name: e.msg.name(), Data: e.msg.data(), msg: e.msg}
	if d.msg.kept {
		d.msg.lent++
	}
	if e.mustReply {
		d.Flags |= message.WantYouToReply
		k.owe(owed{d.ID, d.From})
	}
	b.moveAside(k)
	return d
}

// Release gives the bytes of a delivery back, exactly once.
func (b *Bus) Release(d *Delivery) {
	b.handedBack(d.msg)
	*d = Delivery{}
}
