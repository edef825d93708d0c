package form

import "kbus.example/kbus/message"

// What all parts of a state know of messages.

// ID is that of a message.
func ID(c *Coder, v *message.ID) {
	Uint(c, &v.Network)
	Uint(c, &v.Serial)
}

// Origin is where a message was sent first.
func Origin(c *Coder, v *message.Origin) {
	Uint(c, &v.Network)
	Uint(c, &v.Local)
}

// Header is that of a message.
func Header(c *Coder, v *message.Header) {
	ID(c, &v.ID)
	ID(c, &v.InReplyTo)
	Uint(c, &v.To)
	Uint(c, &v.From)
	Origin(c, &v.OrigFrom)
	Origin(c, &v.FinalTo)
	Uint(c, &v.Extra)
	Uint(c, &v.Flags)
}
