package server

import (
	"kbus.example/kbus/internal/form"
	"kbus.example/kbus/internal/server/loop"
)

// The bytes of a State: what is in each part, in this order. A new field is a line here, see package form.

// Code writes a State, or reads one. See bus.State for what lies elsewhere.
func (s *State) Code(c *form.Coder) {
	c.Mark("kbusd")
	form.String(c, &s.Dir)
	form.Map(c, &s.Settings, form.String, form.String)
	form.Map(c, &s.Made, form.Uint, form.Int)
	form.Int(c, &s.Lock)
	form.Int(c, &s.Control)
	form.List(c, &s.Buses, codeBus)
	s.Starter.Code(c.Since(3))
	form.Bytes(c.Since(3), &s.Files)
}

func codeBus(c *form.Coder, s *BusState) {
	form.Bools(c, &s.OwnFile, &s.GivenAndThere)
	form.Maybe(c, &s.Loop, func(c *form.Coder, l *loop.State) { l.Code(c) })
}
