package bus

import "kbus.example/kbus/message"

// Ksock is one user of a bus (R1.6). It belongs to its Bus; the id and owner never change.
type Ksock struct {
	Tag any // for the owner of the bus; the bus never looks at it

	enrolled
	inbox
	notices
	outbox
	requests
	limpet

	bindings []*binding // oldest first
	known    known

	woken, due bool // is in wakes.readers, wakes.due
}

// enrolled is what the bus has of a Ksock from its opening to its end.
type enrolled struct {
	id           message.KsockID
	owner        Owner
	account      *account
	open         bool
	older, newer *Ksock
}

// inbox is the way of messages to a Ksock.
type inbox struct {
	strict      bool // its full queue makes Binds of others fail; see events.go
	queue       queue
	window      Window // nil: the client asks for each message
	maxMessages uint32
	onlyOnce    bool
	lastPushed  message.ID      // of the last message queued here, for only-once (R4.28)
	lastFrom    message.KsockID // the sender of the message taken last
	missed      missed
	blocks      int // how many senders wait for room in this queue, so that a search for them is never in vain
}

// outbox is the message of a Ksock that waits for room, and whose room.
type outbox struct {
	pending  *stored // the ALL_OR_WAIT message
	blocker  *Ksock  // whose full queue it waits for,
	short    int64   // and, if that is full for want of so many bytes for its user, how many
	lastSent message.ID
}

// Owner is the process that opened a Ksock, and its user, as the transport knows them (Q11).
type Owner struct {
	UID, GID, PID uint32
	Program       string
	Administrator bool  // may turn the switches of the whole bus, see SetAdministrators
	Judge         Judge // what it may do on a bus with rules; nil: everything
	Original      bool  // its program was written for the original KBUS: names are as there (F50), and see events.go
}

// ID is the Ksock's number, never 0 (R1.7).
func (k *Ksock) ID() message.KsockID { return k.id }

// Owner gives the process that opened the Ksock.
func (k *Ksock) Owner() Owner { return k.owner }

// Sending reports whether an ALL_OR_WAIT message of this Ksock waits for room (R4.32).
func (k *Ksock) Sending() bool { return k.pending != nil }

// Readable reports whether Next would give a message; a set-aside event counts (F5).
func (k *Ksock) Readable() bool { return k.queue.len() > 0 || k.asideCount > 0 }

// HasSetAside reports whether set-aside events wait for room in the queue (R6.20).
func (k *Ksock) HasSetAside() bool { return k.asideCount > 0 }

// load is what counts against the queue limit: queued messages, and a slot for each Reply to come (R4.1).
func (k *Ksock) load() uint32 { return uint32(k.queue.len() + k.outstanding.len()) }

// hasRoom is R4.2. Where there is room by what is known, what has been taken since through a window makes no
// difference, and the memory that the client writes to is not looked at. (A set-aside event may come into the queue
// with what is taken.)
func (b *Bus) hasRoom(k *Ksock) bool {
	if k.load() < k.maxMessages && k.asideCount == 0 {
		return true
	}
	b.SyncWindow(k)
	return k.load() < k.maxMessages
}
