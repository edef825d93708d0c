package client

import (
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Failure is an operation that failed. It has the fields of kbus.Error, which it becomes on its way to the program.
type Failure struct {
	Op   string
	Name string
	ID   message.ID
	Err  error
	Text string
}

// Error names the operation and the cause.
func (f *Failure) Error() string { return f.Op + ": " + f.Err.Error() }

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

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
	wire.OpServices:           "services",
	wire.OpDescribe:           "describe",
	wire.OpCard:               "card of",
	wire.OpSendToListeners:    "send to listeners",
	wire.OpFederate:           "federate",
	wire.OpNextBindRequest:    "next bind request",
	wire.OpDecide:             "decide",
	wire.OpEvict:              "evict",
	wire.OpCarry:              "carry",
	wire.OpBindProxy:          "bind",
	wire.OpVouch:              "vouch",
	wire.OpGiveUp:             "give up",
	wire.OpMissed:             "missed",
	wire.OpPeer:               "find the process of",
}

// Verb is how errors name an operation.
func Verb(op wire.Op) string { return verbs[op] }
