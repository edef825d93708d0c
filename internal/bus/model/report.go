package model

import "kbus.example/kbus/message"

// What the reports show (part 8), for comparing states.

// Info is the state of the bus that R8.4 shows, and its settings. The counters are 0 before they are first used.
type Info struct {
	NextKsock, NextSerial        uint32
	SetAside                     int
	Tragic, Verbose, ReportBinds bool
	MaxMessageBytes              uint32
}

// Info reports on the bus.
func (b *Bus) Info() Info {
	tragic := b.tragic
	for _, k := range b.ksocks {
		tragic = tragic || k.tragic
	}
	return Info{b.nextKsock, b.nextSerial, len(b.aside), tragic, b.verbose == 1, b.reportBinds == 1, b.maxBytes}
}

// KsockInfo is the state of a Ksock that R8.5 shows, and more. Most is the longest that a list has been.
type KsockInfo struct {
	ID                           message.KsockID
	LastSent                     message.ID
	Queued, MaxMessages          uint32
	Sending, OnlyOnce            bool
	Outstanding, OutstandingMost uint32
	Unreplied, UnrepliedMost     uint32
	SetAside                     uint32
}

// KsockInfo reports on a Ksock.
func (b *Bus) KsockInfo(k *Ksock) KsockInfo {
	return KsockInfo{
		ID: k.id, LastSent: k.lastSent,
		Queued: uint32(len(k.queue)), MaxMessages: k.maxMessages,
		Sending: k.pending != nil, OnlyOnce: k.onlyOnce == 1,
		Outstanding: uint32(len(k.outstanding)), OutstandingMost: uint32(k.outstandingMost),
		Unreplied: uint32(len(k.unreplied)), UnrepliedMost: uint32(k.unrepliedMost),
		SetAside: uint32(b.numAside(k)),
	}
}

// ID is the Ksock's id.
func (k *Ksock) ID() message.KsockID { return k.id }

// Ksocks are the open Ksocks, newest first (R8.5).
func (b *Bus) Ksocks() (all []*Ksock) {
	for _, k := range b.ksocks {
		all = append([]*Ksock{k}, all...)
	}
	return all
}

// Binding is one binding as R8.2 shows it.
type Binding struct {
	Ksock   message.KsockID
	Replier bool
	Standby bool
	Name    string
}

// Bindings are all bindings, newest first (R1.29).
func (b *Bus) Bindings() (all []Binding) {
	for _, x := range b.bindings {
		all = append(all, Binding{x.ksock.id, x.replier, x.standby, x.name})
	}
	return all
}
