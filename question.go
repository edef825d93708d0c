package kbus

import (
	"kbus/internal/wire"
	"kbus/message"
)

// question is one request on its way to the bus, and then its answer. The fields above the line are set by whoever
// asks, those below by whoever receives the answer; conn.mu guards all of them while the question is out. Questions
// are used again, so that asking allocates nothing.
type question struct {
	op      wire.Op
	flags   wire.Flags
	arg     uint32
	text    string   // payload: a name
	id      ID       // payload of NextReply
	bytes   []byte   // payload of Hello, Write and what Limpets ask
	message *Message // payload of SendMessage, SendToListeners and Call
	into    *Message // where a message in the answer goes; nil for a new one

	request   bool // message is a Request
	seq       uint32
	wake      chan struct{} // holds one token: the answer is there, or it is time to lead
	attended  bool          // somebody waits for it in conn.await
	orphan    bool          // nobody ever will: whoever receives the answer deals with it
	awaited   bool          // somebody waits for the room that a claimed message has left
	canceling bool          // the bus has been told that we have given up
	pointless bool          // there is a reason not to wait for it any longer
	next      *question     // it is pointless if this one fails
	upTo      uint64        // results for a Pipe that it waits for; see piped

	answered  bool
	condition message.Condition
	number    uint32    // the argument of the answer
	sent      wire.Sent // of the operations that send; its ID also of a Call that ended without an answer, and LastSent
	got       *Message  // the message, nil if there was none
	payload   []byte    // a copy, of the operations that answer with more than that
	said      string    // what the bus said to a condition
}

// waits tells the operations that the bus answers when there is something to say, and that can be canceled.
func (q *question) waits() bool {
	switch q.op {
	case wire.OpNextWait, wire.OpNextReply, wire.OpCall, wire.OpWaitSent, wire.OpNextClaim:
		return true
	}
	return false
}

// clear makes the question ready for its next use, and lets go of everything it refers to.
func (q *question) clear() {
	select {
	case <-q.wake: // a token of the last use that nobody waited for
	default:
	}
	*q = question{wake: q.wake}
}

// verbs are how errors name the operations.
var verbs = [...]string{
	wire.OpHello:              "open",
	wire.OpReset:              "reset",
	wire.OpBind:               "bind",
	wire.OpUnbind:             "unbind",
	wire.OpReplier:            "find Replier",
	wire.OpNext:               "next",
	wire.OpNextWait:           "receive",
	wire.OpNextReply:          "wait for the answer to",
	wire.OpSendMessage:        "send",
	wire.OpCall:               "call",
	wire.OpResend:             "send again",
	wire.OpDiscard:            "discard",
	wire.OpWaitSent:           "wait until sent",
	wire.OpPoll:               "poll",
	wire.OpLastSent:           "last sent",
	wire.OpMaxMessages:        "max messages",
	wire.OpNumMessages:        "number of messages",
	wire.OpNumUnreplied:       "number of unreplied",
	wire.OpOnlyOnce:           "only once",
	wire.OpVerbose:            "verbose",
	wire.OpReportReplierBinds: "report Replier binds",
	wire.OpMaxMessageSize:     "max message size",
	wire.OpNewBus:             "new bus",
	wire.OpWrite:              "write",
	wire.OpSend:               "send",
	wire.OpNextMsg:            "next",
	wire.OpRead:               "read",
	wire.OpLenLeft:            "length left",
	wire.OpBindingsReport:     "bindings report",
	wire.OpStatsReport:        "stats report",
	wire.OpList:               "list",
	wire.OpWho:                "who",
	wire.OpInfo:               "info",
	wire.OpSendToListeners:    "send to listeners",
	wire.OpFederate:           "federate",
	wire.OpNextClaim:          "next claim",
	wire.OpDecide:             "decide",
	wire.OpEvict:              "evict",
	wire.OpCarry:              "carry",
	wire.OpBindProxy:          "bind",
	wire.OpVouch:              "vouch",
}

// fail is the error that the answer stands for, nil if all went well.
func (q *question) fail() error {
	if q.condition == message.OK {
		return nil
	}
	return q.failure(q.condition)
}

func (q *question) failure(cause error) error {
	e := &Error{Op: verbs[q.op], Name: q.text, ID: q.id, Err: cause, Text: q.said}
	if q.message != nil {
		e.Name = q.message.Name
	}
	if !q.sent.ID.IsZero() {
		e.ID = q.sent.ID
	}
	return e
}
