package session

import (
	"fmt"

	"kbus/internal/wire"
	"kbus/message"
)

// Every operation is one row: who may ask it, how long its payload is, and what does it. A payload of another length
// cannot be a mistake of the moment: the client does not speak the protocol, and its connection ends before it does
// harm. What a user can get wrong (a name, a mode, a number out of range) is a condition, and the connection goes on.

type operation struct {
	needs   need
	payload int // exact length, or anyLength
	do      func(*Session, wire.Header, []byte)
}

type need uint8

const (
	anybody   need = iota
	aKsock         // not an observer
	toRead         // a Ksock open for reading
	toWrite        // a Ksock open for writing
	readWrite      // both
)

const anyLength = -1

var operations = [...]operation{
	wire.OpReset:       {aKsock, 0, func(s *Session, h wire.Header, _ []byte) { s.result(h, message.OK, 0) }},
	wire.OpBind:        {aKsock, anyLength, (*Session).bind},
	wire.OpUnbind:      {aKsock, anyLength, (*Session).unbind},
	wire.OpReplier:     {aKsock, anyLength, (*Session).replier},
	wire.OpNext:        {toRead, 0, (*Session).next},
	wire.OpNextWait:    {toRead, 0, (*Session).nextWait},
	wire.OpNextReply:   {toRead, wire.IDBytes, (*Session).nextReply},
	wire.OpSendMessage: {toWrite, anyLength, (*Session).sendMessage},
	wire.OpCall:        {readWrite, anyLength, (*Session).call},
	wire.OpResend:      {aKsock, 0, (*Session).resend},
	wire.OpDiscard:     {aKsock, 0, (*Session).discard},
	wire.OpWaitSent:    {aKsock, 0, (*Session).waitSent},
	wire.OpPoll:        {aKsock, 0, (*Session).poll},
	wire.OpCancel:      {aKsock, 0, (*Session).cancel},

	wire.OpLastSent:           {aKsock, 0, (*Session).lastSent},
	wire.OpMaxMessages:        {aKsock, 0, (*Session).maxMessages},
	wire.OpNumMessages:        {aKsock, 0, (*Session).numMessages},
	wire.OpNumUnreplied:       {aKsock, 0, (*Session).numUnreplied},
	wire.OpOnlyOnce:           {aKsock, 0, (*Session).onlyOnce},
	wire.OpVerbose:            {aKsock, 0, (*Session).verbose},
	wire.OpReportReplierBinds: {aKsock, 0, (*Session).reportReplierBinds},
	wire.OpMaxMessageSize:     {aKsock, 0, (*Session).maxMessageSize},
	wire.OpNewBus:             {aKsock, 0, (*Session).newBus},

	wire.OpWrite:   {toWrite, anyLength, (*Session).write},
	wire.OpSend:    {aKsock, 0, (*Session).send},
	wire.OpNextMsg: {aKsock, 0, (*Session).nextMsg},
	wire.OpRead:    {toRead, 0, (*Session).read},
	wire.OpLenLeft: {aKsock, 0, (*Session).lenLeft},

	wire.OpBindingsReport: {anybody, 0, (*Session).bindingsReport},
	wire.OpStatsReport:    {anybody, 0, (*Session).statsReport},
	wire.OpList:           {anybody, 0, (*Session).list},
	wire.OpWho:            {anybody, anyLength, (*Session).who},
	wire.OpInfo:           {anybody, 0, (*Session).info},

	wire.OpSendToListeners: {toWrite, anyLength, (*Session).sendToListeners},
	wire.OpCarry:           {aKsock, 0, (*Session).carry},
	wire.OpBindProxy:       {aKsock, anyLength, (*Session).bindProxy},
	wire.OpFederate:        {aKsock, anyLength, (*Session).federate},
	wire.OpVouch:           {aKsock, wire.VouchBytes, (*Session).vouch},
	wire.OpNextClaim:       {aKsock, 0, (*Session).nextClaim},
	wire.OpDecide:          {aKsock, wire.DecisionBytes, (*Session).decide},
	wire.OpEvict:           {aKsock, anyLength, (*Session).evict},

	wire.OpWaitReadable: {aKsock, 0, (*Session).waitReadable},
}

func (s *Session) dispatch(h wire.Header, payload []byte) {
	switch {
	case !s.greeted && h.Op != wire.OpHello:
		s.violate(h, "the first frame is not a Hello")
	case h.Condition != message.OK:
		s.violate(h, "a request has a condition")
	case h.Flags&^wire.Lazy != 0:
		s.violate(h, fmt.Sprintf("unknown flags %#x", uint8(h.Flags)))
	case h.Op == wire.OpHello:
		s.hello(h, payload)
	case int(h.Op) >= len(operations) || operations[h.Op].do == nil:
		s.result(h, message.ErrUnknownOperation, 0)
	default:
		op := &operations[h.Op]
		switch {
		case op.payload != anyLength && op.payload != len(payload):
			s.violate(h, fmt.Sprintf("a payload of %d bytes, not %d", len(payload), op.payload))
		case !s.may(op.needs):
			s.result(h, message.ErrWrongMode, 0)
		default:
			op.do(s, h, payload)
		}
	}
}

// may reports whether the mode that the session was opened with allows an operation. Only what takes or gives whole
// messages, and Write and Read, look at it; the rest is open to every Ksock (R3.6).
func (s *Session) may(n need) bool {
	switch n {
	case anybody:
		return true
	case toRead:
		return s.mode&wire.ModeRead != 0
	case toWrite:
		return s.mode&wire.ModeWrite != 0
	case readWrite:
		return s.mode == wire.ModeRead|wire.ModeWrite
	}
	return s.ksock != nil
}
