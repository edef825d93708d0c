package session

import (
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// glass is a window that counts; its client takes as many of the messages shown as a test says.
type glass struct {
	staged, shown, taken int
	published            int // times that something was made visible
	room                 int // for so many messages; 0: for all
	missed               uint32
	flags                message.Flags
	wanted, more         bool
	quick                bool // its client takes one just before it is asked to say so
}

func (g *glass) Show(h *message.Header, _, _ []byte, missed uint32, _ []byte) bool {
	g.missed, g.flags = g.missed+missed, g.flags|h.Flags
	if g.room > 0 && g.shown+g.staged == g.room {
		return false
	}
	g.staged++
	return true
}

func (g *glass) Publish() {
	if g.staged > 0 {
		g.shown, g.staged = g.shown+g.staged, 0
		g.published++
	}
}

func (g *glass) Taken() (n int) { n, g.taken = g.taken, 0; return n }
func (g *glass) Shown() int     { return g.shown }
func (g *glass) Withdraw()      { g.shown = 0 }
func (g *glass) More(more bool) { g.more = more }
func (g *glass) Want() bool {
	g.wanted = true
	if g.quick {
		g.quick = false
		g.take(1)
		return false
	}
	return true
}

// take is what the client does.
func (g *glass) take(n int) { g.shown, g.taken = g.shown-n, g.taken+n }

// A batch of requests makes a window visible once, when the Engine pumps and not before.
func TestWindowIsShownOncePerBatch(t *testing.T) {
	w := newWorld(t, bus.Config{})
	reader, sender := w.open("R", 3), w.open("S", 3)
	w.bind(reader, "$.A", 0)
	g := &glass{}
	reader.SetWindow(g)
	w.e.Pump()
	for batch := 1; batch <= 3; batch++ {
		for range 10 {
			w.do(sender, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", 4))
		}
		if g.published != batch-1 {
			t.Fatalf("visible before that: %d times", g.published)
		}
		w.e.Pump()
		if g.published != batch || g.shown != 10*batch {
			t.Fatalf("batch %d: made visible %d times, %d messages", batch, g.published, g.shown)
		}
	}
}

// A window that has no room for all is filled as it is emptied, and its client is told that there is more.
func TestWindowThatIsTooSmall(t *testing.T) {
	w := newWorld(t, bus.Config{})
	reader, sender := w.open("R", 3), w.open("S", 3)
	w.bind(reader, "$.A", 0)
	g := &glass{room: 3}
	reader.SetWindow(g)
	for range 5 {
		w.do(sender, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", 4))
	}
	w.e.Pump()
	if g.shown != 3 || !g.more {
		t.Errorf("of 5 messages %d are shown; there is more: %v", g.shown, g.more)
	}
	g.take(3)
	w.do(reader, wire.Header{Op: wire.OpReset}, nil)
	w.e.Pump()
	if g.shown != 2 || g.more {
		t.Errorf("of the last 2 messages %d are shown; there is more: %v", g.shown, g.more)
	}
}

// A client that asked for it sees in its window what it has missed; another sees nothing that it could not understand.
func TestMissedInAWindow(t *testing.T) {
	for _, marks := range []bool{false, true} {
		w := newWorld(t, bus.Config{MaxMessages: 2})
		reader, sender := w.open("R", 3), w.open("S", 3)
		reader.marks.Missed = marks
		w.bind(reader, "$.A", 0)
		g := &glass{}
		reader.SetWindow(g)
		send := func(n int) {
			for range n {
				w.do(sender, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", 4))
			}
			w.e.Pump()
		}
		send(5)
		g.take(2)
		reader.WindowTaken()
		send(1)
		if answered := g.missed == 3 && g.flags != 0; g.shown != 1 || answered != marks || !marks && (g.missed != 0 || g.flags != 0) {
			t.Errorf("marks %v: %d shown, %d missed, flags %#x", marks, g.shown, g.missed, g.flags)
		}
	}
}

// What has been taken counts the moment it makes a difference, whatever a window shows: room for a message that needs
// it (R4.2), and for one that waits (F6).
func TestTakenBetweenTwoRequestsOfABatch(t *testing.T) {
	w := newWorld(t, bus.Config{MaxMessages: 2})
	reader, sender, patient := w.open("R", 3), w.open("S", 3), w.open("P", 3)
	w.bind(reader, "$.A", 0)
	g := &glass{}
	reader.SetWindow(g)
	fail := wire.AppendMessage(nil, &message.Header{Flags: message.AllOrFail}, []byte("$.A"), nil)
	wait := wire.AppendMessage(nil, &message.Header{Flags: message.AllOrWait}, []byte("$.A"), nil)
	send := func(c *client, payload []byte, want message.Condition) {
		t.Helper()
		w.do(c, wire.Header{Op: wire.OpSendMessage}, payload)
		if h := w.frames(c)[0]; h.Condition != want {
			t.Fatalf("sent: %v, want %v", h.Condition, want)
		}
	}
	send(sender, fail, message.OK)
	send(sender, fail, message.OK)
	send(sender, fail, message.ErrListenerFull)
	g.take(1)
	send(sender, fail, message.OK)
	send(patient, wait, message.ErrPending)
	if !g.wanted {
		t.Fatal("the client was not asked to say when it takes one")
	}
	g.take(1)
	reader.WindowTaken()
	if patient.ksock.Sending() || g.shown != 2 {
		t.Fatalf("still waiting: %v; %d messages shown", patient.ksock.Sending(), g.shown)
	}
}

// A client that takes a message just before it is asked to say so has made room all the same.
func TestTakenBeforeItWasWanted(t *testing.T) {
	w := newWorld(t, bus.Config{MaxMessages: 1})
	reader, patient := w.open("R", 3), w.open("P", 3)
	w.bind(reader, "$.A", 0)
	g := &glass{quick: true}
	reader.SetWindow(g)
	wait := wire.AppendMessage(nil, &message.Header{Flags: message.AllOrWait}, []byte("$.A"), nil)
	for range 2 {
		w.do(patient, wire.Header{Op: wire.OpSendMessage}, wait)
	}
	w.e.Pump()
	if g.quick || patient.ksock.Sending() || g.shown != 1 {
		t.Errorf("not asked: %v; still waiting: %v; %d messages shown", g.quick, patient.ksock.Sending(), g.shown)
	}
}

// What a client takes by itself happens before what it asks next, with all that follows from it.
func TestTakenBeforeARequest(t *testing.T) {
	w := newWorld(t, bus.Config{MaxMessages: 1})
	reader, patient := w.open("R", 3), w.open("P", 3)
	w.bind(reader, "$.A", 0)
	g := &glass{}
	reader.SetWindow(g)
	wait := wire.AppendMessage(nil, &message.Header{Flags: message.AllOrWait}, []byte("$.A"), nil)
	for range 2 {
		w.do(patient, wire.Header{Op: wire.OpSendMessage}, wait)
	}
	w.e.Pump()
	g.take(1)
	w.do(reader, wire.Header{Op: wire.OpNumMessages}, nil)
	if got := w.frames(reader); len(got) != 1 || got[0].Arg != 1 || patient.ksock.Sending() {
		t.Errorf("%+v: the message that waited for room has not come", got)
	}
}

func TestShowingAllocatesNothing(t *testing.T) {
	tr := newTraffic(t, 32)
	g := &glass{}
	tr.other.SetWindow(g)
	send := func() {
		tr.must(t, tr.asker, wire.Header{Op: wire.OpSendMessage}, tr.announce)
		tr.w.e.Pump()
		g.take(1)
	}
	send()
	if n := testing.AllocsPerRun(500, send); n > 0 {
		t.Errorf("a message that is shown allocates %v times", n)
	}
}
