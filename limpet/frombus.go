package limpet

import (
	"syscall"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// What a Limpet does with a message of its bus: what goes to the pair, and as what.

// FromBus takes a message that our Ksock has received, and changes it. A Request that we must reply to is
// always passed on or refused, whatever else is wrong with it.
func (m *Machine) FromBus(msg *kbus.Message) {
	forUs := msg.IsReply() && msg.To == m.Ksock // whatever sent it, it answers what the pair has asked
	mine := msg.WantsUsToReply()
	if forUs && msg.Name == message.NameBusGoneAway { // our bus: to the Requester that is the end of the Replier, and not of its bus
		msg.Name = message.NameGoneAway
	}
	switch {
	case m.StopOn != "" && msg.Name == m.StopOn: // R9.20
		m.actions.emit(Action{Kind: Stop})
	case msg.Name == kbus.NameUnbindEventsLost && !forUs && !mine: // B25
		if msg.Flags.Has(kbus.Synthetic) {
			m.actions.emit(Action{Kind: Snapshot})
		}
	case msg.Name == kbus.NameReplierBindEvent && !forUs:
		m.eventFromBus(msg)
	case isOwn(msg.Name) && !forUs && !mine:
	case !forUs && (msg.From == m.Ksock || msg.ID.Network == m.PairID || msg.ID.Network == m.OwnID):
		if msg.ID.Network == m.OwnID {
			m.figures.Returned++
		}
		if mine { // it has come back to us: the Replier beyond the link has gone meanwhile, or there is a ring
			m.answers.refuse(msg, string(kbus.ErrGoneAway))
		}
	case m.Legacy && beginsBindEvent(msg.Name):
		m.notForLegacy(msg, forUs)
	case mine && !m.remember(msg):
		m.answers.refuse(msg, remoteError(syscall.EALREADY))
	default:
		m.passOn(msg)
	}
}

// remember notes the Requester, which is to get the answer (R9.22). An id that is open already is one of a bus that has been restarted
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
		msg.OrigFrom = kbus.Origin{Network: m.OwnID, Local: uint32(msg.From)}
	}
	m.toPair(msg)
}

// markOurs has a message of our bus carry the bus's incarnation. One that was carried here keeps that of its own.
func (c *Config) markOurs(msg *kbus.Message) {
	switch {
	case c.Legacy:
		msg.Extra = 0
	case msg.ID.Network == 0 || msg.Extra == 0:
		msg.Extra = c.Incarnation
	}
}

func (c *Config) makeOurs(id *kbus.ID) {
	if id.Network == 0 {
		id.Network = c.OwnID
	}
}

// notForLegacy keeps from an original Limpet names that it takes for a bind event, whose data it would spoil (B21).
func (m *Machine) notForLegacy(msg *kbus.Message, forUs bool) {
	switch {
	case msg.WantsUsToReply():
		m.answers.refuse(msg, remoteError(message.ErrBadName.Errno()))
	case forUs:
		msg.Name, msg.Data = remoteError(message.ErrBadName.Errno()), nil
		m.passOn(msg)
	}
}
