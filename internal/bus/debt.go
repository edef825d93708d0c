package bus

import "kbus.example/kbus/message"

// A Replier that unbinds or closes may leave a hundred thousand Requests without an answer, and so may services that will
// not be started. Each gets its Status, but so many are made in pieces, if the owner of the bus wants that (see InPieces):
// they are a debt, which Sweep pays. Until then the Requests are open as before, as if the Replier were slow to go.
//
// Debts are paid in the order in which they were made, and each in the order in which its Statuses would have been made
// in one go. Which Requests they are may be found out in pieces too.

// unbound is the Status of what Unbind leaves.
const unbound = message.NameUnbound

// debt is Statuses that are owed.
type debt struct {
	name    string            // of them
	why     []byte            // their data
	from    message.KsockID   // of the Replier
	list    deque[owed]       // as found in its queue, front first
	read    deque[line[owed]] // or those that it had read, newest first
	purge   *purge            // that finds them,
	heap    *heap             // or this does;
	finding bool              // there may be more
}

// owes notes a debt of so many Statuses.
func (l *litter) owes(d *debt, statuses int) *debt {
	l.debts = append(l.debts, d)
	l.owing += statuses
	return d
}

// Owing is how many Statuses are owed and not made.
func (l *litter) Owing() int { return l.owing }

// found adds a Request that was in a queue.
func (d *debt) found(e *entry) { d.list.pushBack(owed{e.msg.head.ID, e.msg.head.From}) }

// complete says that no more will be found.
func (d *debt) complete() {
	if d != nil {
		d.purge, d.heap, d.finding = nil, nil, false
	}
}

// next gives the Request that is answered next.
func (d *debt) next() (o owed, more bool) {
	if d.list.len() > 0 {
		return d.list.popFront(), true
	}
	for d.read.len() > 0 {
		if line := d.read.popBack(); !line.hole {
			return line.key, true
		}
	}
	return owed{}, false
}

// pay makes Statuses that are owed, and gives how many steps are left over.
func (l *litter) pay(steps int) (left int) {
	for steps > 0 && len(l.debts) > 0 {
		d := l.debts[0]
		switch {
		case !d.finding:
		case d.purge != nil:
			steps = l.purgeOn(d.purge, steps)
			continue
		default:
			steps = l.free(d.heap, steps)
			continue
		}
		o, more := d.next()
		if !more {
			l.debts = drop(l.debts, d)
			steps--
			continue
		}
		l.owing--
		steps -= statusSteps
		if d.name != message.NameGoneAway || o.requester != d.from {
			l.bus.statusTo(d.name, d.why, d.from, o.requester, o.id)
		}
	}
	return steps
}
