package file

import (
	"errors"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// A File can be handed over to another process, with a message half written and another half read, as its bus can
// (bus.StateOf).

// State is what a File holds.
type State struct {
	Started bool   // a message is being written
	Written []byte // of it
	Part    uint8  // which part of it comes next,
	At      uint64 // and how much of that has come
	Unread  []byte // of the message being read
	Entire  int    // its length
	Pointy  bool
}

// StateOf gives what f holds; the bytes are f's own.
func StateOf(f *File) State {
	s := State{Unread: f.reading.entire[f.reading.at:], Entire: len(f.reading.entire), Pointy: f.pointy}
	if d := f.draft; d != nil {
		s.Started, s.Written, s.Part, s.At = d.started, d.buf, uint8(d.part), d.at
	}
	return s
}

var errBadState = errors.New("file: bad state")

// FromState makes the File of a Ksock, which goes on where the one of the state has stopped.
func FromState(s *State, b *bus.Bus, k *bus.Ksock, mode Mode) (*File, error) {
	f := New(b, k, mode)
	f.pointy = s.Pointy
	if s.Entire < len(s.Unread) || s.Part > uint8(noPart) || part(s.Part) > headerPart && len(s.Written) < message.HeaderBytes {
		return nil, errBadState
	}
	f.reading = unread{entire: make([]byte, s.Entire), at: s.Entire - len(s.Unread)}
	copy(f.reading.entire[f.reading.at:], s.Unread)
	if s.Started {
		d := &draft{started: true, buf: s.Written, part: part(s.Part), at: s.At}
		if d.part > headerPart {
			d.header = message.ParseHeader(d.buf)
		}
		f.draft = d
		if !d.isWhole() {
			return nil, errBadState
		}
	}
	return f, nil
}

// isWhole reports whether the bytes of a draft are as many as its part says.
func (d *draft) isWhole() bool {
	have := uint64(len(d.buf))
	is := *d
	is.at = 0
	for is.part = headerPart; is.part < d.part; is.part++ {
		have -= min(have, is.partBytes())
	}
	return have == d.at && (d.part == noPart || d.at <= d.partBytes())
}
