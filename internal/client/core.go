// Package client is the rules of a client: what is outstanding, in which order messages are handed out, what becomes of an
// answer that nobody waits for any more, and what a program is told when the bus is lost. It is pure: operations and bytes
// in, bytes and completions out, with no lock, clock, context or I/O. What it does depends on what it was given and on
// nothing else, so the scripts in testdata can show every rule without a bus.
//
// A Core is not safe for concurrent use. Package driver gives it a lock, a link and the goroutines that wait.
//
// After each call the caller owes two things, in this order: it sends what Out has, at once if Hurry says so; and it wakes
// those that wait for the questions that Completed gives.
package client

import (
	"fmt"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Core is one connection to a bus, as its client knows it.
type Core struct {
	terms
	ending
	options   Options
	questions // what was asked, and what has come of it
	outgoing  // what the link has not taken yet
	in        recvbuf
	names     names
	inbox     // what has come and nobody has received
	reading   // what the window shows
	borrowed  // what is looked at in place
	piped     // what Pipes have sent
	asked     // what the bus owes an answer to
}

// terms are what the bus said to the Hello. They do not change.
type terms struct {
	ID                 message.KsockID // of our Ksock
	Bus                uint32
	AbsMaxMessageBytes uint32
	marks              wire.Marks // what may follow a message
}

// ending is whether the connection lasts.
type ending struct {
	ended    message.Condition // ErrClosed or ErrBusGone; OK while it lasts
	stopping bool              // the bus has said that it is ending
}

// Options are what a program may choose.
type Options struct {
	KeepLate  bool   // an answer to a Call that was given up comes as any other message
	ReadAhead uint32 // messages that one question may bring
}

// New makes a Core of a connection that has just been made.
func New(o Options) *Core {
	return &Core{options: o, questions: questions{waiting: map[uint32]*Question{}}}
}

// Hello is the first question. mode is that of a Ksock, or 0 for an observer.
func (c *Core) Hello(mode, features uint32) *Question {
	q := c.Question(wire.OpHello)
	q.Arg = mode
	q.Bytes = wire.AppendHello(nil, wire.Hello{Lowest: wire.Version, Highest: wire.Version, Features: features})
	return q
}

// Welcome takes the answer to it, and gives what was granted.
func (t *terms) Welcome(q *Question) (features uint32, err error) {
	w, ok := wire.ParseWelcome(q.Payload)
	if !ok || w.Version != wire.Version {
		return 0, Unexpected("to hello")
	}
	t.ID, t.Bus, t.AbsMaxMessageBytes = message.KsockID(q.Number), w.Bus, w.AbsMaxMessageBytes
	t.marks = wire.MarksOf(w.Features)
	return w.Features, nil
}

// Ended is ErrClosed or ErrBusGone; OK while the connection lasts.
func (e *ending) Ended() message.Condition { return e.ended }

// ReadAhead is how many messages one question may bring.
func (c *Core) ReadAhead() uint32 { return c.options.ReadAhead }

// Completed gives the questions that have been completed since the last call: by an answer, or because there is a reason
// not to wait any longer. The list is good until the next call of the Core.
func (a *questions) Completed() []*Question {
	done := a.completed
	a.completed = done[:0]
	return done
}

// Unexpected is what the other end may not say: it speaks another protocol, or is broken. It ends the connection.
func Unexpected(format string, args ...any) error {
	return fmt.Errorf("unexpected answer: "+format, args...)
}
