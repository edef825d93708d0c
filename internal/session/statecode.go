package session

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/form"
	"kbus.example/kbus/internal/wire"
)

// The bytes of a State: what is in each part, in this order. A new field is a line here, see package form.

// Code writes a State, or reads one. See bus.State for what lies elsewhere.
func (s *State) Code(c *form.Coder) {
	form.Maybe(c, &s.Bus, func(c *form.Coder, b *bus.State) { b.Code(c) })
	c.Mark("sessions")
	form.List(c, &s.Sessions, codeSession)
	form.Ints(c, &s.Taps)
	c.Mark("federator")
	f := &s.Federation
	form.Int(c, &f.Federator)
	form.Bools(c, &f.Strict, &f.Lapsed)
	form.Strings(c, &f.Names)
	form.List(c, &f.Requests, codeBindRequest)
	form.Uint(c, &f.LastID)
}

func codeSession(c *form.Coder, s *SessionState) {
	codePeer(c, &s.Peer)
	form.Int(c, &s.Ksock)
	form.Uint(c, &s.Mode)
	form.Bools(c, &s.Client.Greeted, &s.Client.Marks, &s.Client.Trace, &s.Client.Runs, &s.Client.Deaf, &s.Client.Eager)
	form.Maybe(c, &s.File, func(c *form.Coder, f *file.State) { f.Code(c) })
	form.Bytes(c, &s.Out)
	form.Int(c, &s.Run.At)
	form.Uint(c, &s.Run.Seq)
	form.Uint(c, &s.Run.Serial)
	form.Uint(c, &s.Run.Reached)
	form.Uint(c, &s.Run.More)
	codeWaits(c, &s.Waits)
	form.Maybe(c, &s.Tap, codeTap)
}

// codePeer leaves out the Judge.
func codePeer(c *form.Coder, s *Peer) {
	form.Uint(c, &s.UID)
	form.Uint(c, &s.GID)
	form.Uint(c, &s.PID)
	form.Bools(c, &s.Administrator, &s.MayTap)
	form.String(c, &s.Program)
}

func codeWaits(c *form.Coder, s *WaitsState) {
	form.List(c, &s.Nexts, codeNext)
	form.List(c, &s.Calls, codeCall)
	form.Uints(c, &s.Sents)
	form.Uints(c, &s.BindRequests)
	form.Uints(c, &s.Readables)
}

func codeNext(c *form.Coder, s *NextState) {
	form.Uint(c, &s.Seq)
	form.Uint(c, &s.Most)
}

func codeCall(c *form.Coder, s *CallState) {
	form.Uint(c, &s.Op)
	form.Uint(c, &s.Seq)
	form.ID(c, &s.Request)
}

func codeTap(c *form.Coder, s *TapState) {
	form.Uint(c, &s.Seq)
	codeFilter(c, &s.Filter)
	form.Uint(c, &s.Missed)
	form.Bool(c, &s.Full)
	form.Int(c, &s.Waiting)
}

func codeFilter(c *form.Coder, s *wire.TapFilter) {
	form.Bool(c, &s.OnlyFailures)
	form.Uint(c, &s.Kinds)
	form.Uint(c, &s.Ksock)
	form.Uint(c, &s.DataBytes)
	form.Strings(c, &s.Patterns)
}

func codeBindRequest(c *form.Coder, s *BindRequestState) {
	form.Uint(c, &s.ID)
	form.Int(c, &s.Ksock)
	form.Int(c, &s.Waiter)
	form.String(c, &s.Name)
	form.Origin(c, &s.Of)
	form.Uint(c, &s.Op)
	form.Uint(c, &s.Seq)
	form.Bools(c, &s.Standby, &s.HandedOut, &s.Decided)
	form.Uint(c, &s.Outcome)
}
