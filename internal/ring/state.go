package ring

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// The daemon's ends of a segment can be handed over to another process, which maps the same memory and goes on from where
// these have stopped. The memory itself says nothing of that: a client can write to it, so all that the daemon goes by is in
// the State.

// State is the daemon's ends of one segment.
type State struct {
	Sizes  Sizes
	Reader ReaderState
	Writer WriterState
	Window WindowState
}

// ReaderState is where the reader stands.
type ReaderState struct {
	Head, End uint32
	Ended     bool
}

// WriterState is where the writer stands.
type WriterState struct {
	Tail, Head, Skip     uint32
	Begun, Skipped, Long bool
}

// WindowState is a window that shows nothing: what the client has taken, and where of that lies what it has not finished with.
type WindowState struct {
	Taken, Freed uint16
	Slots        []SlotState // of the messages from Freed to before Taken
	More         uint32
}

// SlotState is where a message lies in the window's memory.
type SlotState struct{ At, Bytes uint32 }

var errShows = errors.New("ring: the window shows something")

// StateOf gives the state of the daemon's ends. What the window shows must have been taken back, and Taken have told all.
// Places in an arena are not in it: who goes on has an arena of its own, and the client keeps what it looks at.
func StateOf(s *Segment, r *Reader, w *Writer, front *Window) (State, error) {
	if front.Shown() > 0 || front.staged > 0 || front.reported != front.taken {
		return State{}, errShows
	}
	state := State{
		Sizes:  s.size.Sizes,
		Reader: ReaderState{r.head, r.end, r.ended},
		Writer: WriterState{w.tail, w.head, w.skip, w.begun, w.skipped, w.long},
		Window: WindowState{Taken: front.taken, Freed: front.freed, More: front.more},
	}
	for i := front.freed; i != front.taken; i++ {
		own := front.slot(i)
		state.Window.Slots = append(state.Window.Slots, SlotState{own.at, own.bytes})
	}
	return state, nil
}

// Resume maps the segment of a State, and gives the daemon's ends as they were. It writes nothing to the memory. The descriptor
// stays the caller's.
func Resume(fd int, state *State) (*Segment, *Reader, *Writer, *Window, error) {
	l := Layout{magic, version, state.Sizes}
	if err := l.check(); err != nil {
		return nil, nil, nil, nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Size != int64(l.bytes()) {
		return nil, nil, nil, nil, fmt.Errorf("segment of %d bytes, not %d: %w", st.Size, l.bytes(), err)
	}
	s, err := mapSegment(fd, l)
	if err != nil {
		return nil, nil, nil, nil, fmt.Errorf("segment: %w", err)
	}
	r, w, front := s.Daemon()
	r.head, r.end, r.ended = state.Reader.Head, state.Reader.End, state.Reader.Ended
	o := &state.Writer
	w.tail, w.head, w.skip, w.begun, w.skipped, w.long = o.Tail, o.Head, o.Skip, o.Begun, o.Skipped, o.Long
	if err := front.resume(&state.Window); err != nil {
		s.Close()
		return nil, nil, nil, nil, err
	}
	return s, r, w, front, nil
}

func (w *Window) resume(s *WindowState) error {
	held := int(s.Taken - s.Freed)
	if held != len(s.Slots) || held > len(w.own) {
		return fmt.Errorf("ring: %d slots are held, and %d are known", held, len(s.Slots))
	}
	w.published, w.taken, w.reported, w.freed, w.more = s.Taken, s.Taken, s.Taken, s.Freed, s.More
	for i, o := range s.Slots {
		if uint64(o.At)+uint64(o.Bytes) > uint64(len(w.data)) {
			return fmt.Errorf("ring: a slot of %d bytes at %d", o.Bytes, o.At)
		}
		*w.slot(s.Freed + uint16(i)) = slot{o.At, o.Bytes}
	}
	return nil
}
