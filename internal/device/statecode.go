package device

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/form"
)

// The bytes of a State: what is in each part, in this order. A new field is a line here, see package form.

// Code writes a State, or reads one.
func (s *State) Code(c *form.Coder) {
	c.Mark("device")
	form.Int(c, &s.Conn)
	form.String(c, &s.CUSE)
	form.String(c, &s.Mount)
	form.String(c, &s.Link)
	form.Uint(c, &s.Mode)
	form.Uint(c, &s.UID)
	form.Uint(c, &s.GID)
	form.Uint(c, &s.Seconds)
	form.Bool(c, &s.Closed)
	form.List(c, &s.Files, codeFile)
}

func codeFile(c *form.Coder, s *FileState) {
	form.Uint(c, &s.Kind)
	bus.CodeOwner(c, &s.Visitor.Owner)
	form.Uints(c, &s.Visitor.Groups)
	form.Uint(c, &s.Visitor.Logged)
	form.Int(c, &s.Ksock)
	form.Uint(c, &s.Mode)
	s.File.Code(c)
	form.Uint(c, &s.PollHandle)
	form.Bool(c, &s.Armed)
	form.Bytes(c, &s.Text)
	form.Bool(c, &s.Made)
}
