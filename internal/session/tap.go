package session

import (
	"cmp"
	"slices"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A tap is a connection without a Ksock that is shown what the bus does. Its events go into its own output, up to a
// limit; what does not fit there is lost to it, in order and counted, and no other client notices: no queue, no send
// and no figure of the bus depends on a tap. What is lost is a run: once it has begun, it ends when half of the limit is
// free. So a tap that reads slowly has few gaps, and one that has stopped costs a count for each event.
//
// Each tap is sent its events when there are some of them, or when the owner of the Engine has nothing else to do
// (FlushTaps), for a send to a tap costs as much as one to a recipient.

// TapBytes is how much may wait to be sent to a tap. It is charged as long as the tap is there.
const TapBytes = 1 << 20

const (
	tapEvents  = 32       // as many events
	flushBytes = 16 << 10 // or as many bytes are sent, also when there is other work
)

type tap struct {
	seq     uint32 // of the request, which its events have too
	filter  wire.TapFilter
	missed  uint64 // since the last event that fitted
	full    bool   // everything is lost until half of the limit is free
	waiting int    // events that nobody was asked to send yet
}

// Taps is how the owner of an Engine sets taps.
type Taps struct {
	May    func(Peer) bool             // which clients may be taps; nil: all
	Afford func(*Session) (why string) // charges a client the room of a tap, or says why it cannot; nil: all can
	Clock  func() (boot, wall int64)   // in nanoseconds; nil: there is none
	Bytes  int                         // how much may wait for a tap; 0: TapBytes
	Lazy   bool                        // FlushTaps will be called
}

// SetTaps sets what holds for all taps of the Engine. Without it every client may be a tap, and there is no time.
func (e *Engine) SetTaps(t Taps) { e.taps.Taps = t }

func (t *Taps) most() int { return cmp.Or(t.Bytes, TapBytes) }

type taps struct {
	Taps
	sessions []*Session
}

func (s *Session) beginTap(h wire.Header, payload []byte) {
	e := s.engine
	filter, ok := wire.ParseTapFilter(payload)
	if !ok {
		s.violate(h, "not a filter of a tap")
		return
	}
	switch {
	case s.ksock != nil:
		s.refuse(h, message.ErrWrongMode, "a tap is a connection without a Ksock")
		return
	case e.taps.May != nil && !e.taps.May(s.peer):
		s.refuse(h, message.ErrNotPermitted, `the daemon's setting taps says who may see everything ("owner": root and the daemon's user); `+
			`taps = "group:NAME" in kbusd.toml lets others`)
		return
	}
	if why, denied := s.peer.isDenied(Judge.MayTap); denied {
		s.refuse(h, message.ErrDenied, why)
		return
	}
	for _, p := range filter.Patterns {
		if c := message.CheckBinding(p); c != message.OK {
			s.named(h, []byte(p), false, c)
			return
		}
	}
	if s.tap == nil {
		if afford := e.taps.Afford; afford != nil {
			if why := afford(s); why != "" {
				s.refuse(h, message.ErrNoMemory, why)
				return
			}
		}
		e.taps.sessions = append(e.taps.sessions, s)
		s.tap = &tap{}
	}
	s.tap.seq, s.tap.filter = h.Seq, filter // what was missed before is still to be told
	e.bus.SetTap(&e.taps)
	s.result(h, message.OK, 0)
}

func (e *Engine) endTap(s *Session) {
	if s.tap == nil {
		return
	}
	s.tap = nil
	e.taps.sessions = slices.DeleteFunc(e.taps.sessions, func(other *Session) bool { return other == s })
	if len(e.taps.sessions) == 0 {
		e.bus.SetTap(nil)
	}
}

// FlushTaps has the taps be sent what waits for that; see Dirty.
func (e *Engine) FlushTaps() {
	for _, s := range e.taps.sessions {
		if s.tap.waiting > 0 {
			s.tapDue()
		}
	}
}

func (s *Session) tapDue() {
	s.tap.waiting = 0
	s.out.eager = true
	s.engine.touched(s)
}

// moment is when an event has happened, which the clock is asked for only if a tap gets to know it.
type moment struct {
	boot, wall int64
	known      bool
}

func (m *moment) look(clock func() (boot, wall int64)) (boot, wall int64) {
	if !m.known && clock != nil {
		m.boot, m.wall = clock()
	}
	m.known = true
	return m.boot, m.wall
}

// Tapped is for the bus, which calls it when something has happened.
func (t *taps) Tapped(ev *bus.Event) {
	var at moment
	for _, s := range t.sessions {
		if !s.deaf && tapWants(&s.tap.filter, ev) && s.peer.maySee(ev) {
			s.showEvent(ev, &at)
		}
	}
}

// Blind is for the bus, too: whether all taps lose whatever comes, and which of it they wanted need not be asked.
func (t *taps) Blind() bool {
	for _, s := range t.sessions {
		if !s.deaf && !(s.tap.full && s.tap.filter.IsAll() && s.peer.Judge == nil) {
			return false
		}
	}
	return true
}

// Unseen counts what came while they were blind.
func (t *taps) Unseen() {
	for _, s := range t.sessions {
		if !s.deaf {
			s.tap.missed++
		}
	}
}

// KeepsData is for the bus, too: a tap that wants no data or has no room for it needs no copy.
func (t *taps) KeepsData(ev *bus.Event) bool {
	return slices.ContainsFunc(t.sessions, func(s *Session) bool {
		data := min(uint64(len(ev.Data)), uint64(s.tap.filter.DataBytes))
		return data > 0 && !s.deaf && !s.tap.full && tapMayMean(s.tap.filter, ev) &&
			len(s.Out())+wire.HeaderBytes+wire.MessageBytes(len(ev.Name), int(data)) <= t.most()
	})
}

// showEvent tells a tap of an event, if there is room.
func (s *Session) showEvent(ev *bus.Event, at *moment) {
	t := s.tap
	if t.full {
		t.missed++
		return
	}
	shown := wire.TapEvent{
		Missed: t.missed, Ksock: uint32(ev.Ksock), UID: ev.Owner.UID, GID: ev.Owner.GID, PID: ev.Owner.PID,
		Program: ev.Owner.Program, Reached: ev.Reached, Skipped: ev.Skipped, SetAside: ev.SetAside, AsReplier: ev.AsReplier, Replier: uint32(ev.Replier),
		Header: ev.Header, Name: ev.Name, Data: ev.Data[:min(uint64(len(ev.Data)), uint64(t.filter.DataBytes))],
		DataBytes: uint32(len(ev.Data)) + ev.Unshown,
	}
	shown.Trace = s.marks.Put(&shown.Header, 0, ev.Trace).Trace
	n := shown.Bytes()
	if most := s.engine.taps.most(); len(s.Out())+wire.HeaderBytes+n > most {
		if ev.Kind != 0 {
			t.full = len(s.Out()) > most/2 // else it is this event that is too large
			t.missed++
			s.reportMissed()
		}
		return
	}
	t.missed = 0
	if ev.Kind != 0 {
		shown.Boot, shown.Wall = at.look(s.engine.taps.Clock)
	}
	s.out.room(wire.HeaderBytes + n)
	s.out.buf = wire.AppendHeader(s.out.buf, wire.Header{
		PayloadBytes: uint32(n), Op: wire.OpTapped, Condition: ev.Err, Seq: t.seq, Arg: uint32(ev.Kind),
	})
	s.out.buf = wire.AppendTapEvent(s.out.buf, &shown)
	if t.waiting++; !s.engine.taps.Lazy || t.waiting >= tapEvents || len(s.Out()) >= flushBytes {
		s.tapDue()
	}
}

// reportMissed tells a tap what it has missed, when it has taken everything else: nothing may come after it for hours.
func (s *Session) reportMissed() {
	if t := s.tap; t != nil && t.missed > 0 && len(s.Out()) == 0 {
		s.showEvent(&bus.Event{}, nil)
		s.tapDue()
	}
}

// kindOf is the bits that stand for an event in a filter.
func kindOf(ev *bus.Event) uint32 {
	kinds := uint32(1) << ev.Kind
	if ev.Kind == bus.EventSent {
		kinds |= kindOfMessage(&ev.Header)
	}
	return kinds
}

// kindOfMessage is the bit that stands for the kind of a message in a filter.
func kindOfMessage(h *message.Header) uint32 {
	switch {
	case h.IsRequest():
		return wire.TapRequests
	case h.IsReply():
		return wire.TapReplies
	}
	return wire.TapAnnouncements
}

// tapWants reports whether an event passes a filter.
func tapWants(f *wire.TapFilter, ev *bus.Event) bool {
	if f.OnlyFailures && ev.Err == message.OK && ev.Skipped == 0 && ev.Kind != bus.EventStatus {
		return false
	}
	return tapMeans(f, ev)
}

// concerns reports whether a Ksock does it, sends it or is sent it; a Request is sent to its Replier.
func concerns(ev *bus.Event, k message.KsockID) bool {
	return ev.Ksock == k || ev.Header.To == k || ev.Replier == k
}

// tapMayMean is tapMeans for what is about to be sent: which Replier a Request will go to is not known yet.
func tapMayMean(f wire.TapFilter, ev *bus.Event) bool {
	if ev.Header.IsRequest() {
		f.Ksock = 0
	}
	return tapMeans(&f, ev)
}

// tapMeans reports whether a filter means events of that kind, Ksock and name, whatever comes of them.
func tapMeans(f *wire.TapFilter, ev *bus.Event) bool {
	switch {
	case f.Kinds != 0 && f.Kinds&kindOf(ev) == 0:
		return false
	case f.Ksock != 0 && !concerns(ev, message.KsockID(f.Ksock)):
		return false
	case len(f.Patterns) == 0:
		return true
	}
	name := string(ev.Name)
	return slices.ContainsFunc(f.Patterns, func(p string) bool { return p == name || message.Covers(p, name) })
}
