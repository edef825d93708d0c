package bus

import "kbus.example/kbus/message"

// A Ksock that turns replier bind events on gets one event for each replier binding there is, newest first, for itself
// alone and through no binding (R6.24). Without room for all of them it gets none (F41).
//
// There can be very many, so the events can be made in pieces, with other operations in between. Each event shows its
// binding as it is when the event is made: a Replier that has gone meanwhile is left out, and one that has come
// meanwhile has an event of its own, as all have from then on. The room is reserved at the beginning, so what comes in
// between cannot use it up.

// eventCharge is what the event of a binding is charged.
func (n *binding) eventCharge() int64 {
	return charge(len(message.NameReplierBindEvent), message.BindEventBytes(len(n.name))) + perCopy
}

// canReport tells whether all events fit k's queue.
func (b *Bus) canReport(k *Ksock) message.Condition {
	if j := b.judge(k); j != nil && !j.MayListen(message.NameReplierBindEvent) {
		return b.deny(j, false)
	}
	b.SyncWindow(k)
	repliers, bytes := uint64(b.bindings.repliers), b.bindings.reported
	if repliers == 0 {
		return message.OK
	}
	b.plan.bill.looked = false
	if uint64(k.load())+repliers > uint64(k.maxMessages) || b.fits(k.account, bytes, bytes) != message.OK {
		b.plan.behind = k
		return message.ErrReportFull
	}
	return message.OK
}

// BindReport is such a report that is being made.
type BindReport struct {
	b    *Bus
	k    *Ksock
	walk BindingWalk
}

// BeginBindReport turns replier bind events on for k, as ReportReplierBinds, and has the owner make the events: by Next
// until it reports false, and then End.
func (b *Bus) BeginBindReport(k *Ksock) (r *BindReport, old uint32, c message.Condition) {
	if c := b.canReport(k); c != message.OK {
		return nil, 0, c
	}
	r = &BindReport{b: b, k: k}
	r.walk.begin(b.bindings.newest, &b.bindings.walks)
	old, c = b.turnedOn(k)
	return r, old, c
}

// Next goes on by one binding, and reports false when there is none.
func (r *BindReport) Next() bool {
	n := r.walk.at
	if n == nil {
		return false
	}
	if r.walk.at = n.older; n.replier {
		r.b.push(r.k, r.b.newBindEvent(true, n), nil)
	}
	return true
}

// End ends it, complete or not.
func (r *BindReport) End() { r.walk.End() }
