package envelope

import "kbus.example/kbus/message"

// Bus is one bus of a federation. On the bus itself ids of messages have no network; to the other members they have the
// id of the member, and the incarnation of the bus, so that a message is known again wherever it comes from.
type Bus struct{ Member, Incarnation uint32 }

// Export makes a message of the bus one for the federation. An incarnation that it has already, from another bus, stays.
func (b Bus) Export(m *message.Message) {
	if m.ID.Network == 0 || m.Extra == 0 {
		m.Extra = b.Incarnation
	}
	if m.ID.Network == 0 {
		m.ID.Network = b.Member
	}
	if m.OrigFrom.Network == 0 {
		m.OrigFrom = message.Origin{Network: b.Member, Local: uint32(m.From)}
	}
	if m.IsReply() && m.InReplyTo.Network == 0 {
		m.InReplyTo.Network = b.Member
	}
	m.Flags &^= message.WantYouToReply
}

// Import makes a message of the federation one for the bus. Its sender's wish that all have room or nobody was granted
// on the bus there: here a Listener without room misses it.
func (b Bus) Import(m *message.Message) {
	m.Flags &^= message.AllOrWait | message.AllOrFail | message.WantYouToReply
	if m.InReplyTo.Network == b.Member {
		m.InReplyTo.Network = 0
	}
}
