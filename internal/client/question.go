package client

import (
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Question is one operation on its way to the bus, and then its answer. The caller sets the fields of the Operation before
// Start, and reads those of the Answer when Answered is set. Questions are used again, so that asking allocates nothing.
//
// (The protocol calls it a request. Here that would be one word for two things, for a Request is a message.)
type Question struct {
	Operation
	Tag       any  // the caller's own, kept when the Question is used again
	Pointless bool // there is a reason not to wait for it any longer
	underWay
	Answer
}

// Operation is what is asked.
type Operation struct {
	Op      wire.Op
	Flags   wire.Flags
	Arg     uint32
	Text    string           // payload: a name
	ID      message.ID       // payload of NextReply
	Bytes   []byte           // payload of Hello, Write and what Limpets ask
	Message *message.Message // payload of SendMessage, SendToListeners and Call
	Request bool             // it sends a Request; Start sets it if there is a Message
	Into    *message.Message // where a message in the answer goes; nil for a new one
}

// underWay is what the Core knows of a Question between the two.
type underWay struct {
	seq       uint32
	orphan    bool      // nobody will ever wait for it: the Core deals with its answer
	canceling bool      // the bus has been told that we have given up
	next      *Question // it is pointless if this one fails
	upTo      uint64    // results for a Pipe that it waits for; see piped
}

// Answer is what the bus has answered.
type Answer struct {
	Answered  bool
	Condition message.Condition
	Number    uint32           // the argument of the answer
	Sent      wire.Sent        // of the operations that send; its ID also of a Call that ended without an answer, and LastSent
	Got       *message.Message // the message, nil if there was none
	Awaited   bool             // somebody waits for the room that this message has left
	Payload   []byte           // a copy, of the operations that answer with more than that
	Reason    string           // what the bus said to a condition
}

// questions are those of a Core.
type questions struct {
	seq       uint32
	waiting   map[uint32]*Question // asked and not answered
	spare     []*Question
	completed []*Question // answered, and not told to the caller
}

// Question gives a fresh one.
func (a *questions) Question(op wire.Op) *Question {
	if n := len(a.spare); n > 0 {
		q := a.spare[n-1]
		a.spare = a.spare[:n-1]
		q.Op = op
		return q
	}
	return &Question{Operation: Operation{Op: op}}
}

// Release takes a Question back. An orphan is taken back when its answer has come.
func (a *questions) Release(q *Question) {
	if !q.orphan {
		*q = Question{Tag: q.Tag}
		a.spare = append(a.spare, q)
	}
}

// Abandon says that nobody waits for a Question that has been started. A message that its answer may still bring goes to
// the next reader, and a Bind that succeeds is undone.
func (c *Core) Abandon(q *Question) {
	if !q.Answered {
		q.orphan, q.next = true, nil
	}
}

// waits tells the operations that the bus answers when there is something to say, and that can be canceled.
func (q *Question) waits() bool {
	switch q.Op {
	case wire.OpNextWait, wire.OpNextReply, wire.OpCall, wire.OpWaitSent, wire.OpNextBindRequest:
		return true
	}
	return false
}

// Canceled reports whether the Question ended as one does that has been given up.
func (q *Question) Canceled() bool { return q.canceling && q.Condition == message.ErrCanceled }

// Fail is the error that the answer stands for, nil if all went well.
func (q *Question) Fail() error {
	if q.Condition == message.OK {
		return nil
	}
	return q.Failure(q.Condition)
}

// Failure says of the Question why it failed.
func (q *Question) Failure(cause error) error {
	f := &Failure{Op: Verb(q.Op), Name: q.Text, ID: q.ID, Err: cause, Text: q.Reason}
	if q.Message != nil {
		f.Name = q.Message.Name
	}
	if !q.Sent.ID.IsZero() {
		f.ID = q.Sent.ID
	}
	return f
}
