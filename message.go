package kbus

import "kbus.example/kbus/message"

// The words of KBUS are those of package message. They are repeated here so that a program needs one import. Messages are
// plain structs, so anything can be made by hand; the functions and methods make the kinds right.

// Message is a whole message: its header, its name and its data. Its fields may be set freely before it is sent; the
// bus writes From, Extra, the serial number of the id and the flags WantYouToReply and Synthetic. String prints it on one
// line; Reply and StatefulRequest make what may follow it.
type Message = message.Message

// Trace is a W3C trace context that travels with a message; see docs/traces.md. To the bus it is bytes.
type Trace = message.Trace

// Header is a message without its name and data.
type Header = message.Header

// ID identifies a message. The zero ID means "unset".
type ID = message.ID

// KsockID is the number of a Ksock on its bus, from 1; 0 is nobody, or the bus itself.
type KsockID = message.KsockID

// Origin names a Ksock in a network of buses: its network, and a number there. Only Limpets look at it.
type Origin = message.Origin

// Kind is what a message is, by its content alone.
type Kind = message.Kind

// The kinds, as Message.Kind tells them.
const (
	AnnouncementKind = message.AnnouncementKind
	RequestKind      = message.RequestKind
	ReplyKind        = message.ReplyKind
	StatusKind       = message.StatusKind
)

// Flags are the flag bits of a message. Bits 16 to 31 are the user's own.
type Flags = message.Flags

// The flags that KBUS knows.
const (
	WantAReply     = message.WantAReply     // by the sender: this is a Request
	WantYouToReply = message.WantYouToReply // by the bus: whoever reads this copy must reply
	Synthetic      = message.Synthetic      // by the bus: the bus made this message
	Urgent         = message.Urgent         // by the sender: to the front of each queue
	AllOrWait      = message.AllOrWait      // by the sender: all get it, or it waits until all can
	AllOrFail      = message.AllOrFail      // by the sender: all get it, or nobody does
)

// BindEvent is what a `$.KBUS.ReplierBindEvent` says.
type BindEvent = message.BindEvent

// NameReplierBindEvent is the name of the Announcement that tells of Repliers bound and unbound; bind to it, and turn
// the reports on with Settings.SetReportReplierBinds.
const NameReplierBindEvent = message.NameReplierBindEvent

// NameUnbindEventsLost is the name of the Announcement that tells a Listener for replier bind events that it has
// missed some.
const NameUnbindEventsLost = message.NameUnbindEventsLost

// MaxNameBytes is the longest name of a message or binding.
const MaxNameBytes = message.MaxNameBytes

// ParseBindEvent reads the data of a `$.KBUS.ReplierBindEvent`. It reports false when the data is not one: anybody may
// send a message of that name. Those of the bus itself have Synthetic set.
func ParseBindEvent(data []byte) (BindEvent, bool) { return message.ParseBindEvent(data) }

// Payload is what message data may be given as. A []byte is not copied until the message is sent.
type Payload interface{ ~string | ~[]byte }

// Announcement makes a message for whoever listens. For no data give "".
func Announcement[D Payload](name string, data D) *Message {
	return &Message{Name: name, Data: []byte(data)}
}

// Request makes a message that its Replier must answer.
func Request[D Payload](name string, data D) *Message {
	return &Message{Header: Header{Flags: WantAReply}, Name: name, Data: []byte(data)}
}
