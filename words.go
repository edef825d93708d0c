package kbus

import "kbus/message"

// The words of KBUS are those of package message. They are repeated here so that a program needs one import.

// Message is a whole message: its header, its name and its data. Its fields may be set freely before it is sent; the
// bus writes From, Extra, the serial number of the id and the flags WantYouToReply and Synthetic (R2.18). String
// prints it on one line.
type Message = message.Message

// Header is a message without its name and data.
type Header = message.Header

// ID identifies a message (R1.10). The zero ID means "unset".
type ID = message.ID

// Origin names a Ksock in a network of buses (R2.20); only Limpets look at it.
type Origin = message.Origin

// Kind is what a message is, by its content alone (R1.14).
type Kind = message.Kind

// The kinds, as Message.Kind tells them.
const (
	AnnouncementKind = message.AnnouncementKind
	RequestKind      = message.RequestKind
	ReplyKind        = message.ReplyKind
	StatusKind       = message.StatusKind
)

// Flags are the flag bits of a message (R2.17). Bits 16 to 31 are the user's own.
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

// BindEvent is what a `$.KBUS.ReplierBindEvent` says (R6.13).
type BindEvent = message.BindEvent

// NameReplierBindEvent is the name of the Announcement that tells of Repliers bound and unbound; bind to it, and turn
// the reports on with SetReportReplierBinds.
const NameReplierBindEvent = message.NameReplierBindEvent

// NameUnbindEventsLost is the name of the Announcement that tells a Listener for replier bind events that it has
// missed some (R6.21).
const NameUnbindEventsLost = message.NameUnbindEventsLost

// MaxNameBytes is the longest name of a message or binding.
const MaxNameBytes = message.MaxNameBytes

// ParseBindEvent reads the data of a `$.KBUS.ReplierBindEvent`. It reports false when the data is not one: anybody may
// send a message of that name (R11.19). Those of the bus itself have Synthetic set.
func ParseBindEvent(data []byte) (BindEvent, bool) { return message.ParseBindEvent(data) }
