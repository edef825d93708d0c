package bus

import "kbus.example/kbus/message"

// Users pay for the messages that their queues hold (F43). A message is charged to each user with a queue that holds
// it: its bytes once, however many of the user's queues that are, and for each copy the room of an entry. So the
// charges are no less than the memory that queues take, and a user who reads nothing uses up no allowance but its own.
//
// Other things that a client can make many of count as a copy: a Request from its delivery to its answer, charged to
// its sender, and from the moment that it is read also to its Replier. A message that waits for room is charged to its
// sender as if it lay in a queue, and a set-aside event to the user of the Ksock that it waits for.
//
// A queue whose user cannot be charged is full. An expected Reply, a Status and an event that was set aside must fit:
// these are charged without asking.

const (
	perMessage = 128 // bytes charged for a message beside its name, its data and its trace context
	perCopy    = 64  // for each place in a queue, or of what counts as one
)

// charge is what a message counts, in bytes, without its copies.
func charge(name, data int) int64 { return int64(name + data + perMessage) }

func (m *stored) charge() int64 {
	return int64(len(m.buf) + len(m.body) + int(m.traceLen) + perMessage)
}

// holders is the users that have copies of a message: mostly one.
type holders struct {
	holder holder
	more   []holder // the others
}

// holder is a user that has copies of a message.
type holder struct {
	account *account
	copies  int32
}

// holding finds a user among the holders of a message, or gives nil.
func (m *holders) holding(a *account) *holder {
	if m.holder.account == a {
		return &m.holder
	}
	for i := range m.more {
		if m.more[i].account == a {
			return &m.more[i]
		}
	}
	return nil
}

// hold charges a user for one more copy.
func (t *accounts) hold(m *stored, a *account) {
	if m.holder.account != nil || len(m.more) > 0 {
		t.holdToo(m, a)
		return
	}
	m.holder = holder{a, 1}
	t.charge(a, m.charge()+perCopy)
}

// holdToo is hold for a message that a queue holds already.
func (t *accounts) holdToo(m *stored, a *account) {
	if h := m.holding(a); h != nil {
		h.copies++
		t.charge(a, perCopy)
		return
	}
	if m.holder.account == nil {
		m.holder = holder{a, 1}
	} else {
		m.more = append(m.more, holder{a, 1})
	}
	t.charge(a, m.charge()+perCopy)
}

// letGo gives back what hold has charged.
func (b *Bus) letGo(m *stored, a *account) {
	h := &m.holder
	if h.account != a {
		h = m.holding(a)
	}
	if h.copies--; h.copies > 0 {
		b.discharge(a, perCopy)
		return
	}
	if h == &m.holder {
		m.holder = holder{}
	} else {
		last := len(m.more) - 1
		*h, m.more[last] = m.more[last], holder{}
		m.more = m.more[:last]
	}
	b.discharge(a, m.charge()+perCopy)
}

// discharge takes a charge off a user. Senders that wait for that user's queues are Due.
func (b *Bus) discharge(a *account, bytes int64) {
	if b.accounts.discharge(a, bytes); b.wakes.short > 0 {
		b.wakes.cheaper(&b.accounts)
	}
}

// bill is what a message that is being sent would be charged to its recipients: worked out before anything is done.
type bill struct {
	cost  int64   // of the message, without its copies
	of    *stored // the message, if it is one that waits for room
	turn  uint64  // tells what accounts say of this bill from what they say of earlier ones
	total int64

	looked bool // at all windows, see fits
}

// begin starts the bill of another message.
func (l *bill) begin(cost int64, of *stored) {
	l.cost, l.of, l.total, l.looked = cost, of, 0, false
	l.turn++
}

// billed is what the bill has for a user so far.
func (l *bill) billed(a *account) int64 {
	if a.billTurn != l.turn {
		return 0
	}
	return a.billed
}

// copy is what one more copy for a user's queue would add.
func (l *bill) copy(a *account) int64 {
	if a.billTurn == l.turn && a.billedMessage || l.of != nil && l.of.holding(a) != nil {
		return perCopy
	}
	return l.cost + perCopy
}

func (l *bill) add(a *account, bytes int64, message bool) {
	if a.billTurn != l.turn {
		a.billTurn, a.billed, a.billedMessage = l.turn, 0, false
	}
	a.billed += bytes
	a.billedMessage = a.billedMessage || message
	l.total += bytes
}

// afford puts a copy for k's queue on the bill, if k's user can be charged for it; else it gives the limit in the way.
func (b *Bus) afford(k *Ksock, l *bill) message.Condition {
	bytes := l.copy(k.account)
	if c := b.fits(k.account, l.billed(k.account)+bytes, l.total+bytes); c != message.OK {
		return c
	}
	l.add(k.account, bytes, true)
	return message.OK
}

// fits tells whether a user can be charged so much more, when so much is to be charged in all: OK, ErrUserQueueBytes or
// ErrBusQueueBytes. What has been taken through windows, or thrown away, counts no more; all windows are looked at once
// for each bill, however many users cannot be charged.
func (b *Bus) fits(a *account, bytes, total int64) message.Condition {
	c := b.accounts.fits(a, bytes, total)
	for c != message.OK && b.sweepFor(a, c == message.ErrUserQueueBytes) {
		c = b.accounts.fits(a, bytes, total)
	}
	if c == message.OK || b.accounts.all.windows == 0 || c == message.ErrUserQueueBytes && a.windows == 0 {
		return c
	}
	if b.plan.bill.looked {
		return c
	}
	b.plan.bill.looked = true
	for k := b.newest; k != nil; k = k.older {
		b.SyncWindow(k)
	}
	b.Work(b.accounts.all.ksocks)
	return b.accounts.fits(a, bytes, total)
}

// beyond is how many bytes over its own limit expected Replies may bring a user.
const beyond = 64 << 20

// drowns reports whether an expected Reply would bring its user so far over the limit that it becomes a Status. Without
// that, a user with very many open Requests who reads no Reply could fill all memory there is.
func (t *accounts) drowns(a *account, m *stored) bool {
	limit := t.limits.UserQueueBytes
	if limit == 0 {
		limit = t.limits.QueueBytes // a user may have all of it
	}
	return limit != 0 && a.bytes+m.charge() > limit+beyond
}
