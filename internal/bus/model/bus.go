// Package model is the dumb twin of the bus: one bus again, written from the specification alone. It shares no code
// with package bus and is never in a program; tests run both on the same operations and compare every outcome.
//
// It is meant to be obviously right, and nothing else. Everything is a plain slice that is searched from one end to
// the other, messages are copied whenever they move, nothing is kept that can be counted, and each function names the
// rules that it transcribes. Where a rule reads badly, follow this code.
//
// The file history.go is independent of the rest: it judges what clients of any running bus have seen.
package model

import "kbus.example/kbus/message"

// Config says how a new bus starts. A zero field takes the default that is given with it.
type Config struct {
	MaxMessages        uint32 // queue limit that a Ksock starts with; 100 (R7.1)
	MaxMessageBytes    uint32 // entire length that a message may have; 409600 (Q9)
	AbsMaxMessageBytes uint32 // what MaxMessageBytes may be raised to; 409600 (Q9)
	MaxHeld            int    // Requests held for one name; 100
	MaxSetAside        int    // events that may be set aside on the bus; 1000 (R6.21)
	FirstKsock         uint32 // id of the first Ksock; 1 (R1.7)
	FirstSerial        uint32 // serial number of the first message; 1 (R1.12)
	Incarnation        uint32 // what other buses know this life of the bus by; 1
	UserQueueBytes     int    // bytes that a user may be charged; no limit
	QueueBytes         int    // and all, see fits; no limit
	UserWildcards      int    // wildcard bindings of a user; no limit
}

// Bus is the state of one bus (R1.5). It is not safe for concurrent use.
type Bus struct {
	config   Config
	ksocks   []*Ksock   // in order of opening
	bindings []*binding // newest first (R1.29)
	woken    []*Ksock   // see Woken
	missed   *missing   // the message under way, for the Listeners that miss it
	seen     []seen     // what has been carried here, in that order
	counters
	switches
	asides
	owing
	starting
}

// counters is what was given out last.
type counters struct {
	nextKsock  uint32
	nextSerial uint32
	numbers    int // given to messages, see copied
}

// switches is those of the whole bus.
type switches struct {
	maxBytes    uint32
	verbose     uint32
	reportBinds uint32
	strictAsk   bool // for bind events, see askNoMore
	stopping    bool
}

// asides is the list of all Ksocks together.
type asides struct {
	aside  []copied // events, oldest first (R6.20)
	tragic bool     // there have been too many (R6.21)
}

// Ksock is one open Ksock (R1.8). What is being read is the caller's affair, and so is all of writing but for the
// message that waits for room.
type Ksock struct {
	id          message.KsockID
	uid         uint32
	queue       []copied // front first
	maxMessages uint32
	onlyOnce    uint32
	lastPushed  message.ID // (R4.28)
	original    bool       // names of letters and digits only (F50), and strict (F42)
	limpet
	outgoing
	dialogue
	events
	misses
}

// limpet is what only Limpets say of their Ksocks.
type limpet struct {
	carries bool   // messages from other buses
	network uint32 // which network the bus is, as this Ksock says; 0 if it does not
}

// outgoing is what a Ksock sends.
type outgoing struct {
	pending  *message.Message // what SEND left as EAGAIN (R3.66), nil when not sending
	aside    bool             // pending is for Listeners only (B24)
	number   int              // of pending
	lastSent message.ID
}

// dialogue is the Requests of a Ksock, and those that it has been asked.
type dialogue struct {
	outstanding []message.ID // sent and not answered (R4.38); may hold an id twice (R4.40)
	unreplied   []request    // popped and not replied to (R4.39), the last popped first
	givenUp     []message.ID // those whose answers it does not want (F44)

	outstandingMost, unrepliedMost int // the longest that these lists have been (R8.6)
}

// events is a Ksock's part in bind events.
type events struct {
	asks   bool // for them (F45)
	tragic bool // its own set-aside events have been too many
}

// misses is what a Ksock did not get (F46).
type misses struct {
	missedTotal uint64   // messages
	missed      uint32   // since one was last put at the back of the queue
	notified    uint32   // with the message taken last
	lastMissed  *missing // message
}

// missing is one message, for telling whether a Ksock has missed it already. (A byte, or all would have one address.)
type missing struct{ _ byte }

// binding is one binding (R1.25). Two equal ones differ by their addresses.
type binding struct {
	ksock   *Ksock
	replier bool
	standby bool // becomes the Replier's when that goes
	name    string
	of      message.Origin // the Replier that it is a proxy of
	card    []byte
}

// copied is one recipient's copy of a message.
type copied struct {
	message.Message
	to     *Ksock
	via    *binding // nil: through no binding, so no unbind removes it (R6.4)
	looked bool     // NextAnswer has looked at it
	number int      // the same for all copies of one message, and for no others
}

// request is an entry of the unreplied list: a Request and its sender (F12).
type request struct {
	id   message.ID
	from message.KsockID
}

// New makes an empty bus.
func New(c Config) *Bus {
	return &Bus{
		config:   c,
		counters: counters{nextKsock: c.FirstKsock, nextSerial: c.FirstSerial},
		switches: switches{maxBytes: or(c.MaxMessageBytes, 409600)},
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

// newNumber is the number of one more message.
func (b *Bus) newNumber() int {
	b.numbers++
	return b.numbers
}

// Open opens a Ksock (R1.7, R1.8, R3.9) for a user, an original one or not; it may administer the bus.
func (b *Bus) Open(uid uint32, original bool) *Ksock {
	k := &Ksock{id: message.KsockID(allocate(&b.nextKsock)), uid: uid, original: original, maxMessages: or(b.config.MaxMessages, 100)}
	b.ksocks = append(b.ksocks, k)
	return k
}

// Close closes a Ksock in the order of R6.7. Steps 1 and 2 (what it was reading and writing, R3.11) need nothing.
func (b *Bus) Close(k *Ksock) {
	k.pending = nil
	k.outstanding = nil // 3
	for len(k.queue) > 0 {
		m := k.queue[0]
		k.queue = k.queue[1:]
		if m.Flags.Has(message.WantYouToReply) && (m.From != k.id || b.later) { // 4; F13
			answer(b, message.NameGoneAway, k.id, request{m.ID, m.From})
		}
	}
	for _, x := range clone(b.bindings) { // 5
		if x.ksock == k {
			if x.replier && b.reportBinds == 1 {
				b.safeEvent(false, x, k)
			}
			b.removeBinding(x)
			if x.replier {
				promote(b, x.name, k)
			}
		}
	}
	b.askNoMore(k)
	b.dropAside(func(m copied) bool { return m.to == k }) // 6
	for _, r := range k.unreplied {                       // 7
		answer(b, message.NameIgnored, k.id, r)
	}
	b.ksocks = without(b.ksocks, k) // 8
}

// ksock is the open Ksock of that id, nil if there is none.
func (b *Bus) ksock(id message.KsockID) *Ksock {
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
