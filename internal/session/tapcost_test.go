package session

import (
	"encoding/binary"
	"slices"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// What a tap costs the others, in counts that no noise touches.

// tapOn adds a tap to the traffic, and counts how often the clock is looked at.
func (tr *traffic) tapOn(tb testing.TB, f wire.TapFilter) (tap *client, looked *int) {
	looked = new(int)
	tr.w.e.SetTaps(Taps{Lazy: true, Clock: func() (boot, wall int64) { *looked++; return 1, 2 }})
	tap = &client{Session: tr.w.e.Connect(Peer{})}
	tr.must(tb, tap, wire.Header{Op: wire.OpHello}, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
	tr.must(tb, tap, wire.Header{Op: wire.OpTap}, wire.AppendTapFilter(nil, f))
	return tap, looked
}

// others performs a request, and counts how often the tap is to be sent something: which it takes, or does not.
func (tr *traffic) others(tb testing.TB, tap *client, takes bool, sends *int, requests ...func()) {
	for _, request := range requests {
		request()
		for _, s := range tr.w.e.Dirty() {
			if s != tap.Session {
				s.Sent(len(s.Out()))
				continue
			}
			if *sends++; takes {
				s.Sent(len(s.Out()))
			}
		}
		for _, c := range []*client{tr.asker, tr.other} {
			c.Sent(len(c.Out()))
		}
	}
}

// roundTrip is what ask does, with a tap that takes what it is sent, or not.
func (tr *traffic) roundTrip(tb testing.TB, tap *client, takes bool, sends *int) {
	handle := func(c *client, op wire.Op, flags wire.Flags, payload []byte) func() {
		return func() {
			if err := c.Handle(wire.Header{Op: op, Flags: flags}, payload); err != nil {
				tb.Fatal(err)
			}
		}
	}
	tr.others(tb, tap, takes, sends, handle(tr.other, wire.OpNextWait, 0, nil), handle(tr.asker, wire.OpCall, 0, tr.request))
	wire.AppendID(tr.reply[8:8], tr.w.e.bus.LastSent(tr.asker.ksock))
	tr.others(tb, tap, takes, sends, handle(tr.other, wire.OpSendMessage, wire.Lazy, tr.reply))
	if tr.asker.Waiting() != 0 {
		tb.Fatal("the call was not answered")
	}
}

// A tap that has stopped is full after a while. Then it costs no allocation, is never sent anything, and the clock is not
// looked at; what it has lost is counted.
func TestStoppedTapCostsNothing(t *testing.T) {
	for _, n := range []int{0, 32, 1024, 65536, 300_000} {
		tr := newTraffic(t, n)
		tap, looked := tr.tapOn(t, wire.TapFilter{DataBytes: 1 << 31})
		sends, events := 0, 0
		for tap.tap.missed < 100 {
			tr.roundTrip(t, tap, false, &sends)
			events += 3 // sent, taken, answered
		}
		before := tap.tap.missed
		sends, *looked = 0, 0
		got := testing.AllocsPerRun(500, func() { tr.roundTrip(t, tap, false, &sends) })
		if got > 0 || sends > 0 || *looked > 0 || !tr.w.e.taps.Blind() {
			t.Errorf("with %d bytes: %v allocations, sent %d times, the clock looked at %d times", n, got, sends, *looked)
		}
		if lost := tap.tap.missed - before; lost != 3*501 {
			t.Errorf("with %d bytes: %d lost", n, lost)
		}
	}
}

// While a tap has no room each event is lost and counted, also those that only some taps want; with half of the room
// free it goes on, and the first event says how many were lost.
func TestTapGoesOnWithHalfOfItsRoomFree(t *testing.T) {
	for _, f := range []struct {
		filter wire.TapFilter
		events uint64 // of a round trip
		blind  bool
	}{
		{wire.TapFilter{DataBytes: 1 << 31}, 3, true},
		{wire.TapFilter{DataBytes: 1 << 31, Kinds: wire.TapRequests}, 1, false},
	} {
		tr := newTraffic(t, 32)
		tap, looked := tr.tapOn(t, f.filter)
		sends := 0
		for tap.tap.missed < 100 {
			tr.roundTrip(t, tap, false, &sends)
		}
		before := tap.tap.missed
		*looked = 0
		for range 10 {
			tr.roundTrip(t, tap, false, &sends)
		}
		if lost := tap.tap.missed - before; lost != 10*f.events || tr.w.e.taps.Blind() != f.blind {
			t.Errorf("%+v: %d lost, blind: %v", f.filter, lost, tr.w.e.taps.Blind())
		}
		half := TapBytes / 2
		tap.Sent(len(tap.Out()) - half - 1)
		tr.roundTrip(t, tap, false, &sends)
		request := &bus.Event{Kind: bus.EventSent, Header: message.Header{Flags: message.WantAReply}, Data: []byte("x")}
		if *looked > 0 || tr.w.e.taps.KeepsData(request) {
			t.Errorf("%+v: the clock is looked at %d times, or data is kept", f.filter, *looked)
		}
		if lost := tap.tap.missed - before; lost != 11*f.events {
			t.Errorf("%+v: %d lost while less than half is free", f.filter, lost)
		}
		tap.Sent(1)
		tr.roundTrip(t, tap, false, &sends)
		missed := binary.LittleEndian.Uint64(tap.Out()[half+wire.HeaderBytes:])
		if missed != before+11*f.events || tap.tap.missed != 0 {
			t.Errorf("%+v: told of %d, %d are left", f.filter, missed, tap.tap.missed)
		}
	}
}

// One event that has more than all the room is lost alone.
func TestTapWithoutRoomForOneEvent(t *testing.T) {
	tr := newTraffic(t, 32)
	tap, _ := tr.tapOn(t, wire.TapFilter{DataBytes: 1 << 31})
	tr.w.e.taps.Bytes = 1000
	sends := 0
	tr.roundTrip(t, tap, true, &sends)
	if tap.tap.missed != 0 {
		t.Fatalf("%d lost of what fits", tap.tap.missed)
	}
	tap.Sent(len(tap.Out()))
	tr.w.e.taps.Bytes = 100
	if tr.w.e.taps.KeepsData(&bus.Event{Kind: bus.EventSent, Data: make([]byte, 100)}) {
		t.Error("data is kept for which there is no room")
	}
	tr.roundTrip(t, tap, true, &sends)
	if tap.tap.missed != 3 || tap.tap.full {
		t.Errorf("%d lost, and it is full: %v", tap.tap.missed, tap.tap.full)
	}
}

// A tap that has taken everything is told at once what it has lost, for nothing may come after that for hours.
func TestTapIsToldOfALossAtOnce(t *testing.T) {
	tr := newTraffic(t, 300)
	tap, _ := tr.tapOn(t, wire.TapFilter{DataBytes: 1 << 31})
	tap.Sent(len(tap.Out()))
	tr.w.e.taps.Bytes = 200 // for an event that tells of a loss, and not for one of a message
	for round := range 3 {
		if err := tr.asker.Handle(wire.Header{Op: wire.OpSendMessage}, tr.announce); err != nil {
			t.Fatal(err)
		}
		h, payload, n, err := wire.Split(tap.Out(), wire.MaxResultBytes)
		var e wire.TapEvent
		if err != nil || !wire.ParseTapEvent(payload, &e) || h.Arg != 0 || e.Missed != 1 {
			t.Fatalf("round %d: %+v %+v, %v", round, h, e, err)
		}
		tap.Sent(n)
	}
}

// What is charged for a tap is its room, however much of it is taken: a tap that has stopped loses events, and not its connection.
func TestTapIsChargedItsRoom(t *testing.T) {
	tr := newTraffic(t, 300)
	tap, _ := tr.tapOn(t, wire.TapFilter{DataBytes: 1 << 31})
	tap.Sent(len(tap.Out()))
	sends := 0
	for tap.tap.missed < 100 {
		if charged := tap.HeldBytes() + int64(len(tap.Out())); charged != TapBytes {
			t.Fatalf("with %d bytes waiting it is charged %d", len(tap.Out()), charged)
		}
		tr.roundTrip(t, tap, false, &sends)
	}
}

// A tap that wants to see one Ksock sees the Requests that the Ksock must answer, with their data.
func TestTapOfAReplier(t *testing.T) {
	for _, c := range []struct {
		ksock func(*traffic) uint32
		want  []bus.EventKind
	}{
		{func(tr *traffic) uint32 { return uint32(tr.other.ksock.ID()) }, []bus.EventKind{bus.EventSent, bus.EventTaken, bus.EventSent}},
		{func(*traffic) uint32 { return 99 }, nil},
	} {
		tr := newTraffic(t, 32)
		tap, _ := tr.tapOn(t, wire.TapFilter{DataBytes: 1 << 31, Ksock: c.ksock(tr)})
		tap.Sent(len(tap.Out()))
		sends := 0
		tr.roundTrip(t, tap, false, &sends)
		var got []bus.EventKind
		for out := tap.Out(); len(out) > 0; {
			h, payload, n, err := wire.Split(out, wire.MaxResultBytes)
			var e wire.TapEvent
			if err != nil || !wire.ParseTapEvent(payload, &e) {
				t.Fatal(err)
			}
			if kind := bus.EventKind(h.Arg); kind == bus.EventSent && len(e.Data) != 32 {
				t.Errorf("%d bytes of data", len(e.Data))
			}
			got, out = append(got, bus.EventKind(h.Arg)), out[n:]
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
}

// A tap that reads costs no allocation either, and is sent 32 events together when there is other work.
func TestReadingTapIsSentManyEventsTogether(t *testing.T) {
	tr := newTraffic(t, 32)
	tap, looked := tr.tapOn(t, wire.TapFilter{DataBytes: 1 << 31})
	sends := 0
	for range 100 {
		tr.roundTrip(t, tap, true, &sends)
	}
	sends, *looked = 0, 0
	const rounds = 3200
	got := testing.AllocsPerRun(rounds-1, func() { tr.roundTrip(t, tap, true, &sends) })
	if most := rounds*3/tapEvents + 1; got > 0 || sends > most || sends < most/2 || tap.tap.missed > 0 {
		t.Errorf("%v allocations, sent %d times for %d events, %d lost", got, sends, rounds*3, tap.tap.missed)
	}
	if *looked != 3*rounds {
		t.Errorf("the clock was looked at %d times", *looked)
	}
}

// Who wants no data, or nothing of that name, needs no copy of it.
func TestTapsThatKeepNoData(t *testing.T) {
	for _, c := range []struct {
		filter wire.TapFilter
		keeps  bool
	}{
		{wire.TapFilter{DataBytes: 1}, true},
		{wire.TapFilter{}, false},
		{wire.TapFilter{DataBytes: 9, Patterns: []string{"$.Door.*"}}, false},
		{wire.TapFilter{DataBytes: 9, Patterns: []string{"$.*"}, OnlyFailures: true}, true},
		{wire.TapFilter{DataBytes: 9, Kinds: wire.TapRequests}, false},
		{wire.TapFilter{DataBytes: 9, Ksock: 7}, false},
	} {
		tr := newTraffic(t, 32)
		tr.tapOn(t, c.filter)
		spy := &keeping{taps: &tr.w.e.taps}
		tr.w.e.bus.SetTap(spy)
		tr.tell(t)
		if spy.kept != c.keeps {
			t.Errorf("%+v: it keeps data: %v", c.filter, spy.kept)
		}
	}
}

// keeping is taps whose answer is noted.
type keeping struct {
	*taps
	kept bool
}

func (k *keeping) KeepsData(e *bus.Event) bool {
	k.kept = k.taps.KeepsData(e)
	return k.kept
}
