package bus

import (
	"kbus.example/kbus/internal/form"
)

// The bytes of a State: what is in each part, in this order. A new field is a line here, see package form.

// Code writes a State, or reads one. The names and the data of messages that are read lie in the bytes that they are read from.
func (s *State) Code(c *form.Coder) {
	c.Mark("bus")
	codeFixed(c, &s.Fixed)
	codeSwitches(c, &s.Switches)
	codeCounters(c, &s.Counters)
	c.Mark("Ksocks")
	form.List(c, &s.Ksocks, codeKsock)
	c.Mark("bindings")
	form.List(c, &s.Bindings, codeBinding)
	codeSetAside(c, &s.Aside)
	c.Mark("startable names")
	form.Strings(c, &s.Startable.Names)
	form.List(c, &s.Startable.Held, codeHeld)
	form.List(c, &s.Startable.Calls, codeCall)
	c.Mark("closed Ksocks")
	form.Map(c, &s.Departed.Owners, form.Uint, CodeOwner)
	form.Uints(c, &s.Departed.Recent)
	form.Int(c, &s.Departed.Next)
	form.Int(c, &s.Departed.Sweep)
	c.Mark("other buses")
	form.Uint(c, &s.Carriage.Network)
	form.Uint(c, &s.Carriage.Turn)
	form.List(c, &s.Carriage.Others, codeOtherBus)
	c.Mark("who is woken")
	form.Ints(c, &s.Wakes.Readers)
	form.Ints(c, &s.Wakes.Due)
	form.Ints(c, &s.Wakes.Pending)
	c.Mark("charges")
	form.Map(c, &s.Charges, form.Uint, form.Int)
	c.Mark("messages")
	form.List(c, &s.Messages, codeMessage)
}

func codeMessage(c *form.Coder, s *MessageState) {
	form.Header(c, &s.Header)
	form.Borrowed(c, &s.Name)
	form.Borrowed(c, &s.Data)
	form.Borrowed(c, &s.Trace)
	form.Bool(c, &s.ListenersOnly)
}

func codeFixed(c *form.Coder, s *Fixed) {
	form.Uint(c, &s.MaxMessageBytes)
	form.Uint(c, &s.AbsMaxMessageBytes)
	form.Uint(c, &s.MaxMessages)
	form.Uint(c, &s.Incarnation)
	form.Int(c, &s.MaxSetAside)
	form.Int(c, &s.MaxHeld)
}

func codeSwitches(c *form.Coder, s *Switches) {
	form.Uint(c, &s.MaxMessageBytes)
	form.Bools(c, &s.Verbose, &s.ReportBinds, &s.StrictAsk, &s.Stopping)
	form.List(c, &s.Switched, codeSwitched)
}

func codeSwitched(c *form.Coder, s *Switched) {
	form.String(c, &s.Switch)
	CodeOwner(c, &s.By)
	form.String(c, &s.From)
	form.String(c, &s.To)
}

// CodeOwner writes an Owner, or reads one, without its Judge.
func CodeOwner(c *form.Coder, s *Owner) {
	form.Uint(c, &s.UID)
	form.Uint(c, &s.GID)
	form.Uint(c, &s.PID)
	form.String(c, &s.Program)
	form.Bools(c, &s.Administrator, &s.Original)
}

func codeCounters(c *form.Coder, s *Counters) {
	form.Uint(c, &s.NextKsock)
	form.Uint(c, &s.NextSerial)
	form.Bool(c, &s.SharedIDs)
	form.Uint(c, &s.Decided)
	form.Uint(c, &s.Made)
	form.Int(c, &s.Worked)
	form.Uint(c, &s.Quickly.Announced)
	form.Uint(c, &s.Quickly.Taken)
	form.Uint(c, &s.Quickly.Routed)
}

func codeKsock(c *form.Coder, s *KsockState) {
	form.Uint(c, &s.ID)
	CodeOwner(c, &s.Owner)
	form.Uint(c, &s.Settings.MaxMessages)
	form.Bools(c, &s.Settings.Strict, &s.Settings.OnlyOnce, &s.Settings.AsksForEvents, &s.Settings.Carries, &s.Settings.NamesTheNetwork)
	codeQueue(c, &s.Queue)
	codeSetAside(c, &s.Aside)
	form.Uint(c, &s.Missed.Total)
	form.Uint(c, &s.Missed.Got)
	form.Uint(c, &s.Missed.Since)
	form.Uint(c, &s.Missed.Reported)
	form.Int(c, &s.Sending.Message)
	form.Int(c, &s.Sending.Blocker)
	form.Int(c, &s.Sending.Short)
	form.ID(c, &s.Sending.LastSent)
	form.List(c, &s.Asked, form.ID)
	form.List(c, &s.Owed, codeOwed)
	form.Map(c, &s.GivenUp, form.ID, form.Int)
	form.Uint(c, &s.Most[0])
	form.Uint(c, &s.Most[1])
	form.Uint(c, &s.LastFrom)
}

func codeQueue(c *form.Coder, s *QueueState) {
	form.List(c, &s.Entries, codeEntry)
	form.Int(c, &s.Front)
	form.Int(c, &s.Back)
	form.Int(c, &s.ToLook[0])
	form.Int(c, &s.ToLook[1])
	form.Int(c, &s.LookFrom)
	form.ID(c, &s.LastPushed)
}

func codeEntry(c *form.Coder, s *EntryState) {
	form.Int(c, &s.Message)
	form.Int(c, &s.Via)
	form.Int(c, &s.Number)
	form.Uint(c, &s.Missed)
}

func codeOwed(c *form.Coder, s *OwedState) {
	form.ID(c, &s.ID)
	form.Uint(c, &s.Requester)
}

func codeBinding(c *form.Coder, s *BindingState) {
	form.Int(c, &s.Ksock)
	form.String(c, &s.Name)
	form.Bools(c, &s.Replier, &s.Standby)
	form.Origin(c, &s.Of)
	form.Uint(c, &s.Made)
	form.Bytes(c, &s.Card)
}

func codeSetAside(c *form.Coder, s *SetAsideState) {
	form.List(c, &s.Events, codeAside)
	form.Uint(c, &s.Number)
	form.Bool(c, &s.Tragic)
}

func codeAside(c *form.Coder, s *AsideState) {
	form.Int(c, &s.Via)
	form.Int(c, &s.Message)
	form.Uint(c, &s.Number)
}

func codeHeld(c *form.Coder, s *HeldState) {
	form.Int(c, &s.Message)
	form.Uint(c, &s.Payer)
}

func codeCall(c *form.Coder, s *Call) {
	form.String(c, &s.Name)
	form.Bool(c, &s.Bound)
}

func codeOtherBus(c *form.Coder, s *OtherBusState) {
	form.Uint(c, &s.Network)
	form.Uint(c, &s.Incarnation)
	form.Window(c, &s.Window)
	form.Int(c, &s.Way)
	form.Uint(c, &s.Used)
}
