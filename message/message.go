// Package message says what a KBUS message is: its names, its header, its kinds, its byte form and the conditions
// that an operation on it may end in. It is pure: it imports the standard library only, does no I/O and keeps no
// state, so every other part of KBUS can share it.
//
// Rule numbers such as R1.16 or F2 refer to the specification; docs/promises.md lists them.
package message

import "fmt"

// ID identifies a message (R1.10). Network 0 means "sent on this bus", and the bus chooses Serial. The zero ID is
// never that of a sent message: it means "unset".
type ID struct{ Network, Serial uint32 }

// IsZero reports whether the id is unset.
func (id ID) IsZero() bool { return id == ID{} }

// String gives "[network:serial]".
func (id ID) String() string { return fmt.Sprintf("[%d:%d]", id.Network, id.Serial) }

// Origin names a Ksock in a network of buses (R2.20). The bus carries it and never looks at it; Network 0 means "not
// used".
type Origin struct{ Network, Local uint32 }

// IsZero reports whether the origin is unset.
func (o Origin) IsZero() bool { return o == Origin{} }

// String gives "(network,local)".
func (o Origin) String() string { return fmt.Sprintf("(%d,%d)", o.Network, o.Local) }

// Flags are the flag bits of a message (R2.17). Bits 16-31 belong to the user; 4-7 and 10-15 are reserved and carried
// unchanged.
type Flags uint32

const (
	WantAReply     Flags = 0x0001 // set by the sender: this is a Request
	WantYouToReply Flags = 0x0002 // set by the bus: the reader of this copy must reply
	Synthetic      Flags = 0x0004 // set by the bus: the bus made this message
	Urgent         Flags = 0x0008 // set by the sender: goes to the front of each queue
	AllOrWait      Flags = 0x0100 // set by the sender: everybody gets it, or it waits until they can
	AllOrFail      Flags = 0x0200 // set by the sender: everybody gets it, or nobody does
)

// Has reports whether all bits of f are set.
func (fl Flags) Has(f Flags) bool { return fl&f == f }

// Header is a message without its name and data. From and Extra are written by the bus, as are ID.Serial when
// ID.Network is 0, and the flags WantYouToReply and Synthetic (R2.18); all else reaches the reader as sent.
type Header struct {
	ID        ID     // identity; zero when not yet sent
	InReplyTo ID     // of a Reply or Status: the Request it answers
	To        uint32 // Ksock id: the addressee of a Reply, the wanted Replier of a stateful Request, else 0
	From      uint32 // Ksock id of the sender; 0 for the bus itself
	OrigFrom  Origin // the first sender, when the message came through a Limpet
	FinalTo   Origin // the last Replier, for a stateful Request through Limpets
	Extra     uint32 // of what was said on another bus: tells lives of that bus apart; else 0 on arrival
	Flags     Flags
}

// Kind is what a message is, by its content alone (R1.14).
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

// IsRequest reports whether the message asks for an answer. A message may be Reply and Request at once (R1.15).
func (h *Header) IsRequest() bool { return h.Flags.Has(WantAReply) }

// IsStatefulRequest reports whether the message is a Request for one particular Replier (R4.43).
func (h *Header) IsStatefulRequest() bool { return h.IsRequest() && h.To != 0 }

// WantsUsToReply reports whether whoever reads this copy owes the Reply.
func (h *Header) WantsUsToReply() bool { return h.Flags.Has(WantAReply | WantYouToReply) }

// Message is a whole message.
type Message struct {
	Header
	Name string // 3 to 1000 bytes, see CheckName
	Data []byte // may be empty
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

// Names of the messages that the bus itself makes (R7.4).
const (
	NameGoneAway         = "$.KBUS.Replier.GoneAway"     // the Replier closed with the Request unread
	NameIgnored          = "$.KBUS.Replier.Ignored"      // the Replier closed having read the Request
	NameUnbound          = "$.KBUS.Replier.Unbound"      // the Replier unbound with the Request unread
	NameDisappeared      = "$.KBUS.Replier.Disappeared"  // the Replier left while the Request waited for room
	NameErrorSending     = "$.KBUS.ErrorSending"         // the waiting Request failed for another reason
	NameUnbindEventsLost = "$.KBUS.UnbindEventsLost"     // more unbind events than could be set aside
	NameReplierBindEvent = "$.KBUS.ReplierBindEvent"     // a Replier was bound or unbound
	NameNotSameKsock     = "$.KBUS.Replier.NotSameKsock" // from a Limpet: the stateful Request's Replier changed
	NameBusGoneAway      = "$.KBUS.Bus.GoneAway"         // from the client library: the bus itself is gone
	PrefixRemoteError    = "$.KBUS.RemoteError."         // from a Limpet: followed by the decimal errno
)
