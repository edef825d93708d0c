package bus

import "kbus/message"

// Ksock is one user of a bus (R1.6). It belongs to its Bus; the id and owner never change.
type Ksock struct {
	Tag any // for whoever drives the bus; the bus never looks at it

	id           uint32
	owner        Owner
	account      *account
	open         bool
	older, newer *Ksock

	queue       queue
	window      Window // nil: the client asks for each message
	maxMessages uint32
	onlyOnce    bool
	lastPushed  message.ID // of the last message queued here, for only-once (R4.28)
	asideCount  uint32     // set-aside events for this Ksock

	pending  *stored // the ALL_OR_WAIT message that waits for room
	blocker  *Ksock  // whose full queue it waits for
	blocks   int     // how many wait for room in this queue, so that nobody is looked for in vain
	lastSent message.ID

	outstanding     deque[message.ID] // Requests sent and delivered, not yet answered (R4.38)
	outstandingMost uint32
	unreplied       deque[owed] // Requests read, not yet replied to (R4.39), oldest first
	unrepliedMost   uint32

	bindings []*binding // oldest first

	carries, names bool // messages from other buses, and it has said which network this one is; see Carry

	woken, due bool // is in wakes.readers, wakes.due
}

// Owner is who opened a Ksock, as the transport knows it (Q11).
type Owner struct {
	UID, PID uint32
	Program  string
}

// ID is the Ksock's number, never 0 (R1.7).
func (k *Ksock) ID() uint32 { return k.id }

// Owner tells who opened the Ksock.
func (k *Ksock) Owner() Owner { return k.owner }

// Sending reports whether an ALL_OR_WAIT message of this Ksock waits for room (R4.32).
func (k *Ksock) Sending() bool { return k.pending != nil }

// Readable reports whether Next would give a message; a set-aside event counts (F5).
func (k *Ksock) Readable() bool { return k.queue.len() > 0 || k.asideCount > 0 }

// HasSetAside reports whether set-aside events wait for room in the queue (R6.20).
func (k *Ksock) HasSetAside() bool { return k.asideCount > 0 }

// waitFor notes whose queue the message of k waits for; nil when it does not wait any more.
func (k *Ksock) waitFor(by *Ksock) {
	if k.blocker != nil {
		k.blocker.blocks--
	}
	if k.blocker = by; by != nil {
		by.blocks++
	}
}

// load is what counts against the queue limit: queued messages, and a slot for each Reply to come (R4.1).
func (k *Ksock) load() uint32 { return uint32(k.queue.len() + k.outstanding.len()) }

// hasRoom is R4.2. Where there is room by what is known, what has been taken since through a window makes no
// difference, and the memory that the client writes to is not looked at. (A set-aside event may come into the queue
// with what is taken.)
func (b *Bus) hasRoom(k *Ksock) bool {
	if k.load() < k.maxMessages && k.asideCount == 0 {
		return true
	}
	b.Settle(k)
	return k.load() < k.maxMessages
}
