// Package routing carries Requests between members so that each gets exactly one answer in the member where it was made,
// whatever happens to the members and to what is between them.
//
// The Asker is the Requester's side. It owns what is pending: the first of Reply and Status closes it, and whatever
// comes later is dropped. The Answerer is the Replier's side: it hands each Request to the bus once, however often it
// comes, and keeps the Reply until that is acknowledged. There is no time-out on a Replier that works. Instead each
// Asker asks each member that owes it something what has become of it; a member that answers nothing for 3 s, or only in
// another epoch, owes no more, and the Requesters get their Status.
//
// Both are state machines without I/O, clock or goroutine: events go in, with the time, and what is to be done comes
// out. Neither is safe for concurrent use.
package routing

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/message"
)

const (
	ProbeEvery = 600 * time.Millisecond // how often a member that owes us something is asked
	Silence    = 3 * time.Second        // a member that has sent nothing for so long owes no more

	// A long message that does not come, though short ones do, will never come: something on the way takes no messages
	// that are so long. After so many tries the Requester gets a Status.
	long  = 512 // bytes with the header
	tries = 6
)

// Self is the member that the machine belongs to.
type Self struct {
	Member uint32
	Epoch  uint64
}

// Out is what the caller owes after an event, in this order.
type Out struct {
	Parcels  []envelope.Envelope // to send to their targets; what is lost is sent again
	Statuses []Status            // to give to local Requesters
}

// Status is an answer that is not the Replier's.
type Status struct {
	ID   message.ID      // of the Request, as it is on our bus
	To   message.KsockID // the Requester's Ksock
	Name string          // message.NameGoneAway and the like
	Why  string          // more of it, for people
}

// nameTooLong is the Status for what did not come.
var nameTooLong = message.PrefixRemoteError + strconv.Itoa(int(message.ErrMessageTooLong.Errno()))

// whyTooLong explains that to people. passed is the longest envelope to or from that member that is known to have come.
func whyTooLong(what string, passed int, m *message.Message) string {
	return fmt.Sprintf("%s of %d bytes is too long for the way between the bowls: it was sent %d times and never came; %d "+
		"bytes have passed before (see max_payload of the NATS servers on the way)", what, len(m.Data), tries,
		max(0, passed-envelope.HeaderBytes-len(m.Name)))
}

// compose begins an envelope.
func (s Self) compose(kind envelope.Kind, target uint32, epoch uint64, m message.Message) envelope.Envelope {
	return envelope.Envelope{Kind: kind, Member: s.Member, Epoch: s.Epoch, Target: target, TargetEpoch: epoch, Message: m}
}

// controlName is the name of envelopes that are about messages and are none.
const controlName = "$.KBUS.Federation"

// about is the message of an envelope that is about a Request.
func about(id message.ID) message.Message {
	return message.Message{Header: message.Header{InReplyTo: id}, Name: controlName}
}

// RemoteError is the Status for a Request that a bus did not take.
func RemoteError(err error) string {
	var c message.Condition
	if !errors.As(err, &c) {
		c = message.ErrBusGone
	}
	return message.PrefixRemoteError + strconv.Itoa(int(c.Errno()))
}
