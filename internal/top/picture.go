package top

import (
	"time"

	"kbus.example/kbus"
)

// A Picture is what is shown at one moment. Nothing changes it any more.

// Picture is the figures of a bus.
type Picture struct {
	Bus    kbus.BusNumber
	Time   time.Time
	Over   time.Duration // what the rates are about
	Since  time.Duration // how long we have looked
	Lost   uint64        // events that were too fast for us
	Ksocks []Ksock       // in the report's order, the newest first
	Names  []Name        // in the order of the alphabet
}

// Rate is how much there is in a second.
type Rate struct{ Messages, Bytes float64 }

// Ksock is one user of the bus.
type Ksock struct {
	kbus.KsockInfo
	Out, In    Rate          // what it sends; what comes into its queue
	MissedNow  uint64        // of Missed, since the picture before
	Unanswered int           // Requests of others that it has to answer
	Oldest     time.Duration // age of the oldest of them
	Older      bool          // and at least: it was sent before we looked
	Owes       []Owed        // those of them that we have seen sent, the oldest first
	Bound      []kbus.BindingInfo
}

// Owed is a Request without an answer.
type Owed struct {
	ID   kbus.ID
	Name string
	By   kbus.Peer
	Age  time.Duration
}

// Name is what is said under one name.
type Name struct {
	Name     string
	Rate     Rate
	Reached  float64 // copies that were queued, in a second
	Messages uint64  // since we look, and so the rest
	Bytes    uint64  // of their data
	Copies   uint64  // that were queued
	Skipped  uint64  // bindings whose queue was full
	Refused  uint64
	Statuses uint64        // that Requests of that name got in place of a Reply
	Answered uint64        // Requests of that name that have got their Reply
	Mean     time.Duration // from a Request to its Reply
	Longest  time.Duration
}

// Size is the mean length of a message's data.
func (n *Name) Size() float64 {
	if n.Messages == 0 {
		return 0
	}
	return float64(n.Bytes) / float64(n.Messages)
}
