package kbus

import "kbus/internal/wire"

// What an Observer is told. The numbers are those of the moment; switches are 0 or 1.

// Party is a Ksock and the process that opened it, as the daemon knows it from the kernel.
type Party struct {
	Ksock   uint32 // id; 0 for nobody
	PID     uint32
	UID     uint32
	Program string // name of the program, at most 255 bytes of it
}

// KsockInfo is what is known of a Ksock.
type KsockInfo struct {
	Party
	Mode            Mode
	Queued          uint32 // messages in the queue
	MaxMessages     uint32 // limit of the queue
	Outstanding     uint32 // Requests that it waits to be answered
	OutstandingMost uint32 // as many as there ever were
	Unreplied       uint32 // Requests that it has read and must answer
	UnrepliedMost   uint32 // as many as there ever were
	SetAside        uint32 // replier bind events set aside for it
	OnlyOnce        uint32 // 1 if it gets one copy of a message at most
	Sending         uint32 // 1 while a message of it waits for room
	LastNetwork     uint32 // id of the message last sent
	LastSerial      uint32
	Bindings        uint32 // how many, as Replier and as Listener together
	Waiting         uint32 // things that its program waits for: messages, answers, room
	UnsentBytes     uint32 // of results that its program has not taken yet
}

func ksockInfo(e wire.KsockEntry) KsockInfo {
	return KsockInfo{
		Party: Party(e.Party), Mode: Mode(e.Mode), Queued: e.Queued, MaxMessages: e.MaxMessages,
		Outstanding: e.Outstanding, OutstandingMost: e.OutstandingMost,
		Unreplied: e.Unreplied, UnrepliedMost: e.UnrepliedMost, SetAside: e.SetAside,
		OnlyOnce: e.OnlyOnce, Sending: e.Sending, LastNetwork: e.LastNetwork, LastSerial: e.LastSerial,
		Bindings: e.Bindings, Waiting: e.Waiting, UnsentBytes: e.UnsentBytes,
	}
}

// BusInfo is the figures of a whole bus.
type BusInfo struct {
	Bus                uint32 // number of the bus
	NextKsock          uint32 // id of the next Ksock, 0 until the first (R8.4)
	NextSerial         uint32 // serial number of the next message, 0 until the first
	Ksocks             uint32 // open
	Connections        uint32 // Ksocks and Observers
	Bindings           uint32 // as Replier and as Listener together
	Repliers           uint32 // bindings as Replier
	Queued             uint32 // messages in all queues
	Outstanding        uint32 // Requests not answered yet
	Sending            uint32 // Ksocks with a message that waits for room
	SetAside           uint32 // replier bind events set aside
	Tragic             uint32 // 1 when so many were set aside that some were lost (R6.21)
	Verbose            uint32 // 1 if the bus logs what it does
	ReportReplierBinds uint32 // 1 if it announces Repliers that bind and unbind
	MaxMessageBytes    uint32 // longest message now, entire form
	AbsMaxMessageBytes uint32 // and at most
	Stopping           uint32 // 1 when the bus is ending
}
