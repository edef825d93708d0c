package limpet

import (
	"strconv"
	"syscall"

	"kbus"
	"kbus/message"
)

// FromPair takes a message that has come over the link (part 9.5), and changes it.
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
		m.eventFromPair(msg)
	case msg.Name == kbus.NameUnbindEventsLost, msg.ID.Network == m.OwnID: // B25; and an echo
	case msg.IsRequest(): // somebody else answers it (B24)
		m.owe(Duty{Do: SendToListeners, Message: msg})
	default:
		m.owe(Duty{Do: Send, Message: msg})
	}
}

// FromPairTooLong takes a message whose data was too long for our bus, and is gone. Nobody can get it, but who waits
// is told.
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
		return // said twice; it will be answered once
	}
	msg.InReplyTo = kbus.ID{}
	d := Duty{Do: Send, Message: msg, stateful: msg.To != 0}
	switch {
	case msg.ID.Network == 0:
		m.failed(msg, remoteError(syscall.EINVAL))
		return
	case msg.ID.Network == m.OwnID:
		m.failed(msg, remoteError(syscall.ELOOP))
		return
	case !d.stateful:
	case msg.FinalTo.Network != m.OwnID: // R9.33: the next Limpet on the way, whoever that is
		d.Do = Resolve
	case msg.FinalTo.Local == 0:
		m.failed(msg, string(kbus.ErrNotSameKsock))
		return
	default:
		msg.FinalTo.Network, msg.To = 0, msg.FinalTo.Local
	}
	m.asked[msg.ID] = struct{}{}
	m.owe(d)
}

// resolved knows who is the next on the way of a stateful Request. By matching, where the original asked for that exact
// text (B22).
func (m *Machine) resolved(msg *kbus.Message, o Outcome) {
	if o.Condition != message.OK || o.Replier == 0 {
		m.failed(msg, string(kbus.ErrGoneAway))
		return
	}
	msg.To = o.Replier
	m.owe(Duty{Do: Send, Message: msg, stateful: true})
}

// replyFromPair gives a Reply or Status to who waits for it (R9.31). Nobody does when it is a Listener's copy of
// somebody else's Reply.
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
	m.answer(msg)
}

// failed tells the pair that its Request will not be answered by anybody else (R9.36).
func (m *Machine) failed(msg *kbus.Message, status string) {
	delete(m.asked, msg.ID)
	m.toPair(&kbus.Message{
		Header: kbus.Header{To: msg.From, InReplyTo: msg.ID},
		Name:   status,
	})
}

// notSent deals with a message that our bus would not have.
func (m *Machine) notSent(d Duty, why kbus.Condition) {
	switch {
	case d.answer:
		m.notAnswered(d, why)
	case why == message.ErrHeard:
		m.figures.Copies++
	case d.Do == SendToListeners && why == message.ErrNotPermitted:
		d.Message.Flags &^= kbus.WantAReply // the next best: to Listeners it looks like an Announcement
		m.owe(Duty{Do: Send, Message: d.Message})
	case !d.Message.IsRequest() || d.Do == SendToListeners:
		m.figures.Lost++
	case d.stateful && why == message.ErrNoReplier:
		m.failed(d.Message, string(kbus.ErrGoneAway))
	case d.stateful && why == message.ErrOtherReplier:
		m.failed(d.Message, string(kbus.ErrNotSameKsock))
	default:
		m.failed(d.Message, remoteError(why.Errno()))
	}
}

// notAnswered deals with an answer that could not be given. If somebody still waits, a Status says why there is no
// Reply; and if there is no room even for that, it is tried again.
func (m *Machine) notAnswered(d Duty, why kbus.Condition) {
	switch why {
	case message.ErrAddresseeGone, message.ErrNotExpected, message.ErrNotYoursToReply:
		return
	}
	if d.Message.Kind() == kbus.StatusKind && len(d.Message.Data) == 0 {
		kept := *d.Message // which may be read into again
		d.Message = &kept
		m.owed = append(m.owed, d)
		return
	}
	h := kbus.Header{To: d.Message.To, InReplyTo: d.Message.InReplyTo, OrigFrom: d.Message.OrigFrom}
	m.answer(&kbus.Message{Header: h, Name: remoteError(why.Errno())})
}

// remoteError is the name of the Status that tells an errno (Q7).
func remoteError(errno syscall.Errno) string {
	return string(kbus.ErrRemoteError) + strconv.Itoa(int(errno))
}
