// Package event is one event of a bus as recordings keep it: what the daemon shows a tap, the bus it happened on, and a number
// that keeps the order. It is pure, and knows nothing of files.
package event

import (
	"strconv"

	"kbus.example/kbus/message"
)

// Kind is what has happened. The numbers are those of the socket protocol.
type Kind uint32

// The kinds.
const (
	Lost    Kind = iota // nothing: it says only how many events were lost
	Sent                // a message was sent, or refused
	Status              // the bus answered a Request in the Replier's stead
	Taken               // a Replier has taken a Request
	Opened              // a Ksock
	Closed              // a Ksock
	Bound               // or refused
	Unbound             // the end of a binding
)

var kindWords = [...]string{"lost", "sent", "status", "taken", "opened", "closed", "bound", "unbound"}

// String is a word, or the number of a kind that is not known here.
func (k Kind) String() string {
	if int64(k) < int64(len(kindWords)) {
		return kindWords[k]
	}
	return strconv.FormatUint(uint64(k), 10)
}

// ParseKind reads what String gives.
func ParseKind(s string) (Kind, bool) {
	for i, w := range kindWords {
		if s == w {
			return Kind(i), true
		}
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return Kind(n), err == nil
}

// Event is one event. Who makes a recording sets Serial and Bus; all else is as the tap was shown it.
type Event struct {
	Serial    uint64 // one more with each event of a recording: it orders events of the same time
	Bus       uint32
	Kind      Kind
	Condition message.Condition // what came of it
	Missed    uint64            // events lost just before this one
	Boot      int64             // when, in nanoseconds since the machine was started
	Wall      int64             // the same in nanoseconds since 1970
	Ksock     uint32            // whose doing; 0: the bus's
	UID       uint32
	GID       uint32
	PID       uint32
	Program   string
	Reached   uint32 // copies queued
	Skipped   uint32 // Listener bindings whose queue was full
	SetAside  uint32 // Listener bindings for whom a bind event was set aside
	AsReplier bool   // of bindings
	Replier   uint32 // the Ksock that a sent Request went to
	DataBytes uint32 // of the message, of which Data may be less
	Header    message.Header
	Name      []byte
	Data      []byte
	Trace     []byte // the trace context of the message, in the form of package wire; nil: none
}

// MessageKind says what kind of message the event tells of. It reports false when it tells of none.
func (e *Event) MessageKind() (message.Kind, bool) {
	m := message.Message{Header: e.Header, Name: string(e.Name)}
	return m.Kind(), e.Kind == Sent || e.Kind == Status || e.Kind == Taken
}
