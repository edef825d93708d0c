package session

import (
	"fmt"
	"slices"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// What a script of requests cannot show: when results are taken, and which sessions have any.

func (w *world) open(name string, mode uint32) *client {
	w.t.Helper()
	w.command([]string{name, "connect"})
	c := w.clients[name]
	w.do(c, wire.Header{Op: wire.OpHello, Arg: mode}, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
	c.Sent(len(c.Out()))
	return c
}

func (w *world) do(c *client, h wire.Header, payload []byte) {
	w.t.Helper()
	if err := c.Handle(h, payload); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) bind(c *client, name string, replier uint32) {
	w.t.Helper()
	w.do(c, wire.Header{Op: wire.OpBind, Arg: replier}, []byte(name))
	c.Sent(len(c.Out()))
}

func announcement(name string, n int) []byte {
	return wire.AppendMessage(nil, &message.Header{}, []byte(name), make([]byte, n))
}

// frames takes the frames of c one by one, telling the engine each time as a socket would.
func (w *world) frames(c *client) (all []wire.Header) {
	w.t.Helper()
	for len(c.Out()) > 0 {
		h, _, n, err := wire.Split(c.Out(), wire.MaxResultBytes)
		if err != nil || n == 0 {
			w.t.Fatal("a broken frame", err)
		}
		all = append(all, h)
		c.Sent(n)
		w.e.Pump()
	}
	return all
}

// While a session is Busy its messages stay in the bus: they count against its limit (R4.2), can be unbound (R6.1) and
// give GoneAway when it closes (R5.4).
func TestBusySessionLeavesMessagesInTheBus(t *testing.T) {
	w := newWorld(t, bus.Config{})
	reader, sender := w.open("R", 3), w.open("S", 3)
	w.bind(reader, "$.A", 0)
	w.bind(reader, "$.Ask", 1)
	for seq := range uint32(400) {
		w.do(reader, wire.Header{Op: wire.OpNextWait, Seq: seq}, nil)
	}
	const data = 1000
	for range 300 {
		w.do(sender, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", data))
		w.frames(sender)
	}
	perFrame := wire.HeaderBytes + wire.MessageBytes(3, data)
	moved := (busyBytes + perFrame - 1) / perFrame // the one that makes it Busy is the last
	if !reader.Busy() || len(reader.Out()) != moved*perFrame {
		t.Fatalf("%d bytes out, want %d frames of %d", len(reader.Out()), moved, perFrame)
	}
	k := reader.ksock
	if n := w.e.bus.NumMessages(k); n != 100 {
		t.Fatalf("queue holds %d messages, want it full at 100", n)
	}
	request := wire.AppendMessage(nil, &message.Header{Flags: message.WantAReply}, []byte("$.Ask"), nil)
	w.do(sender, wire.Header{Op: wire.OpSendMessage, Seq: 1}, request)
	if got := w.frames(sender); got[0].Condition != message.ErrReplierFull {
		t.Fatalf("a Request to a full queue: %v", got[0].Condition)
	}

	// As soon as it is not Busy any more the rest comes, in order and all of it.
	got := w.frames(reader)
	if len(got) != moved+100 {
		t.Fatalf("%d frames, want %d", len(got), moved+100)
	}
	for i, h := range got {
		if h.Seq != uint32(i) || h.Arg != 1 {
			t.Fatalf("frame %d answers %d with %d messages", i, h.Seq, h.Arg)
		}
	}

	// A Request that a Busy session has not been given is GoneAway, not Ignored, when it ends.
	for range 300 {
		w.do(sender, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", data))
		w.frames(sender)
	}
	if !reader.Busy() {
		t.Fatal("not Busy again")
	}
	w.e.bus.SetMaxMessages(k, 1000)
	w.do(sender, wire.Header{Op: wire.OpCall, Seq: 2}, request)
	w.e.Disconnect(reader.Session)
	_, payload, _, _ := wire.Split(sender.Out(), wire.MaxResultBytes)
	var h message.Header
	if name, _, _, ok := wire.ParseMessage(payload, &h); !ok || string(name) != message.NameGoneAway {
		t.Fatalf("the caller got %q", name)
	}
}

// The answer to a Call stays in the bus, too, while the session is Busy, and comes when it is not any more.
func TestBusySessionIsGivenNoAnswer(t *testing.T) {
	w := newWorld(t, bus.Config{MaxMessages: 1000})
	asker, replier := w.open("A", 3), w.open("R", 3)
	w.bind(asker, "$.A", 0)
	w.bind(replier, "$.Ask", 1)
	w.do(asker, wire.Header{Op: wire.OpCall, Seq: 7}, wire.AppendMessage(nil, &message.Header{Flags: message.WantAReply}, []byte("$.Ask"), nil))
	asked, _ := w.e.bus.Next(replier.ksock)
	for !asker.Busy() {
		w.do(replier, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", 30_000))
		w.frames(replier)
		w.do(asker, wire.Header{Op: wire.OpNext}, nil)
	}
	reply := message.Header{InReplyTo: asked.ID, To: asked.From}
	w.e.bus.Release(&asked)
	g := &glass{}
	asker.SetWindow(g)
	w.do(replier, wire.Header{Op: wire.OpSendMessage}, wire.AppendMessage(nil, &reply, []byte("$.Ask"), nil))
	w.e.Pump()
	if g.shown != 0 {
		t.Errorf("%d messages are shown, of which one is for a Call", g.shown)
	}
	if n := w.e.bus.NumMessages(asker.ksock); n != 1 || asker.Waiting() != 1 {
		t.Errorf("%d messages in the queue of a Busy session, %d requests wait", n, asker.Waiting())
	}
	if all := w.frames(asker); all[len(all)-1].Seq != 7 || asker.Waiting() != 0 {
		t.Errorf("the answer is not the last of %+v", all)
	}
}

// One request may ask for more messages than fit: it gets what fits until the session is Busy.
func TestBatchEndsWhenBusy(t *testing.T) {
	w := newWorld(t, bus.Config{})
	c := w.open("A", 3)
	w.bind(c, "$.A", 0)
	for range 100 {
		w.do(c, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", 10000))
	}
	w.frames(c)
	for _, ask := range []struct{ most, want uint32 }{{24, 7}, {24, 7}, {2, 2}, {1, 1}, {0, 1}} {
		w.do(c, wire.Header{Op: wire.OpNext, Arg: ask.most}, nil)
		if got := w.frames(c); len(got) != 1 || got[0].Arg != ask.want {
			t.Fatalf("asked for %d: %+v, want %d messages", ask.most, got, ask.want)
		}
	}
}

// Lazy is for a client that waits: its result may travel with the answer it waits for, but not pile up.
func TestLazy(t *testing.T) {
	w := newWorld(t, bus.Config{})
	a, b := w.open("A", 3), w.open("B", 3)
	w.bind(a, "$.A", 0)
	lazySend := func(name string) {
		w.do(a, wire.Header{Op: wire.OpSendMessage, Flags: wire.Lazy}, announcement(name, 0))
	}
	lazySend("$.B")
	if a.Lazy() {
		t.Error("lazy, but nothing will ever come to take it along")
	}
	w.frames(a)
	w.do(a, wire.Header{Op: wire.OpNextWait, Seq: 7}, nil)
	lazySend("$.B")
	if !a.Lazy() || len(a.Out()) == 0 {
		t.Error("not lazy")
	}
	w.do(b, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", 0))
	if got := w.e.Dirty(); a.Lazy() || len(got) != 1 || got[0] != a.Session {
		t.Error("the answer does not take the lazy result along")
	}
	if got := w.frames(a); len(got) != 2 || got[0].Op != wire.OpSendMessage || got[1].Seq != 7 {
		t.Errorf("got %+v", got)
	}
	w.do(a, wire.Header{Op: wire.OpNextWait}, nil)
	lazySend("$.B")
	w.do(a, wire.Header{Op: wire.OpReset}, nil)
	if a.Lazy() {
		t.Error("lazy with a result that is not")
	}
	w.frames(a)
	w.do(a, wire.Header{Op: wire.OpUnbind, Flags: wire.Lazy}, []byte("$.Nothing"))
	if a.Lazy() {
		t.Error("lazy with a failure")
	}
	w.frames(a)
	for n := 0; n < lazyBytes; n = len(a.Out()) {
		if n > 0 && !a.Lazy() {
			t.Fatalf("not lazy at %d bytes", n)
		}
		lazySend("$.B")
	}
	if a.Lazy() {
		t.Error("lazy results pile up")
	}
}

// Dirty names those with something to send, once, and not the one whose request it was.
func TestDirty(t *testing.T) {
	w := newWorld(t, bus.Config{})
	a, b, c := w.open("A", 3), w.open("B", 3), w.open("C", 3)
	w.e.Dirty()
	for _, x := range []*client{a, b, c} {
		w.bind(x, "$.A", 0)
		w.do(x, wire.Header{Op: wire.OpNextWait}, nil)
		w.do(x, wire.Header{Op: wire.OpNextWait}, nil)
	}
	want := func(clients ...*client) {
		t.Helper()
		var sessions []*Session
		for _, x := range clients {
			sessions = append(sessions, x.Session)
		}
		if got := w.e.Dirty(); !slices.Equal(got, sessions) {
			t.Fatalf("%d dirty, want %d", len(got), len(clients))
		}
	}
	want()
	w.do(a, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", 0))
	w.do(a, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", 0))
	want(c, b) // newest binding first (R4.20)
	want()
	w.do(c, wire.Header{Op: wire.OpNextWait}, nil)
	w.do(b, wire.Header{Op: wire.OpNextWait}, nil)
	w.do(a, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", 0))
	w.e.Disconnect(c.Session)
	want(b)
	w.e.Stop()
	want(a, b)
}

// Output that is taken in pieces, as a full socket does, arrives whole; an idle session holds no buffer, and what is
// kept for the next one is bounded.
func TestOutputInPieces(t *testing.T) {
	w := newWorld(t, bus.Config{MaxMessages: 5000})
	reader, sender := w.open("R", 1), w.open("S", 2)
	w.bind(reader, "$.A", 0)
	var sent, got []byte
	take := func(n int) {
		n = min(n, len(reader.Out()))
		got = append(got, reader.Out()[:n]...)
		reader.Sent(n)
		w.e.Pump()
	}
	for i := range 2000 {
		data := fmt.Appendf(nil, "%0*d", i%1500, i)
		sent = append(sent, data...)
		w.do(reader, wire.Header{Op: wire.OpNextWait}, nil)
		m := wire.AppendMessage(nil, &message.Header{}, []byte("$.A"), data)
		w.do(sender, wire.Header{Op: wire.OpSendMessage}, m)
		w.frames(sender)
		take(i % 1400)
	}
	for len(reader.Out()) > 0 {
		take(1000)
	}
	var all []byte
	for len(got) > 0 {
		_, payload, n, err := wire.Split(got, wire.MaxResultBytes)
		if err != nil || n == 0 {
			t.Fatal("a broken frame", err)
		}
		got = got[n:]
		var h message.Header
		_, data, _, _ := wire.ParseMessage(payload, &h)
		all = append(all, data...)
	}
	if string(all) != string(sent) {
		t.Fatalf("%d bytes arrived of %d, or not the same", len(all), len(sent))
	}
	if reader.out.buf != nil || sender.out.buf != nil {
		t.Error("an idle session holds a buffer")
	}
	for range 10 {
		w.e.buffers.give(make([]byte, 0, keptBytes/3))
	}
	if w.e.buffers.freeBytes > keptBytes {
		t.Errorf("%d bytes kept", w.e.buffers.freeBytes)
	}
}
