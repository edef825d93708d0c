package limpet

import (
	"syscall"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// What a Limpet does with a message of its pair: what is sent on its bus, as whose, and where answers go.

// FromPair takes a message that has come over the link, and changes it.
func (m *Machine) FromPair(msg *kbus.Message) {
	m.figures.FromPair++
	if msg.ID.Network == m.OwnID {
		m.figures.Returned++
	}
	if msg.Extra == 0 {
		msg.Extra = m.Link
	}
	// The sender's wish to wait or fail was granted on its own bus. Here it could only hold up everybody else (B26).
	msg.Flags &^= kbus.AllOrWait | kbus.AllOrFail
	switch {
	case msg.WantsUsToReply():
		m.requestFromPair(msg)
	case msg.IsReply():
		m.replyFromPair(msg)
	case msg.Name == kbus.NameReplierBindEvent:
		m.proxies.event(msg)
	case msg.Name == kbus.NameUnbindEventsLost, msg.ID.Network == m.OwnID: // B25; and an echo
	case msg.IsRequest(): // somebody else answers it (B24)
		m.actions.emit(Action{Kind: SendToListeners, Message: msg})
	default:
		m.actions.emit(Action{Kind: Send, Message: msg})
	}
}

// FromPairTooLong takes a message whose data was too long for our bus, and is gone. It is lost to Listeners, but a
// Requester gets a Status.
func (m *Machine) FromPairTooLong(msg *kbus.Message) {
	const why = message.ErrMessageTooLong
	switch {
	case msg.WantsUsToReply():
		m.figures.FromPair++
		m.failed(msg, remoteError(why.Errno()))
	case msg.IsReply():
		msg.Name = remoteError(why.Errno())
		m.FromPair(msg)
	default:
		m.figures.FromPair++
		m.figures.Lost++
	}
}

// requestFromPair sends a Request to its Replier on our bus, which may be the next Limpet.
func (m *Machine) requestFromPair(msg *kbus.Message) {
	if _, open := m.asked[msg.ID]; open {
		return // sent twice; it will be answered once
	}
	msg.InReplyTo = kbus.ID{}
	d := Action{Kind: Send, Message: msg, stateful: msg.To != 0}
	switch {
	case msg.ID.Network == 0:
		m.failed(msg, remoteError(syscall.EINVAL))
		return
	case msg.ID.Network == m.OwnID:
		m.failed(msg, remoteError(syscall.ELOOP))
		return
	case !d.stateful:
	case msg.FinalTo.Network != m.OwnID: // R9.33: the next Limpet on the way
		d.Kind = Resolve
	case msg.FinalTo.Local == 0:
		m.failed(msg, string(kbus.ErrNotSameKsock))
		return
	default:
		msg.FinalTo.Network, msg.To = 0, kbus.KsockID(msg.FinalTo.Local)
	}
	m.asked[msg.ID] = struct{}{}
	m.actions.emit(d)
}

// resolved sends a stateful Request to the next Ksock on its way. By matching, where the original asked for that exact
// text (B22).
func (m *Machine) resolved(msg *kbus.Message, o Outcome) {
	if o.Condition != message.OK || o.Replier == 0 {
		m.failed(msg, string(kbus.ErrGoneAway))
		return
	}
	msg.To = o.Replier
	m.actions.emit(Action{Kind: Send, Message: msg, stateful: true})
}

// replyFromPair gives a Reply or Status to its Requester (R9.31). There is none for a Listener's copy of a Reply
// to another Request.
func (m *Machine) replyFromPair(msg *kbus.Message) {
	if msg.InReplyTo.Network == m.OwnID {
		msg.InReplyTo.Network = 0
	} else if msg.InReplyTo.Network == 0 {
		return // of the pair's own bus: B23 in an original Limpet
	}
	to, open := m.requests[msg.InReplyTo]
	if !open {
		return
	}
	delete(m.requests, msg.InReplyTo)
	msg.To, msg.ID = to, kbus.ID{}
	msg.Flags &^= kbus.WantAReply
	m.answers.send(msg)
}

// failed tells the pair that nothing else will answer its Request (R9.36).
func (m *Machine) failed(msg *kbus.Message, status string) {
	delete(m.asked, msg.ID)
	m.toPair(&kbus.Message{
		Header: kbus.Header{To: msg.From, InReplyTo: msg.ID},
		Name:   status,
	})
}

// notSent deals with a message that our bus would not have.
func (m *Machine) notSent(d Action, why kbus.Condition) {
	switch {
	case d.answer:
		m.answers.failed(d, why)
	case why == message.ErrHeard:
		m.figures.Copies++
	case d.Kind == SendToListeners && why == message.ErrNotPermitted:
		d.Message.Flags &^= kbus.WantAReply // the next best: to Listeners it looks like an Announcement
		m.actions.emit(Action{Kind: Send, Message: d.Message})
	case !d.Message.IsRequest() || d.Kind == SendToListeners:
		m.figures.Lost++
	case d.stateful && why == message.ErrNoReplier:
		m.failed(d.Message, string(kbus.ErrGoneAway))
	case d.stateful && why == message.ErrOtherReplier:
		m.failed(d.Message, string(kbus.ErrNotSameKsock))
	default:
		m.failed(d.Message, remoteError(why.Errno()))
	}
}
