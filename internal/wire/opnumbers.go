package wire

// The numbers of the operations are fixed for ever; a new one takes a new number. Every operation of part 3 of the
// specification has one, so a client needs nothing but a socket.

// The argument of Bind and Unbind.
const (
	AsListener uint32 = 0
	AsReplier  uint32 = 1
	AsStandby  uint32 = 2 // Replier, or standby where there is one; older servers take it for 1
)

// Op is the number of an operation.
type Op uint8

const (
	OpHello       Op = 1  // must come first, and only once
	OpReset       Op = 2  // R3.13
	OpBind        Op = 3  // R3.20
	OpUnbind      Op = 4  // R3.27
	OpReplier     Op = 5  // R3.31
	OpNext        Op = 6  // R3.35, whole messages, those that are there
	OpNextWait    Op = 7  // OpNext, answered when there is a message
	OpNextReply   Op = 8  // takes the answer to one Request, wherever it stands in the queue
	OpSendMessage Op = 9  // R3.65, a whole message
	OpCall        Op = 10 // OpSendMessage of a Request, answered with its Reply or Status
	OpResend      Op = 11 // R3.68: SEND on the message that waits for room
	OpDiscard     Op = 12 // R3.71
	OpWaitSent    Op = 13 // answered when no message of this Ksock waits for room
	OpPoll        Op = 14 // R3.90 - R3.92
	OpCancel      Op = 15 // gives a waiting request up

	OpLastSent           Op = 16 // R3.72
	OpMaxMessages        Op = 17 // R3.73
	OpNumMessages        Op = 18 // R3.75
	OpNumUnreplied       Op = 19 // R3.76
	OpOnlyOnce           Op = 20 // R3.77
	OpVerbose            Op = 21 // R3.78
	OpReportReplierBinds Op = 22 // R3.83
	OpMaxMessageSize     Op = 23 // R3.86
	OpNewBus             Op = 24 // R3.81

	OpWrite   Op = 25 // R3.55
	OpSend    Op = 26 // R3.65, what has been written
	OpNextMsg Op = 27 // R3.35, to be read by OpRead
	OpRead    Op = 28 // R3.40
	OpLenLeft Op = 29 // R3.45

	OpBindingsReport Op = 30 // R8.2
	OpStatsReport    Op = 31 // R8.4 - R8.7
	OpList           Op = 32 // all Ksocks
	OpWho            Op = 33 // the Ksocks that would get a message of that name
	OpInfo           Op = 34 // figures of the whole bus

	OpStopping Op = 35 // event: the bus is ending in order

	OpSendToListeners Op = 36 // OpSendMessage of what was only overheard on another bus (B24)
	OpFederate        Op = 37 // makes this Ksock the federator
	OpNextBindRequest Op = 38 // answered when a Ksock wants to become a Replier
	OpDecide          Op = 39 // the federator's word on a bind request
	OpEvict           Op = 40 // takes a Replier's binding away

	OpWaitReadable Op = 41 // answered when there is a message to be read, which stays where it is

	OpCarry     Op = 42 // makes this Ksock one that carries messages from other buses
	OpBindProxy Op = 43 // OpBind in the stead of a Replier elsewhere
	OpVouch     Op = 44 // until when the federator answers for the Repliers of the bus

	OpGiveUp Op = 45 // OpCancel of a request that waits for an answer, and the answer is not wanted any more
	OpMissed Op = 46 // what this Ksock missed because its queue was full (R4.18)
	OpPeer   Op = 47 // the process behind a Ksock

	OpTap    Op = 48 // begins to show what the bus does
	OpTapped Op = 49 // event: something that it did

	OpServices Op = 50 // the names that can be started, and how it is with them
	OpDescribe Op = 51 // attaches a card to a name
	OpCard     Op = 52 // the card of a name
)
