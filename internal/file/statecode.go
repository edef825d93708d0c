package file

import "kbus.example/kbus/internal/form"

// Code writes a State, or reads one.
func (s *State) Code(c *form.Coder) {
	form.Bool(c, &s.Started)
	form.Bytes(c, &s.Written)
	form.Uint(c, &s.Part)
	form.Uint(c, &s.At)
	form.Bytes(c, &s.Unread)
	form.Int(c, &s.Entire)
	form.Bool(c, &s.Pointy)
}
