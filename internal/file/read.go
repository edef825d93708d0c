package file

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// Reading: NEXTMSG takes a message from the queue. From that moment its slot is free and a Reply to it may be owed
// (R3.36, R3.39), whether or not its bytes are read. They are laid out as the entire form at once, so that the bus gets
// its own copy back before the caller, which may be slow or dead, has read anything.

// unread is the message being read: its entire form and how much of it has been read. Empty means none.
type unread struct {
	entire []byte
	at     int
}

func (r *unread) drop() { *r = unread{entire: emptied(r.entire)} }

// Take drops what is left of the message being read and takes the next one from the queue, if there is one, for a
// caller that deals in whole messages. The caller owes the bus a Release.
func (f *File) Take() (d bus.Delivery, ok bool) {
	f.reading.drop()
	return f.Bus.Next(f.Ksock)
}

// Next is NEXTMSG: it drops what is left of the message being read, takes the next one and returns the length in bytes
// of its entire form, or 0 when there is none (R3.35).
func (f *File) Next() (length uint32) {
	d, ok := f.Take()
	if !ok {
		return 0
	}
	f.reading.entire = message.AppendEntire(f.reading.entire, &d.Header, d.Name, d.Data)
	f.Bus.Release(&d)
	return uint32(len(f.reading.entire))
}

// Read continues the message being read and never crosses into the next one: 0 bytes at its end, or when there is none
// (R3.40, R3.41). ErrWrongMode when the File is not open for reading.
func (f *File) Read(p []byte) (n int, c message.Condition) {
	if f.Mode&Read == 0 {
		return 0, message.ErrWrongMode
	}
	r := &f.reading
	n = copy(p, r.entire[r.at:])
	r.at += n
	if r.at == len(r.entire) {
		r.drop()
	}
	return n, message.OK
}

// LenLeft is LENLEFT: the bytes of the message being read that have not been read yet (R3.45, F7).
func (f *File) LenLeft() uint32 {
	return uint32(len(f.reading.entire) - f.reading.at)
}
