// Package model is the dumb twin of the bus: one bus again, written from the specification alone. It shares no code
// with package bus and is never in a program; tests run both on the same operations and compare every outcome.
//
// It is meant to be obviously right, and nothing else. Everything is a plain slice that is searched from one end to
// the other, messages are copied whenever they move, nothing is kept that can be counted, and each function names the
// rules that it transcribes. Where a rule reads badly, follow this code.
//
// The file history.go is independent of the rest: it judges what clients of any running bus have seen.
package model

import "kbus/message"

// Config says how a new bus starts. A zero field takes the default that is given with it.
type Config struct {
	MaxMessages        uint32 // queue limit that a Ksock starts with; 100 (R7.1)
	MaxMessageBytes    uint32 // entire length that a message may have; 409600 (Q9)
	AbsMaxMessageBytes uint32 // what MaxMessageBytes may be raised to; 409600 (Q9)
	MaxSetAside        int    // events that may be set aside on the bus; 1000 (R6.21)
	FirstKsock         uint32 // id of the first Ksock; 1 (R1.7)
	FirstSerial        uint32 // serial number of the first message; 1 (R1.12)
	Incarnation        uint32 // what other buses know this life of the bus by; 1
}

// Bus is the state of one bus (R1.5). It is not safe for concurrent use.
type Bus struct {
	config      Config
	ksocks      []*Ksock   // in order of opening
	bindings    []*binding // newest first (R1.29)
	aside       []copied   // set-aside events, oldest first (R6.20)
	tragic      bool       // the set-aside list has overflowed (R6.21)
	nextKsock   uint32
	nextSerial  uint32
	maxBytes    uint32
	verbose     uint32
	reportBinds uint32
	stopping    bool
	woken       []*Ksock // see Woken
	heard       []heard  // what has been carried here, in that order
}

// Ksock is one open Ksock (R1.8). What is being read is the caller's affair, and so is all of writing but for the
// message that waits for room.
type Ksock struct {
	id          uint32
	queue       []copied // front first
	maxMessages uint32
	pending     *message.Message // what SEND left as EAGAIN (R3.66), nil when not sending
	aside       bool             // pending is for Listeners only (B24)
	lastSent    message.ID
	outstanding []message.ID // Requests sent and not answered (R4.38); may hold an id twice (R4.40)
	unreplied   []request    // Requests popped and not replied to (R4.39), the last popped first
	onlyOnce    uint32
	lastPushed  message.ID // (R4.28)
	carries     bool       // messages from other buses
	network     uint32     // which network the bus is, as this Ksock says; 0 if it does not

	outstandingMost, unrepliedMost int // the longest that these lists have been (R8.6)
}

// binding is one binding (R1.25). Two equal ones are told apart by their addresses.
type binding struct {
	ksock   *Ksock
	replier bool
	name    string
	of      message.Origin // whose proxy it is
}

// copied is one recipient's copy of a message.
type copied struct {
	message.Message
	to     *Ksock
	via    *binding // nil: through no binding, so no unbind removes it (R6.4)
	looked bool     // NextAnswer has looked at it
}

// request is an entry of the unreplied list: which Request, and whose (F12).
type request struct {
	id   message.ID
	from uint32
}

// New makes an empty bus.
func New(c Config) *Bus {
	return &Bus{
		config:     c,
		nextKsock:  c.FirstKsock,
		nextSerial: c.FirstSerial,
		maxBytes:   or(c.MaxMessageBytes, 409600),
	}
}

func or[N uint32 | int](n, otherwise N) N {
	if n == 0 {
		return otherwise
	}
	return n
}

// allocate gives the next number of a counter that starts at 1, skips 0 (R1.7, R1.12), and is 0 until it is first used
// (R8.4).
func allocate(counter *uint32) uint32 {
	n := or(*counter, 1)
	*counter = n + 1
	return n
}

// localID is the id of a message that the bus makes, or that is sent on it with network id 0 (R1.11, R1.12).
func (b *Bus) localID() message.ID { return message.ID{Serial: allocate(&b.nextSerial)} }

// Open opens a Ksock (R1.7, R1.8, R3.9).
func (b *Bus) Open() *Ksock {
	k := &Ksock{id: allocate(&b.nextKsock), maxMessages: or(b.config.MaxMessages, 100)}
	b.ksocks = append(b.ksocks, k)
	return k
}

// Close closes a Ksock in the order of R6.7. Steps 1 and 2 (what it was reading and writing, R3.11) need nothing.
func (b *Bus) Close(k *Ksock) {
	k.outstanding = nil // 3
	for len(k.queue) > 0 {
		m := k.queue[0]
		k.queue = k.queue[1:]
		if m.Flags.Has(message.WantYouToReply) && m.From != k.id { // 4; F13
			b.status(message.NameGoneAway, k.id, request{m.ID, m.From})
		}
	}
	for _, x := range clone(b.bindings) { // 5
		if x.ksock == k {
			if x.replier && b.reportBinds == 1 {
				b.safeUnbindEvent(x, k)
			}
			b.removeBinding(x)
		}
	}
	b.dropAside(func(m copied) bool { return m.to == k }) // 6
	for _, r := range k.unreplied {                       // 7
		b.status(message.NameIgnored, k.id, r)
	}
	b.ksocks = without(b.ksocks, k) // 8
}

// ksock is the open Ksock of that id, nil if there is none.
func (b *Bus) ksock(id uint32) *Ksock {
	for _, k := range b.ksocks {
		if k.id == id {
			return k
		}
	}
	return nil
}

func clone[T any](s []T) []T { return append([]T(nil), s...) }

// without is s without the first element that equals e, in a new slice.
func without[T comparable](s []T, e T) []T {
	for i := range s {
		if s[i] == e {
			return withoutAt(s, i)
		}
	}
	return s
}

func withoutAt[T any](s []T, i int) []T { return append(clone(s[:i]), s[i+1:]...) }

func contains[T comparable](s []T, e T) bool { return len(without(s, e)) < len(s) }
