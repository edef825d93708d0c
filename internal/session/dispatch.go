package session

import (
	"fmt"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Who may ask an operation and how long its payload is stands in one table (wire.Operation); what does it, here. A payload
// of another length cannot be a mistake of the moment: the client does not speak the protocol, and its connection ends before it does
// harm. What a user can get wrong (a name, a mode, a number out of range) is a condition, and the connection goes on.

// handlers is what does each operation, but those that carry a message.
var handlers = [...]func(*Session, wire.Header, []byte){
	wire.OpReset:              func(s *Session, h wire.Header, _ []byte) { s.result(h, message.OK, 0) },
	wire.OpBind:               (*Session).bind,
	wire.OpUnbind:             (*Session).unbind,
	wire.OpReplier:            (*Session).replier,
	wire.OpNext:               (*Session).next,
	wire.OpNextWait:           (*Session).nextWait,
	wire.OpNextReply:          (*Session).nextReply,
	wire.OpResend:             (*Session).resend,
	wire.OpDiscard:            (*Session).discard,
	wire.OpWaitSent:           (*Session).waitSent,
	wire.OpPoll:               (*Session).poll,
	wire.OpCancel:             (*Session).cancel,
	wire.OpLastSent:           (*Session).lastSent,
	wire.OpMaxMessages:        (*Session).maxMessages,
	wire.OpNumMessages:        (*Session).numMessages,
	wire.OpNumUnreplied:       (*Session).numUnreplied,
	wire.OpOnlyOnce:           (*Session).onlyOnce,
	wire.OpVerbose:            (*Session).verbose,
	wire.OpReportReplierBinds: (*Session).reportReplierBinds,
	wire.OpMaxMessageSize:     (*Session).maxMessageSize,
	wire.OpNewBus:             (*Session).newBus,
	wire.OpWrite:              (*Session).write,
	wire.OpSend:               (*Session).send,
	wire.OpNextMsg:            (*Session).nextMsg,
	wire.OpRead:               (*Session).read,
	wire.OpLenLeft:            (*Session).lenLeft,
	wire.OpBindingsReport:     (*Session).bindingsReport,
	wire.OpStatsReport:        (*Session).statsReport,
	wire.OpList:               (*Session).list,
	wire.OpWho:                (*Session).who,
	wire.OpInfo:               (*Session).info,
	wire.OpCarry:              (*Session).carry,
	wire.OpBindProxy:          (*Session).bindProxy,
	wire.OpFederate:           (*Session).federate,
	wire.OpVouch:              (*Session).vouch,
	wire.OpNextBindRequest:    (*Session).nextBindRequest,
	wire.OpDecide:             (*Session).decide,
	wire.OpEvict:              (*Session).evict,
	wire.OpWaitReadable:       (*Session).waitReadable,
	wire.OpGiveUp:             (*Session).giveUpAnswer,
	wire.OpMissed:             (*Session).missed,
	wire.OpPeer:               (*Session).peerOf,
	wire.OpTap:                (*Session).beginTap,
	wire.OpServices:           services,
	wire.OpDescribe:           describe,
	wire.OpCard:               cardOf,
}

// senders is what does those: data is the data of the message if it does not stand in the payload, see HandleBody.
var senders = [...]func(s *Session, h wire.Header, payload, data []byte){
	wire.OpSendMessage:     (*Session).sendMessage,
	wire.OpCall:            (*Session).call,
	wire.OpSendToListeners: (*Session).sendToListeners,
}

func (s *Session) dispatch(h wire.Header, payload, data []byte) {
	rules := h.Op.Rules()
	switch {
	case !s.greeted && h.Op != wire.OpHello:
		s.violate(h, "the first frame is not a Hello")
	case h.Condition != message.OK:
		s.violate(h, "a request has a condition")
	case h.Flags&^wire.Lazy != 0:
		s.violate(h, fmt.Sprintf("unknown flags %#x", uint8(h.Flags)))
	case rules == nil || rules.Needs == wire.Nobody:
		s.result(h, message.ErrUnknownOperation, 0)
	case rules.Needs == wire.Stranger:
		s.hello(h, payload)
	case rules.Payload != wire.AnyLength && rules.Payload != len(payload):
		s.violate(h, fmt.Sprintf("a payload of %d bytes, not %d", len(payload), rules.Payload))
	case !s.may(rules.Needs):
		s.result(h, message.ErrWrongMode, 0)
	case s.deaf && rules.ResultOnly:
	case int(h.Op) < len(senders) && senders[h.Op] != nil:
		senders[h.Op](s, h, payload, data)
	default:
		handlers[h.Op](s, h, payload)
	}
}

// may reports whether the mode that the session was opened with allows an operation. Only what takes or gives whole
// messages, and Write and Read, look at it; the rest is open to every Ksock (R3.6).
func (s *Session) may(n wire.Needs) bool {
	switch n {
	case wire.Anybody:
		return true
	case wire.Reader:
		return s.mode&wire.ModeRead != 0
	case wire.Writer:
		return s.mode&wire.ModeWrite != 0
	case wire.ReaderWriter:
		return s.mode == wire.ModeRead|wire.ModeWrite
	}
	return s.ksock != nil
}
