package session

import (
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// What waits, for how many, and for how long: answers, Binds, what is to be swept, and a bus that ends.

// Each kind of waiting request has its limit; one more is refused by name, and nobody else notices.
func TestWaitingLimit(t *testing.T) {
	for _, op := range []wire.Op{wire.OpNextWait, wire.OpNextReply, wire.OpWaitSent, wire.OpCall,
		wire.OpWaitReadable} {
		t.Run(op.String(), func(t *testing.T) {
			w := newWorld(t, bus.Config{MaxMessages: 2 * MaxWaiting})
			a, full := w.open("A", 3), w.open("F", 1)
			w.bind(full, "$.A", 0)
			w.bind(full, "$.Ask", 1)
			w.do(a, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", 0))
			w.frames(a)
			request := wire.Header{Op: op, Arg: 1}
			var payload []byte
			switch op {
			case wire.OpNextReply:
				payload = wire.AppendID(nil, message.ID{Serial: 9})
			case wire.OpCall:
				payload = wire.AppendMessage(nil, &message.Header{Flags: message.WantAReply}, []byte("$.Ask"), nil)
			case wire.OpWaitSent:
				w.e.bus.SetMaxMessages(full.ksock, 1)
				h := message.Header{Flags: message.AllOrWait}
				w.do(a, wire.Header{Op: wire.OpSendMessage}, wire.AppendMessage(nil, &h, []byte("$.A"), nil))
				w.frames(a)
			}
			for range MaxWaiting {
				w.do(a, request, payload)
			}
			if len(a.Out()) > 0 || a.Waiting() != MaxWaiting {
				t.Fatalf("%d of %d wait", a.Waiting(), MaxWaiting)
			}
			w.do(a, request, payload)
			if got := w.frames(a); len(got) != 1 || got[0].Condition != message.ErrNoMemory {
				t.Fatalf("got %+v", got)
			}
			w.do(a, wire.Header{Op: wire.OpCancel, Arg: 0}, nil)
			w.frames(a)
			w.do(a, request, payload)
			if len(a.Out()) > 0 {
				t.Fatal("one less, and one more is still refused")
			}
		})
	}
}

// The NextWait that is canceled is the one that was meant, also when others before it have been answered.
func TestCancelOneOfSeveral(t *testing.T) {
	w := newWorld(t, bus.Config{})
	c, sender := w.open("C", 3), w.open("S", 3)
	w.bind(c, "$.A", 0)
	for seq := range uint32(5) {
		w.do(c, wire.Header{Op: wire.OpNextWait, Seq: seq}, nil)
	}
	send := func() {
		w.do(sender, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", 0))
		w.frames(sender)
	}
	send()
	send()
	w.do(c, wire.Header{Op: wire.OpCancel, Seq: 100, Arg: 3}, nil)
	send()
	send()
	want := []wire.Header{{Seq: 0, Arg: 1}, {Seq: 1, Arg: 1}, {Seq: 3, Condition: message.ErrCanceled}, {Seq: 100, Arg: 1},
		{Seq: 2, Arg: 1}, {Seq: 4, Arg: 1}}
	got := w.frames(c)
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i, h := range got {
		if h.Seq != want[i].Seq || h.Arg != want[i].Arg || h.Condition != want[i].Condition {
			t.Fatalf("answer %d is %+v", i, h)
		}
	}
}

// What an Unbind throws away is freed bit by bit as the Engine pumps, though nobody needs the room.
func TestPumpSweeps(t *testing.T) {
	const messages = 2000
	w := newWorld(t, bus.Config{MaxMessages: messages})
	c := w.open("C", 3)
	w.bind(c, "$.A", 0)
	for range messages {
		w.do(c, wire.Header{Op: wire.OpSendMessage}, announcement("$.A", 0))
		w.frames(c)
	}
	w.do(c, wire.Header{Op: wire.OpUnbind}, []byte("$.A"))
	if !w.e.bus.Littered() {
		t.Fatal("there is nothing to sweep")
	}
	for range messages / sweepPiece {
		w.e.Pump()
	}
	if n := w.e.bus.Info().QueueBytes; w.e.bus.Littered() || n != 0 {
		t.Errorf("%d bytes are left", n)
	}
}

// A bus that stops has not done with a Ksock for which an event is set aside, though its queue is empty.
func TestDrainedOfEvents(t *testing.T) {
	w := newWorld(t, bus.Config{MaxMessages: 1})
	watcher, r := w.open("E", 3), w.open("R", 3)
	w.bind(watcher, message.NameReplierBindEvent, 0)
	w.bind(r, "$.Ask", 1)
	w.do(watcher, wire.Header{Op: wire.OpReportReplierBinds, Arg: 1}, nil)
	w.do(watcher, wire.Header{Op: wire.OpNext, Arg: 1}, nil) // of what was bound before
	w.do(watcher, wire.Header{Op: wire.OpCall, Seq: 7}, wire.AppendMessage(nil, &message.Header{Flags: message.WantAReply}, []byte("$.Ask"), nil))
	w.do(r, wire.Header{Op: wire.OpBind, Arg: 1}, []byte("$.More")) // for which there is no room beside the Reply
	w.do(watcher, wire.Header{Op: wire.OpGiveUp, Arg: 7}, nil)
	w.e.bus.Unbind(r.ksock, "$.Ask", true)
	w.frames(watcher)
	w.frames(r)
	w.e.Stop()
	for _, c := range []*client{watcher, r} {
		w.frames(c)
	}
	if i := watcher.ksock.Info(); i.Queued != 0 || i.SetAside == 0 || i.Outstanding != 0 {
		t.Fatalf("%+v", i)
	}
	if w.e.Drained() {
		t.Error("it has drained, with events set aside")
	}
	for range 2 {
		w.do(watcher, wire.Header{Op: wire.OpNext}, nil)
		w.frames(watcher)
	}
	if !w.e.Drained() {
		t.Error("it has not drained in the end")
	}
}

// A bind request is decided about once the federator has been told of it, and as long as there is somebody for whom.
func TestDecideAboutNobody(t *testing.T) {
	w := newWorld(t, bus.Config{})
	l, a := w.open("L", 3), w.open("A", 3)
	ask := func(op wire.Op, arg uint32, payload []byte) message.Condition {
		t.Helper()
		w.do(l, wire.Header{Op: op, Arg: arg}, payload)
		got := w.frames(l)
		if len(got) != 1 {
			t.Fatalf("%v: %+v", op, got)
		}
		return got[0].Condition
	}
	yes := wire.AppendDecision(nil, message.OK)
	if c := ask(wire.OpFederate, 0, nil); c != message.OK {
		t.Fatal(c)
	}
	w.do(a, wire.Header{Op: wire.OpBind, Arg: 1}, []byte("$.A"))
	if c := ask(wire.OpDecide, 1, yes); c != message.ErrCanceled || a.Waiting() != 1 {
		t.Errorf("before it is told: %v, and %d wait", c, a.Waiting())
	}
	ask(wire.OpNextBindRequest, 0, nil)
	if c := ask(wire.OpDecide, 1, yes); c != message.OK || a.Waiting() != 0 {
		t.Errorf("when it is told: %v, and %d wait", c, a.Waiting())
	}

	guest, _ := w.e.bus.Open(bus.Owner{})
	if c := w.e.bus.Bind(guest, "$.B", true); c != message.ErrUndecided {
		t.Fatal(c)
	}
	ask(wire.OpNextBindRequest, 0, nil)
	w.e.bus.Close(guest)
	if c := ask(wire.OpDecide, 2, yes); c != message.ErrCanceled {
		t.Errorf("about one that has gone: %v", c)
	}
	if id := w.e.bus.Replier("$.B"); id != 0 {
		t.Errorf("the Replier is %d, which has gone", id)
	}
}
