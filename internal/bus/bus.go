// Package bus is one KBUS bus: names, bindings, queues, Requests and the answers that are owed for them. It is a state
// machine. An operation goes in, an outcome comes out, and nothing else happens: no I/O, no clock, no lock, no
// goroutine, no log. The order in which operations are applied is the total order of the bus.
//
// A Bus is not safe for concurrent use; one goroutine owns it. After each operation the owner answers the client that
// asked, then looks at Woken and Due for what else it has to do.
//
// A Bus is made of parts, each a type with a file: roster.go, route.go (bindings), limits.go (accounts), store.go, administer.go
// (switches), rules.go (permission), carried.go, plan.go (sending), litter.go, tap.go and wake.go. What needs one part only is a
// method of that part.
//
// The way of a message, file by file: send.go decides and pushes, route.go finds the bindings, queue.go and store.go
// hold the message, charge.go charges the user that holds it, next.go takes it out. reply.go keeps account of Requests
// without an answer, status.go makes the answers that no Replier will give, close.go and bind.go deal with queued
// messages when a Ksock or a binding goes.
package bus

import (
	"iter"

	"kbus.example/kbus/message"
)

// Config is what a bus starts with. Zero fields take the defaults.
type Config struct {
	MaxMessageBytes    uint32 // longest message, entire form (R3.86); default DefaultMessageBytes
	AbsMaxMessageBytes uint32 // most that MaxMessageBytes can be set to; default DefaultMessageBytes
	MaxMessages        uint32 // queue limit of a new Ksock, messages; default 100
	MaxSetAside        int    // set-aside unbind events, messages (R6.21); default 1000
	MaxHeld            int    // Requests held for one startable name; default 100
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
	config   Config
	bindings bindings
	accounts
	store store

	roster     // who is there
	switches   // what is turned on
	permission // who may do what
	carriage   // what comes from other buses
	sending    // what there is to know while a message is being sent
	litter     // what is left of large operations
	tapped     // who looks on
	wakes      // what the owner has to do
}

// New makes an empty bus.
func New(c Config) *Bus {
	setDefault(&c.AbsMaxMessageBytes, max(DefaultMessageBytes, c.MaxMessageBytes))
	setDefault(&c.MaxMessageBytes, min(DefaultMessageBytes, c.AbsMaxMessageBytes))
	setDefault(&c.MaxMessages, DefaultMaxMessages)
	setDefault(&c.MaxSetAside, DefaultSetAside)
	setDefault(&c.MaxHeld, DefaultHeld)
	setDefault(&c.Incarnation, 1)
	b := &Bus{config: c}
	b.maxMessageBytes, b.ksocks, b.store.entries = c.MaxMessageBytes, map[message.KsockID]*Ksock{}, &pool[entry]{}
	b.litter.bus, b.startable.of, b.tries = b, b, -1
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
		b.showOpen(o, nil, c)
		return nil, c
	}
	k := &Ksock{}
	k.id, k.owner, k.account, k.open = message.KsockID(next(&b.nextKsock)), o, acct, true
	k.maxMessages = b.config.MaxMessages
	k.strict = o.Original && b.administers(k)
	if k.strict {
		b.askers.strictOpen++
	}
	b.departed.arrive(k.id)
	k.queue.entries.pool = b.store.entries
	b.enter(k)
	b.showOpen(o, k, message.OK)
	return k, message.OK
}

// Ksocks yields the open Ksocks, newest first, each as it is now: what was taken through its window has left its queue.
func (b *Bus) Ksocks() iter.Seq[*Ksock] {
	return func(yield func(*Ksock) bool) {
		for k := b.newest; k != nil; k = k.older {
			b.SyncWindow(k)
			if !yield(k) {
				return
			}
		}
	}
}

// Stop makes the bus refuse new Requests with ErrStopping; those that wait for room fail too, and so do those that are
// held. Everything else goes on, so that what is outstanding can be answered and what is queued can be read.
func (b *Bus) Stop() {
	b.stopping = true
	b.failHeld(func(*room) bool { return true }, "the bus is stopping")
	b.wakes.allPending()
}
