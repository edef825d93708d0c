// Package bus is one KBUS bus: names, bindings, queues, Requests and what is owed for them. It is a state machine. An
// operation goes in, an outcome comes out, and nothing else happens: no I/O, no clock, no lock, no goroutine, no log.
// The order in which operations are applied is the total order of the bus.
//
// A Bus is not safe for concurrent use; one goroutine owns it. After each operation the owner answers whoever asked,
// then looks at Woken and Due for what else it owes.
//
// The way of a message, file by file: send.go decides and pushes, route.go finds who is bound, queue.go and store.go
// hold it, next.go takes it out. reply.go keeps account of who owes whom a Reply, status.go answers where nobody else
// will, close.go and bind.go do what happens to queued messages when somebody leaves.
package bus

import (
	"iter"

	"kbus/message"
)

// Config is what a bus starts with. Zero fields take the defaults.
type Config struct {
	MaxMessageBytes    uint32 // longest message, entire form (R3.86); default DefaultMessageBytes
	AbsMaxMessageBytes uint32 // most that MaxMessageBytes can be set to; default DefaultMessageBytes
	MaxMessages        uint32 // queue limit of a new Ksock, messages; default 100
	MaxSetAside        int    // set-aside unbind events, messages (R6.21); default 1000
	Limits             Limits
	Keeper             Keeper // of the data of large messages; nil: the bus itself
	Incarnation        uint32 // tells this life of the bus from others of it, to other buses; default 1

	FirstKsock, FirstSerial uint32 // first ids given out, default 1; for trying what happens after 2^32 of them
}

// Defaults and bounds of R7.1.
const (
	DefaultMessageBytes = 409600
	DefaultMaxMessages  = 100
	DefaultSetAside     = 1000
	leastMessageBytes   = 100
)

// Bus is one bus. Make it with New.
type Bus struct {
	config          Config
	maxMessageBytes uint32
	verbose         bool
	reportBinds     bool
	stopping        bool

	nextKsock, nextSerial uint32 // 0 until first used, as the stats report shows (R8.4)

	ksocks   map[uint32]*Ksock
	newest   *Ksock // of the list of open Ksocks, newest first
	bindings bindings
	accounts accounts
	store    store
	aside    setAside
	guard    Guard
	carriage carriage
	plan     plan
	wakes    wakes
}

// New makes an empty bus.
func New(c Config) *Bus {
	setDefault(&c.AbsMaxMessageBytes, max(DefaultMessageBytes, c.MaxMessageBytes))
	setDefault(&c.MaxMessageBytes, min(DefaultMessageBytes, c.AbsMaxMessageBytes))
	setDefault(&c.MaxMessages, DefaultMaxMessages)
	setDefault(&c.MaxSetAside, DefaultSetAside)
	setDefault(&c.Incarnation, 1)
	b := &Bus{config: c, maxMessageBytes: c.MaxMessageBytes, ksocks: map[uint32]*Ksock{}}
	b.nextKsock, b.nextSerial = c.FirstKsock, c.FirstSerial
	b.bindings.init()
	b.accounts.limits = c.Limits
	return b
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Open makes a Ksock (R3.9): OK, ErrUserConnections or ErrBusConnections.
func (b *Bus) Open(o Owner) (*Ksock, message.Condition) {
	acct, c := b.accounts.open(o.UID)
	if c != message.OK {
		return nil, c
	}
	k := &Ksock{id: next(&b.nextKsock), owner: o, account: acct, maxMessages: b.config.MaxMessages, open: true}
	k.older = b.newest
	if b.newest != nil {
		b.newest.newer = k
	}
	b.newest = k
	b.ksocks[k.id] = k
	return k, message.OK
}

// next gives the next number of a counter that starts at 1 and skips 0 when it wraps (R1.7, R1.12).
func next(counter *uint32) uint32 {
	if *counter == 0 {
		*counter = 1
	}
	n := *counter
	*counter++
	return n
}

// nextID is the id of a message that is sent on this bus.
func (b *Bus) nextID() message.ID { return message.ID{Serial: next(&b.nextSerial)} }

// forget takes a closed Ksock out of the lists.
func (b *Bus) forget(k *Ksock) {
	if k.newer != nil {
		k.newer.older = k.older
	} else {
		b.newest = k.older
	}
	if k.older != nil {
		k.older.newer = k.newer
	}
	k.older, k.newer = nil, nil
	if b.ksocks[k.id] != k {
		return
	}
	delete(b.ksocks, k.id)
	for other := b.newest; other != nil; other = other.older { // after 2^32 opens an old Ksock may share the id (R1.7)
		if other.id == k.id {
			b.ksocks[k.id] = other
			return
		}
	}
}

// Ksocks yields the open Ksocks, newest first, each as it is now: what was taken through its window has left its queue.
func (b *Bus) Ksocks() iter.Seq[*Ksock] {
	return func(yield func(*Ksock) bool) {
		for k := b.newest; k != nil; k = k.older {
			b.Settle(k)
			if !yield(k) {
				return
			}
		}
	}
}

// Stop makes the bus refuse new Requests with ErrStopping; those that wait for room fail too. Everything else goes on,
// so that what is outstanding can be answered and what is queued can be read.
func (b *Bus) Stop() {
	b.stopping = true
	b.wakes.allPending()
}
