package session

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A long report is made in pieces, and is then as if it had been made at once. Meanwhile others go on; what goes is left
// out, and what comes is not in it.
func TestReportsInPieces(t *testing.T) {
	const ksocks = 3*PartsPerPiece + 5
	for _, op := range []wire.Op{wire.OpStatsReport, wire.OpBindingsReport, wire.OpList, wire.OpWho} {
		t.Run(op.String(), func(t *testing.T) {
			e := NewEngine(0, bus.New(bus.Config{}), nil)
			var all []*Session
			open := func() *Session {
				s := e.Connect(Peer{UID: 1})
				say(t, s, wire.OpHello, 3, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
				say(t, s, wire.OpBind, 0, []byte("$.News"))
				s.Sent(len(s.Out()))
				all = append(all, s)
				return s
			}
			for range ksocks {
				open()
			}
			asker := e.Connect(Peer{})
			say(t, asker, wire.OpHello, 0, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
			asker.Sent(len(asker.Out()))
			var name []byte
			if op == wire.OpWho {
				name = []byte("$.News")
			}
			say(t, asker, op, 0, name)
			whole := bytes.Clone(asker.Out())
			asker.Sent(len(whole))

			e.InPieces()
			say(t, asker, op, 0, name)
			pieces := 1
			for ; asker.Reporting(); pieces++ {
				if !asker.Busy() || len(asker.Out()) != 0 {
					t.Fatal("there is something to send, or to ask, before it is complete")
				}
				asker.Continue()
			}
			if got := asker.Out(); pieces != 4 || !bytes.Equal(got, whole) {
				t.Errorf("%d pieces, %d bytes; at once it is %d", pieces, len(got), len(whole))
			}
			asker.Sent(len(whole))

			say(t, asker, op, 0, name)
			e.Disconnect(all[ksocks-1-PartsPerPiece]) // the next to be told of
			for _, s := range all[:ksocks/2] {        // the oldest are told of last
				e.Disconnect(s)
			}
			open()
			for asker.Reporting() {
				asker.Continue()
			}
			got := string(asker.Out())
			if op == wire.OpWho { // it was decided when it was asked
				return
			}
			for id, want := range map[int]bool{1: false, ksocks: true, ksocks - PartsPerPiece: false, ksocks/2 + 1: true, ksocks + 1: false} {
				if has := tells(op, got, id); has != want {
					t.Errorf("Ksock %d is told of: %v", id, has)
				}
			}
			asker.Sent(len(got))

			say(t, asker, op, 0, name)
			ended, end := 0, asker.report.end
			asker.report.end = func() { ended++; end() }
			e.Disconnect(asker) // in the middle of it
			if ended != 1 {
				t.Errorf("the report has ended %d times", ended)
			}
			for _, s := range all {
				e.Disconnect(s)
			}
		})
	}
}

// tells reports whether the result of a report tells of a Ksock.
func tells(op wire.Op, result string, id int) bool {
	payload := result[wire.HeaderBytes:]
	switch op {
	case wire.OpStatsReport:
		return bytes.Contains([]byte(payload), fmt.Appendf(nil, " ksock %d last", id))
	case wire.OpBindingsReport:
		return bytes.Contains([]byte(payload), fmt.Appendf(nil, ": %8d ", id))
	}
	list, _ := wire.ParseList([]byte(payload))
	for _, k := range list {
		if int(k.Ksock) == id {
			return true
		}
	}
	return false
}

func say(t *testing.T, s *Session, op wire.Op, arg uint32, payload []byte) {
	t.Helper()
	if err := s.Handle(wire.Header{Op: op, Arg: arg, Seq: 7}, payload); err != nil {
		t.Fatal(err)
	}
}

// Each piece of a report is work, and what waited before it is answered when it is complete.
func TestWaitingBehindAReport(t *testing.T) {
	e := NewEngine(0, bus.New(bus.Config{}), nil)
	e.InPieces()
	s, other := e.Connect(Peer{}), e.Connect(Peer{})
	for _, c := range []*Session{s, other} {
		say(t, c, wire.OpHello, 3, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
	}
	say(t, s, wire.OpBind, 0, []byte("$.S"))
	for n := range 2 * PartsPerPiece {
		say(t, other, wire.OpBind, 0, fmt.Appendf(nil, "$.N%d", n))
	}
	say(t, s, wire.OpNextWait, 0, nil)
	e.bus.Worked()
	say(t, s, wire.OpBindingsReport, 0, nil)
	if n := e.bus.Worked(); n < PartsPerPiece*stepsPerPart {
		t.Errorf("a piece of a report is %d steps of work", n)
	}
	say(t, other, wire.OpSendMessage, 0, announcement("$.S", 0))
	for s.Reporting() {
		if s.Waiting() != 1 {
			t.Error("answered in the middle of a report")
		}
		s.Continue()
	}
	e.Pump()
	if s.Waiting() != 0 {
		t.Error("not answered when the report is complete")
	}
}

// For a client that has gone nothing is done that has no effect but its result; what it sends is sent.
func TestTheDeafAreToldNothing(t *testing.T) {
	e := NewEngine(0, bus.New(bus.Config{}), nil)
	s, l := e.Connect(Peer{}), e.Connect(Peer{})
	for _, c := range []*Session{s, l} {
		say(t, c, wire.OpHello, 3, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
	}
	say(t, l, wire.OpBind, 0, []byte("$.News"))
	s.Sent(len(s.Out()))
	e.InPieces()
	for range PartsPerPiece + 1 {
		say(t, l, wire.OpBind, 0, fmt.Appendf(nil, "$.N%d", e.bus.Info().Bindings))
	}
	say(t, s, wire.OpBind, 0, []byte("$.S"))
	say(t, s, wire.OpNextWait, 0, nil)
	say(t, s, wire.OpBindingsReport, 0, nil)
	say(t, l, wire.OpSendMessage, 0, announcement("$.S", 0))
	if !s.Reporting() || s.Waiting() != 1 {
		t.Fatal("the report is complete, or something is answered before it")
	}
	s.Deafen()
	e.Pump()
	if s.Reporting() || s.Waiting() != 0 {
		t.Error("the report goes on, or what comes behind it waits")
	}
	s.Sent(len(s.Out()))
	for _, op := range []wire.Op{wire.OpStatsReport, wire.OpBindingsReport, wire.OpList, wire.OpInfo, wire.OpNumMessages} {
		if say(t, s, op, 0, nil); len(s.Out()) != 0 || s.Reporting() {
			t.Errorf("%v is performed", op)
		}
	}
	say(t, s, wire.OpSendMessage, 0, wire.AppendMessage(nil, &message.Header{}, []byte("$.News"), nil))
	if e.bus.NumMessages(l.ksock) != 1 {
		t.Error("what was sent is not delivered")
	}
}

// The events for who turns replier bind events on are made in pieces, too. Who goes meanwhile is left out, and who comes
// is told of as it comes.
func TestBindEventsInPieces(t *testing.T) {
	const repliers = 3 * PartsPerPiece
	e := NewEngine(0, bus.New(bus.Config{MaxMessages: 1000}), nil)
	e.InPieces()
	open := func() *Session {
		s := e.Connect(Peer{UID: 1})
		say(t, s, wire.OpHello, 3, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
		s.Sent(len(s.Out()))
		return s
	}
	asker, service := open(), open()
	say(t, asker, wire.OpBind, 0, []byte(message.NameReplierBindEvent))
	for i := range repliers {
		say(t, service, wire.OpBind, 1, fmt.Appendf(nil, "$.R%d", i))
	}
	asker.Sent(len(asker.Out()))

	say(t, asker, wire.OpReportReplierBinds, 1, nil)
	if n := e.bus.NumMessages(asker.ksock); n != PartsPerPiece || !asker.Reporting() || len(asker.Out()) > 0 {
		t.Fatalf("%d events in the first piece", n)
	}
	say(t, service, wire.OpUnbind, 1, []byte("$.R0")) // the oldest is the last to be told of
	say(t, service, wire.OpBind, 1, []byte("$.New"))
	for asker.Reporting() {
		asker.Continue()
	}
	if h := wire.ParseHeader(asker.Out()); h.Condition != message.OK || h.Arg != 0 {
		t.Errorf("the result is %v, %d", h.Condition, h.Arg)
	}
	var answered []string
	for {
		d, ok := e.bus.Next(asker.ksock)
		if !ok {
			break
		}
		event, _ := message.ParseBindEvent(d.Data)
		answered = append(answered, fmt.Sprint(event.Bind, " ", event.Name))
		e.bus.Release(&d)
	}
	var want []string
	for i := range PartsPerPiece {
		want = append(want, fmt.Sprint(true, " $.R", repliers-1-i))
	}
	want = append(want, "false $.R0", "true $.New")
	for i := repliers - PartsPerPiece - 1; i > 0; i-- {
		want = append(want, fmt.Sprint(true, " $.R", i))
	}
	if !slices.Equal(answered, want) {
		t.Errorf("told:\n%q, not\n%q", answered, want)
	}

	say(t, asker, wire.OpReportReplierBinds, 1, nil)
	e.Disconnect(asker) // in the middle of it
	e.Disconnect(service)
}
