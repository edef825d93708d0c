package session

import (
	"testing"

	"kbus/internal/bus"
	"kbus/internal/wire"
	"kbus/message"
)

// glass is a window that counts; its client takes as many of the messages shown as a test says.
type glass struct {
	staged, shown, taken int
	published            int // times that something was made visible
	wanted               bool
}

func (g *glass) Show(*message.Header, []byte, []byte) bool { g.staged++; return true }

func (g *glass) Publish() {
	if g.staged > 0 {
		g.shown, g.staged = g.shown+g.staged, 0
		g.published++
	}
}

func (g *glass) Taken() (n int) { n, g.taken = g.taken, 0; return n }
func (g *glass) Shown() int     { return g.shown }
func (g *glass) Withdraw()      { g.shown = 0 }
func (g *glass) More(bool)      {}
func (g *glass) Want() bool     { g.wanted = true; return true }

// take is what the client does.
func (g *glass) take(n int) { g.shown, g.taken = g.shown-n, g.taken+n }

// A batch of requests makes a window visible once, when it is settled and not before.
func TestWindowIsShownOncePerBatch(t *testing.T) {
	w := newWorld(t, bus.Config{})
	reader, sender := w.open("R", 3), w.open("S", 3)
	w.bind(reader, "$.A", 0)
	g := &glass{}
	reader.SetWindow(g)
	w.e.Settle()
	for batch := 1; batch <= 3; batch++ {
		for range 10 {
			w.do(sender, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", 4))
		}
		if g.published != batch-1 {
			t.Fatalf("visible before it was settled: %d times", g.published)
		}
		w.e.Settle()
		if g.published != batch || g.shown != 10*batch {
			t.Fatalf("batch %d: made visible %d times, %d messages", batch, g.published, g.shown)
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
	reader.Took()
	if patient.ksock.Sending() || g.shown != 2 {
		t.Fatalf("still waiting: %v; %d messages shown", patient.ksock.Sending(), g.shown)
	}
}

func TestShowingAllocatesNothing(t *testing.T) {
	tr := newTraffic(t, 32)
	g := &glass{}
	tr.other.SetWindow(g)
	send := func() {
		tr.must(t, tr.asker, wire.Header{Op: wire.OpSendMessage}, tr.announce)
		tr.w.e.Settle()
		g.take(1)
	}
	send()
	if n := testing.AllocsPerRun(500, send); n > 0 {
		t.Errorf("a message that is shown allocates %v times", n)
	}
}
