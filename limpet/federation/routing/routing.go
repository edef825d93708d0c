// Package routing carries Requests between bowls so that each gets exactly one answer in the bowl where it was made,
// whatever happens to the bowls and to what is between them.
//
// The Asker is the Requester's side. It owns what is pending: the first of Reply and Status closes it, and whatever
// comes later is dropped. The Answerer is the Replier's side: it hands each Request to the bus once, however often it
// comes, and keeps the Reply until that is acknowledged. There is no time-out on a Replier that works. Instead each
// Asker asks each bowl that owes it something what has become of it; a bowl that says nothing for 3 s, or says it in
// another epoch, owes no more, and the Requesters get their Status.
//
// Both are state machines without I/O, clock or goroutine: events go in, with the time, and what is to be done comes
// out. Neither is safe for concurrent use.
package routing

import (
	"time"

	"kbus/limpet/federation/envelope"
	"kbus/message"
)

const (
	ProbeEvery = 600 * time.Millisecond // how often a bowl that owes us something is asked
	Silence    = 3 * time.Second        // a bowl that has said nothing for so long owes no more
)

// Self is the bowl that the machine belongs to.
type Self struct {
	Bowl  uint32
	Epoch uint64
}

// Out is what the caller owes after an event, in this order.
type Out struct {
	Parcels  []envelope.Envelope // to send to their targets; what is lost is sent again
	Statuses []Status            // to give to local Requesters
}

// Status is an answer that is not the Replier's.
type Status struct {
	ID   message.ID // of the Request, as it is on our bus
	To   uint32     // the Requester's Ksock
	Name string     // message.NameGoneAway and the like
}

// say begins an envelope.
func (s Self) say(kind envelope.Kind, target uint32, epoch uint64, m message.Message) envelope.Envelope {
	return envelope.Envelope{Kind: kind, Bowl: s.Bowl, Epoch: s.Epoch, Target: target, TargetEpoch: epoch, Message: m}
}

// talk is the name of envelopes that are about messages and are none.
const talk = "$.KBUS.Federation"

// about is the message of an envelope that is about a Request.
func about(id message.ID) message.Message {
	return message.Message{Header: message.Header{InReplyTo: id}, Name: talk}
}
