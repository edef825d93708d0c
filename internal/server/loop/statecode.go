package loop

import (
	"kbus.example/kbus/internal/device"
	"kbus.example/kbus/internal/form"
	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/session"
)

// The bytes of a State: what is in each part, in this order. A new field is a line here, see package form.

// Code writes a State, or reads one. See bus.State for what lies elsewhere.
func (s *State) Code(c *form.Coder) {
	c.Mark("loop")
	form.Int(c, &s.Number)
	form.Maybe(c, &s.Engine, func(c *form.Coder, e *session.State) { e.Code(c) })
	c.Mark("connections")
	form.List(c, &s.Conns, codeConn)
	form.Maybe(c, &s.Device, func(c *form.Coder, d *device.State) { d.Code(c) })
	form.Int(c, &s.Listener)
	form.Int(c, &s.Alarm)
	form.Int(c, &s.Refused)
	form.Uint(c, &s.LastReporter)
}

func codeConn(c *form.Coder, s *ConnState) {
	form.Int(c, &s.Socket)
	form.Int(c, &s.Session)
	form.Bytes(c, &s.Rest)
	form.Bool(c, &s.Blocked)
	form.Uint(c, &s.Logged)
	form.Maybe(c, &s.Identity, codeIdentity)
	form.Maybe(c, &s.Rings, codeRings)
}

func codeIdentity(c *form.Coder, s *rules.Identity) {
	form.Uint(c, &s.UID)
	form.Uints(c, &s.Groups)
	form.String(c, &s.Program)
	form.String(c, &s.Cgroup)
}

func codeRings(c *form.Coder, s *RingsState) {
	s.Ring.Code(c)
	form.Int(c, &s.Memory)
	form.Int(c, &s.Bell)
	form.Int(c, &s.Theirs)
	form.Int(c, &s.Hears)
	form.Bools(c, &s.Introduced, &s.Begun, &s.Arena, &s.Changed, &s.Closed, &s.Want)
}
