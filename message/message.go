// Package message says what a KBUS message is: its names, its header, its kinds, its byte form and the conditions
// that an operation on it may end in. It is pure: it imports the standard library only, does no I/O and keeps no
// state, so every other part of KBUS can share it.
//
// docs/spec states each rule; docs/promises.md names the test that proves it.
package message

import "fmt"

// ID identifies a message. Network 0 means "sent on this bus", and the bus chooses Serial. The zero ID is
// never that of a sent message: it means "unset".
type ID struct{ Network, Serial uint32 }

// IsZero reports whether the id is unset.
func (id ID) IsZero() bool { return id == ID{} }

// String gives "[network:serial]".
func (id ID) String() string { return fmt.Sprintf("[%d:%d]", id.Network, id.Serial) }

// Origin names a Ksock in a network of buses. The bus carries it and never looks at it; Network 0 means "not
// used".
type Origin struct{ Network, Local uint32 }

// IsZero reports whether the origin is unset.
func (o Origin) IsZero() bool { return o == Origin{} }

// String gives "(network,local)".
func (o Origin) String() string { return fmt.Sprintf("(%d,%d)", o.Network, o.Local) }

// KsockID is the number of a Ksock on its bus, from 1; 0 is nobody, or the bus itself.
type KsockID uint32

// Flags are the flag bits of a message. Bits 16-31 belong to the user; 4-7 and 10-15 are reserved and carried
// unchanged, but that bits 4 and 10 never reach a client that understands MissedMark and TraceMark.
type Flags uint32

const (
	WantAReply     Flags = 0x0001 // set by the sender: this is a Request
	WantYouToReply Flags = 0x0002 // set by the bus: the reader of this copy must reply
	Synthetic      Flags = 0x0004 // set by the bus: the bus made this message
	Urgent         Flags = 0x0008 // set by the sender: goes to the front of each queue
	MissedMark     Flags = 0x0010 // in the socket protocol: how many were missed follows; libraries take it off
	AllOrWait      Flags = 0x0100 // set by the sender: everybody gets it, or it waits until they can
	AllOrFail      Flags = 0x0200 // set by the sender: everybody gets it, or nobody does
	TraceMark      Flags = 0x0400 // in the socket protocol: a trace context follows; libraries take it off
)

// Has reports whether all bits of f are set.
func (fl Flags) Has(f Flags) bool { return fl&f == f }

// Header is a message without its name and data. From and Extra are written by the bus, as are ID.Serial when
// ID.Network is 0, and the flags WantYouToReply and Synthetic; all else reaches the reader as sent.
type Header struct {
	ID        ID      // identity; zero when not yet sent
	InReplyTo ID      // of a Reply or Status: the Request it answers
	To        KsockID // Ksock id: the addressee of a Reply, the wanted Replier of a stateful Request, else 0
	From      KsockID // Ksock id of the sender; 0 for the bus itself
	OrigFrom  Origin  // the first sender, when the message came through a Limpet
	FinalTo   Origin  // the last Replier, for a stateful Request through Limpets
	Extra     uint32  // of what was said on another bus: tells lives of that bus apart; else 0 on arrival
	Flags     Flags
}

// Kind is what a message is, by its content alone.
type Kind uint8

const (
	AnnouncementKind Kind = iota
	RequestKind
	ReplyKind
	StatusKind
)

// String gives the word that messages print with.
func (k Kind) String() string {
	return [...]string{"Announcement", "Request", "Reply", "Status"}[k]
}

// IsReply reports whether the message answers a Request; a Status does too.
func (h *Header) IsReply() bool { return !h.InReplyTo.IsZero() }

// IsRequest reports whether the message asks for an answer. A message may be Reply and Request at once.
func (h *Header) IsRequest() bool { return h.Flags.Has(WantAReply) }

// IsStatefulRequest reports whether the message is a Request for one particular Replier.
func (h *Header) IsStatefulRequest() bool { return h.IsRequest() && h.To != 0 }

// WantsUsToReply reports whether the reader of this copy owes the Reply.
func (h *Header) WantsUsToReply() bool { return h.Flags.Has(WantAReply | WantYouToReply) }

// Message is a whole message.
type Message struct {
	Header
	Name string // 3 to 1000 bytes, see CheckName
	Data []byte // may be empty

	// Missed, of a message that was received, is how many messages its reader missed just before it, because its queue
	// was full.
	Missed uint32

	// Trace is the trace context that travels with the message, nil for none. It is no part of the data.
	Trace *Trace
}

// Kind tests, in this order: Status, Reply, Request, Announcement.
func (m *Message) Kind() Kind {
	switch {
	case m.IsReply() && len(m.Name) > len(statusPrefix) && m.Name[:len(statusPrefix)] == statusPrefix:
		return StatusKind
	case m.IsReply():
		return ReplyKind
	case m.IsRequest():
		return RequestKind
	}
	return AnnouncementKind
}

const statusPrefix = "$.KBUS."

// Names of the messages that the bus itself makes.
const (
	NameGoneAway         = "$.KBUS.Replier.GoneAway"     // the Replier closed with the Request unread
	NameIgnored          = "$.KBUS.Replier.Ignored"      // the Replier closed having read the Request
	NameUnbound          = "$.KBUS.Replier.Unbound"      // the Replier unbound with the Request unread
	NameDisappeared      = "$.KBUS.Replier.Disappeared"  // the Replier left while the Request waited for room
	NameNotStarted       = "$.KBUS.Replier.NotStarted"   // the service of the name could not be started; the data says why
	NameErrorSending     = "$.KBUS.ErrorSending"         // the waiting Request failed for another reason
	NameUnbindEventsLost = "$.KBUS.UnbindEventsLost"     // more unbind events than could be set aside
	NameReplierBindEvent = "$.KBUS.ReplierBindEvent"     // a Replier was bound or unbound
	NameNotSameKsock     = "$.KBUS.Replier.NotSameKsock" // from a Limpet: the stateful Request's Replier changed
	NameFailed           = "$.KBUS.Replier.Failed"       // from the Replier: it could not do what the Request asks
	NameBusGoneAway      = "$.KBUS.Bus.GoneAway"         // from the client library: the bus itself is gone
	PrefixRemoteError    = "$.KBUS.RemoteError."         // from a Limpet: followed by the decimal errno
)
