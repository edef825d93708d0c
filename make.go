package kbus

import "kbus/message"

// Messages are plain structs, so anything can be made by hand. These functions make the four kinds right, and refuse
// what the bus could only misunderstand: a Reply to what is not ours to answer, a stateful Request without a Replier to
// hold to.

// Payload is what message data may be given as. A []byte is not copied until the message is sent.
type Payload interface{ ~string | ~[]byte }

// Announcement makes a message for whoever listens. For no data give "".
func Announcement[D Payload](name string, data D) *Message {
	return &Message{Name: name, Data: []byte(data)}
}

// Request makes a message that its Replier must answer (R1.14).
func Request[D Payload](name string, data D) *Message {
	return &Message{Header: Header{Flags: WantAReply}, Name: name, Data: []byte(data)}
}

// ReplyTo makes the Reply to a Request that we have read: same name, to its sender (R10.36). It fails with
// ErrNoReplyWanted unless that copy is the one whose reader must reply (message.Header.WantsUsToReply), which a
// Listener's copy is not.
func ReplyTo[D Payload](request *Message, data D) (*Message, error) {
	if !request.WantsUsToReply() {
		return nil, &Error{Op: "reply to", Name: request.Name, ID: request.ID, Err: ErrNoReplyWanted}
	}
	return &Message{
		Header: Header{InReplyTo: request.ID, To: request.From},
		Name:   request.Name,
		Data:   []byte(data),
	}, nil
}

// StatefulRequest makes a Request that only the Replier of an earlier exchange will do for (R4.43, R10.37): earlier is
// a Reply from it, or a stateful Request to it. If another Ksock is the Replier by then, sending fails with
// ErrOtherReplier. It fails with ErrNotStateful if earlier names no Replier.
func StatefulRequest[D Payload](earlier *Message, name string, data D) (*Message, error) {
	h := message.Header{Flags: WantAReply}
	switch {
	case earlier.IsReply():
		h.To, h.FinalTo = earlier.From, earlier.OrigFrom
	case earlier.IsStatefulRequest():
		h.To, h.FinalTo = earlier.To, earlier.FinalTo
	}
	// A Status from the bus itself has From 0. Held to nobody, the Request would be an ordinary one.
	if h.To == 0 {
		return nil, &Error{Op: "stateful request", Name: name, ID: earlier.ID, Err: ErrNotStateful}
	}
	return &Message{Header: h, Name: name, Data: []byte(data)}, nil
}
