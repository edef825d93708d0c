package bus

import "kbus.example/kbus/message"

// Info is what a bus has to tell of itself (R8.4).
type Info struct {
	NextKsock, NextSerial               uint32 // 0 until the first was used
	SetAside                            int    // set-aside events
	Tragic                              bool   // and some were lost
	Verbose, ReportBinds, Stopping      bool
	MaxMessageBytes, AbsMaxMessageBytes uint32
	Ksocks, Bindings, Repliers          int
	QueueBytes                          int64 // charged to all users
}

// Info gives the figures of the whole bus.
func (b *Bus) Info() Info {
	own, ownTragic := 0, false
	for k := range b.Ksocks() { // syncs their windows, so what is set aside for any is counted below
		own += k.asideOwn.count
		ownTragic = ownTragic || k.asideOwn.tragic
	}
	b.Work(b.accounts.all.ksocks)
	return Info{
		NextKsock: b.nextKsock, NextSerial: b.nextSerial,
		SetAside: b.bindings.aside.count + own, Tragic: b.bindings.aside.tragic || ownTragic,
		Verbose: b.verbose, ReportBinds: b.reportBinds, Stopping: b.stopping,
		MaxMessageBytes: b.maxMessageBytes, AbsMaxMessageBytes: b.config.AbsMaxMessageBytes,
		Ksocks: b.accounts.all.ksocks, Bindings: b.accounts.all.bindings,
		Repliers: b.bindings.repliers, QueueBytes: b.accounts.all.bytes,
	}
}

// KsockInfo is what there is to tell of one Ksock (R8.6).
type KsockInfo struct {
	ID                  message.KsockID
	Owner               Owner
	LastSent            message.ID
	Queued, MaxMessages uint32
	SetAside            uint32 // set-aside events, not in Queued
	Sending, OnlyOnce   bool
	Outstanding         uint32 // Requests sent and not answered
	OutstandingMost     uint32 // the most there ever were
	OutstandingSize     uint32 // capacity of that list in the original (R7.2)
	Unreplied           uint32 // Requests read and not replied to
	UnrepliedMost       uint32
	Bindings            int
	Missed              uint64 // messages that it did not get because its queue was full
	Strict              bool   // its full queue makes Binds of others fail
}

// Info gives the figures of one Ksock.
func (k *Ksock) Info() KsockInfo {
	return KsockInfo{
		ID: k.id, Owner: k.owner, LastSent: k.lastSent,
		Queued: uint32(k.queue.len()), MaxMessages: k.maxMessages, SetAside: k.asideCount,
		Sending: k.Sending(), OnlyOnce: k.onlyOnce,
		Outstanding: uint32(k.outstanding.len()), OutstandingMost: k.outstandingMost,
		OutstandingSize: originalCapacity(k.outstandingMost),
		Unreplied:       uint32(k.unreplied.len()), UnrepliedMost: k.unrepliedMost,
		Bindings: len(k.bindings), Missed: k.missed.total, Strict: k.strict,
	}
}

// originalCapacity is the size that the original's list would have grown to (R7.2).
func originalCapacity(most uint32) uint32 {
	size := uint32(16)
	for size < most {
		size += size / 8
	}
	return size
}

// NumMessages counts what k can read: queued messages and set-aside events (R3.75).
func (b *Bus) NumMessages(k *Ksock) uint32 {
	b.SyncWindow(k)
	return uint32(k.queue.len()) + k.asideCount
}

// NumUnreplied counts the Requests that k has read and not replied to (R3.76).
func (b *Bus) NumUnreplied(k *Ksock) uint32 {
	b.SyncWindow(k)
	return uint32(k.unreplied.len())
}

// LastSent is the id of k's last message that was given one, or zero (R3.72).
func (b *Bus) LastSent(k *Ksock) message.ID { return k.lastSent }
