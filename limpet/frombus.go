package limpet

import (
	"syscall"

	"kbus"
	"kbus/message"
)

// FromBus takes a message that our Ksock has received (part 9.4), and changes it. A Request that we must reply to is
// always passed on or refused, whatever else is wrong with it.
func (m *Machine) FromBus(msg *kbus.Message) {
	forUs := msg.IsReply() && msg.To == m.Ksock // whoever sent it, it answers what the pair has asked
	mine := msg.WantsUsToReply()
	switch {
	case m.StopOn != "" && msg.Name == m.StopOn: // R9.20
		m.owe(Duty{Do: Stop})
	case msg.Name == kbus.NameUnbindEventsLost && !forUs && !mine: // B25
		if msg.Flags.Has(kbus.Synthetic) {
			m.owe(Duty{Do: Snapshot})
		}
	case msg.Name == kbus.NameReplierBindEvent && !forUs:
		m.eventFromBus(msg)
	case isOwn(msg.Name) && !forUs && !mine:
	case !forUs && (msg.From == m.Ksock || msg.ID.Network == m.PairID || msg.ID.Network == m.OwnID):
		if msg.ID.Network == m.OwnID {
			m.figures.Returned++
		}
		if mine { // it has come back to us: the Replier beyond the link has gone meanwhile, or there is a ring
			m.refuse(msg, string(kbus.ErrGoneAway))
		}
	case m.Legacy && beginsBindEvent(msg.Name):
		m.notForLegacy(msg, forUs)
	case mine && !m.remember(msg):
		m.refuse(msg, remoteError(syscall.EALREADY))
	default:
		m.passOn(msg)
	}
}

// remember notes who is to get the answer (R9.22). An id that is open already is one of a bus that has been restarted
// somewhere behind ours, and counts again from the beginning. The two answers could not be told apart.
func (m *Machine) remember(msg *kbus.Message) (ok bool) {
	if _, open := m.requests[msg.ID]; open {
		return false
	}
	m.requests[msg.ID] = msg.From
	return true
}

// passOn sends a message to the pair, with ids that mean something beyond our bus (R9.24 to R9.26, B23). A message that
// is Reply and Request at once (R1.15) travels as what it is to us, once as each.
func (m *Machine) passOn(msg *kbus.Message) {
	switch {
	case msg.WantsUsToReply():
		msg.InReplyTo = kbus.ID{}
	case msg.IsReply():
		msg.Flags &^= kbus.WantAReply
		if msg.To == m.Ksock {
			delete(m.asked, msg.InReplyTo)
		}
		m.makeOurs(&msg.InReplyTo)
	}
	m.markOurs(msg)
	m.makeOurs(&msg.ID)
	if msg.OrigFrom.Network == 0 {
		msg.OrigFrom = kbus.Origin{Network: m.OwnID, Local: msg.From}
	}
	m.toPair(msg)
}

// markOurs has a message of our bus carry the bus's incarnation. One that was carried here keeps that of its own.
func (m *Machine) markOurs(msg *kbus.Message) {
	switch {
	case m.Legacy:
		msg.Extra = 0
	case msg.ID.Network == 0 || msg.Extra == 0:
		msg.Extra = m.Incarnation
	}
}

func (m *Machine) makeOurs(id *kbus.ID) {
	if id.Network == 0 {
		id.Network = m.OwnID
	}
}

// refuse answers a Request on our bus in the pair's stead.
func (m *Machine) refuse(msg *kbus.Message, status string) {
	m.answer(&kbus.Message{
		Header: kbus.Header{To: msg.From, InReplyTo: msg.ID},
		Name:   status,
	})
}

func (m *Machine) answer(msg *kbus.Message) { m.owe(Duty{Do: Send, Message: msg, answer: true}) }

// notForLegacy keeps from an original Limpet names that it takes for a bind event, whose data it would spoil (B21).
func (m *Machine) notForLegacy(msg *kbus.Message, forUs bool) {
	switch {
	case msg.WantsUsToReply():
		m.refuse(msg, remoteError(message.ErrBadName.Errno()))
	case forUs:
		msg.Name, msg.Data = remoteError(message.ErrBadName.Errno()), nil
		m.passOn(msg)
	}
}

// beginsBindEvent reports whether the name is a proper prefix of that of a bind event.
func beginsBindEvent(name string) bool {
	return len(name) < len(kbus.NameReplierBindEvent) && name == kbus.NameReplierBindEvent[:len(name)]
}
