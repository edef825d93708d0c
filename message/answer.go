package message

import (
	"fmt"
	"syscall"
)

// What may follow a message: the Reply to a Request, the Status in its place, the next Request to the same Replier. These
// methods refuse what the bus could only misunderstand.

// misuse is an error of a program that never reaches the bus. Its errno is what the original's C library gave.
type misuse struct {
	text  string
	errno syscall.Errno
}

func (m *misuse) Error() string { return m.text }
func (m *misuse) Unwrap() error { return m.errno }

var (
	// ErrNoReplyWanted is Reply to a message that its reader need not, or must not, reply to. It is EBADMSG.
	ErrNoReplyWanted error = &misuse{"not a Request that is ours to reply to", syscall.EBADMSG}
	// ErrNotStateful is StatefulRequest after a message that names no Replier. It is EBADMSG.
	ErrNotStateful error = &misuse{"not an answer or a stateful Request: no Replier to hold to", syscall.EBADMSG}
)

// Reply makes the Reply to a Request that has been received: same name, to its Sender, with its trace context. data is not copied. It fails with
// ErrNoReplyWanted unless this copy is the one whose reader must reply (WantsUsToReply), which a Listener's copy is not.
func (m *Message) Reply(data []byte) (*Message, error) { return m.answer(m.Name, data) }

// Fail makes the Status that a Replier sends in place of a Reply when it cannot do what the Request asks: it is called
// NameFailed, and its data is why, a text for people of which 1000 bytes at most are sent. It fails as Reply does.
func (m *Message) Fail(why string) (*Message, error) {
	return m.answer(NameFailed, []byte(why[:min(len(why), mostWhyBytes)]))
}

const mostWhyBytes = 1000

func (m *Message) answer(name string, data []byte) (*Message, error) {
	if !m.WantsUsToReply() {
		return nil, fmt.Errorf("kbus: reply to %s %v: %w", m.Name, m.ID, ErrNoReplyWanted)
	}
	return &Message{Header: Header{InReplyTo: m.ID, To: m.From}, Name: name, Data: data, Trace: m.Trace}, nil
}

// StatefulRequest makes a Request that only the Replier of an earlier exchange will do for: m is a Reply from it, or a
// stateful Request to it. data is not copied. If another Ksock is the Replier by then, sending fails with
// ErrOtherReplier. It fails with ErrNotStateful if m names no Replier.
func (m *Message) StatefulRequest(name string, data []byte) (*Message, error) {
	h := Header{Flags: WantAReply}
	switch {
	case m.IsReply():
		h.To, h.FinalTo = m.From, m.OrigFrom
	case m.IsStatefulRequest():
		h.To, h.FinalTo = m.To, m.FinalTo
	}
	// A Status from the bus itself has From 0. Held to nobody, the Request would be an ordinary one.
	if h.To == 0 {
		return nil, fmt.Errorf("kbus: stateful request %s %v: %w", name, m.ID, ErrNotStateful)
	}
	return &Message{Header: h, Name: name, Data: data}, nil
}
