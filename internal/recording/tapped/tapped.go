// Package tapped turns what a tap of package kbus is shown into what recordings keep, and back: so what shows a tap shows a
// recording, too.
package tapped

import (
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/message"
)

// Keep fills in to. Its data is shared with e, its name and its trace context are kept in the memory that to has for them already.
func Keep(e *kbus.Event, serial uint64, bus kbus.BusNumber, to *event.Event) {
	*to = event.Event{
		Serial: serial, Bus: uint32(bus), Kind: event.Kind(e.Event), Missed: e.Lost, Boot: int64(e.SinceBoot), Wall: e.Time.UnixNano(),
		Ksock: uint32(e.By.Ksock), UID: e.By.UID, GID: e.By.GID, PID: e.By.PID, Program: e.By.Program, Reached: e.Reached, Skipped: e.Skipped,
		SetAside: e.SetAside, AsReplier: e.AsReplier, Replier: uint32(e.Replier), DataBytes: e.DataBytes, Header: e.Header,
		Name: append(to.Name[:0], e.Name...), Data: e.Data, Trace: message.AppendTrace(to.Trace[:0], e.Trace),
	}
	if c, ok := e.Err.(kbus.Condition); ok {
		to.Condition = c
	}
}

// Show is the event as a tap shows it. It shares nothing with e.
func Show(e *event.Event) *kbus.Event {
	shown := &kbus.Event{
		Message: kbus.Message{Header: e.Header, Name: string(e.Name), Data: append([]byte(nil), e.Data...), Trace: message.TraceOf(e.Trace)},
		Event:   kbus.EventKind(e.Kind), Lost: e.Missed, Time: time.Unix(0, e.Wall), SinceBoot: time.Duration(e.Boot),
		By:        kbus.Peer{Ksock: kbus.KsockID(e.Ksock), UID: e.UID, GID: e.GID, PID: e.PID, Program: e.Program},
		AsReplier: e.AsReplier, Replier: kbus.KsockID(e.Replier), Reached: e.Reached, Skipped: e.Skipped, SetAside: e.SetAside, DataBytes: e.DataBytes,
	}
	if e.Condition != message.OK {
		shown.Err = e.Condition
	}
	return shown
}
