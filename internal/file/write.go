package file

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// Writing ends in one of three ways: SEND takes the message, DISCARD drops it, or an error drops it, after which the
// next byte is taken as the first of a new message (R3.62).

// Write appends p to the message being written, starting one if there is none, even when p is empty (R3.58). It takes
// all of p or fails: ErrWrongMode, ErrStillSending (which changes nothing, F8), or what is wrong with the message,
// which then is dropped: ErrMalformed, ErrNameTooLong, ErrWaitAndFail, ErrMessageTooLong, ErrBadName, ErrAfterEnd. The
// maximum size is the one in force when the header becomes complete (R2.12).
func (f *File) Write(p []byte) (n int, c message.Condition) {
	switch {
	case f.Mode&Write == 0:
		return 0, message.ErrWrongMode
	case f.Ksock.Sending():
		return 0, message.ErrStillSending
	}
	if f.draft == nil {
		f.draft = new(draft)
	}
	if c := f.draft.write(p, f.Bus.MaxMessageBytes(), f.checkName); c != message.OK {
		f.draft.drop()
		return 0, c
	}
	return len(p), message.OK
}

// Send is SEND (R3.65): it sends the message that was written, or tries the one that waits for room again (R3.68).
// What a pointy message points at is read through mem now, once: a message that has to wait is the bus's copy (R2.10).
// Whatever the outcome, nothing is being written afterwards.
func (f *File) Send(mem Memory) bus.Outcome {
	if f.Ksock.Sending() {
		return f.Bus.Resend(f.Ksock)
	}
	d := f.draft
	if d == nil || !d.started {
		return bus.Outcome{Err: message.ErrNothingToSend}
	}
	defer d.drop()
	if !d.complete() {
		return bus.Outcome{Err: message.ErrIncomplete}
	}
	var name, data []byte
	if d.pointy() {
		var c message.Condition
		if name, data, c = f.fetch(&d.header, mem); c != message.OK {
			return bus.Outcome{Err: c}
		}
	} else {
		name, data = d.name(), d.data()
	}
	f.pointy = d.pointy()
	return f.Bus.Send(f.Ksock, &d.header.Header, name, data)
}

// Discard is DISCARD: it drops the message being written, and the one that waits for room, if any (R3.71).
func (f *File) Discard() {
	if f.draft != nil {
		f.draft.drop()
	}
	f.Bus.Discard(f.Ksock)
}

// fetch reads what a pointy header points at, in the order of R3.65 step 4. The name has a terminator, which must be
// readable but may be anything (R2.10).
func (f *File) fetch(h *message.RawHeader, mem Memory) (name, data []byte, c message.Condition) {
	if mem == nil {
		return nil, nil, message.ErrBadAddress
	}
	name = make([]byte, h.NameLen+1)
	if c = mem.ReadAt(h.NamePtr, name); c != message.OK {
		return nil, nil, c
	}
	name = name[:h.NameLen]
	if c = f.checkName(name); c != message.OK {
		return nil, nil, c
	}
	if h.DataLen == 0 {
		return name, nil, message.OK
	}
	data = make([]byte, h.DataLen)
	return name, data, mem.ReadAt(h.DataPtr, data)
}
