package wire

import "strconv"

// The rules of each operation stand in one table. The server goes by it; the page docs/protocol.md, the clients in Go, C
// and Python and what the server has to do each of them are compared with it by tests.

// Operation is what the protocol says of one operation.
type Operation struct {
	Name       string // as in docs/protocol.md
	Needs      Needs  // what the connection that asks must be
	Payload    int    // exact length of the payload of a request, or AnyLength
	ResultOnly bool   // it has no effect but its result
}

// AnyLength is for payloads that are not all of one length.
const AnyLength = -1

// Needs is what a connection must be to ask for an operation.
type Needs uint8

const (
	Nobody       Needs = iota // asks for it: it is an event
	Stranger                  // has not said Hello yet
	Anybody                   // an observer too
	AKsock                    // not an observer
	Reader                    // a Ksock open for reading
	Writer                    // a Ksock open for writing
	ReaderWriter              // both
)

var operations = [...]Operation{
	OpHello:              {Name: "Hello", Needs: Stranger, Payload: AnyLength},
	OpReset:              {Name: "Reset", Needs: AKsock, ResultOnly: true},
	OpBind:               {Name: "Bind", Needs: AKsock, Payload: AnyLength},
	OpUnbind:             {Name: "Unbind", Needs: AKsock, Payload: AnyLength},
	OpReplier:            {Name: "Replier", Needs: AKsock, Payload: AnyLength, ResultOnly: true},
	OpNext:               {Name: "Next", Needs: Reader},
	OpNextWait:           {Name: "NextWait", Needs: Reader},
	OpNextReply:          {Name: "NextReply", Needs: Reader, Payload: IDBytes},
	OpSendMessage:        {Name: "SendMessage", Needs: Writer, Payload: AnyLength},
	OpCall:               {Name: "Call", Needs: ReaderWriter, Payload: AnyLength},
	OpResend:             {Name: "Resend", Needs: AKsock},
	OpDiscard:            {Name: "Discard", Needs: AKsock},
	OpWaitSent:           {Name: "WaitSent", Needs: AKsock},
	OpPoll:               {Name: "Poll", Needs: AKsock},
	OpCancel:             {Name: "Cancel", Needs: AKsock},
	OpLastSent:           {Name: "LastSent", Needs: AKsock, ResultOnly: true},
	OpMaxMessages:        {Name: "MaxMessages", Needs: AKsock},
	OpNumMessages:        {Name: "NumMessages", Needs: AKsock, ResultOnly: true},
	OpNumUnreplied:       {Name: "NumUnreplied", Needs: AKsock, ResultOnly: true},
	OpOnlyOnce:           {Name: "OnlyOnce", Needs: AKsock},
	OpVerbose:            {Name: "Verbose", Needs: AKsock},
	OpReportReplierBinds: {Name: "ReportReplierBinds", Needs: AKsock},
	OpMaxMessageSize:     {Name: "MaxMessageSize", Needs: AKsock},
	OpNewBus:             {Name: "NewBus", Needs: AKsock},
	OpWrite:              {Name: "Write", Needs: Writer, Payload: AnyLength},
	OpSend:               {Name: "Send", Needs: AKsock},
	OpNextMsg:            {Name: "NextMsg", Needs: AKsock},
	OpRead:               {Name: "Read", Needs: Reader},
	OpLenLeft:            {Name: "LenLeft", Needs: AKsock, ResultOnly: true},
	OpBindingsReport:     {Name: "BindingsReport", Needs: Anybody, ResultOnly: true},
	OpStatsReport:        {Name: "StatsReport", Needs: Anybody, ResultOnly: true},
	OpList:               {Name: "List", Needs: Anybody, ResultOnly: true},
	OpWho:                {Name: "Who", Needs: Anybody, Payload: AnyLength, ResultOnly: true},
	OpInfo:               {Name: "Info", Needs: Anybody, ResultOnly: true},
	OpStopping:           {Name: "Stopping", Needs: Nobody},
	OpSendToListeners:    {Name: "SendToListeners", Needs: Writer, Payload: AnyLength},
	OpFederate:           {Name: "Federate", Needs: AKsock, Payload: AnyLength},
	OpNextBindRequest:    {Name: "NextBindRequest", Needs: AKsock},
	OpDecide:             {Name: "Decide", Needs: AKsock, Payload: DecisionBytes},
	OpEvict:              {Name: "Evict", Needs: AKsock, Payload: AnyLength},
	OpWaitReadable:       {Name: "WaitReadable", Needs: AKsock},
	OpCarry:              {Name: "Carry", Needs: AKsock},
	OpBindProxy:          {Name: "BindProxy", Needs: AKsock, Payload: AnyLength},
	OpVouch:              {Name: "Vouch", Needs: AKsock, Payload: VouchBytes},
	OpGiveUp:             {Name: "GiveUp", Needs: AKsock},
	OpMissed:             {Name: "Missed", Needs: AKsock},
	OpPeer:               {Name: "Peer", Needs: Anybody},
	OpTap:                {Name: "Tap", Needs: Anybody, Payload: AnyLength},
	OpTapped:             {Name: "Tapped", Needs: Nobody},
	OpServices:           {Name: "Services", Needs: Anybody, ResultOnly: true},
	OpDescribe:           {Name: "Describe", Needs: AKsock, Payload: AnyLength},
	OpCard:               {Name: "Card", Needs: Anybody, Payload: AnyLength, ResultOnly: true},
}

// Known reports whether the operation exists.
func (op Op) Known() bool { return int(op) < len(operations) && operations[op].Name != "" }

// Rules gives what the protocol says of the operation, nil if it does not exist. It must not be changed.
func (op Op) Rules() *Operation {
	if !op.Known() {
		return nil
	}
	return &operations[op]
}

// String is the name of the operation as docs/protocol.md has it, or its number.
func (op Op) String() string {
	if !op.Known() {
		return strconv.Itoa(int(op))
	}
	return operations[op].Name
}
