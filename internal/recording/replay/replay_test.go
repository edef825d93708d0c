package replay

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/recording/choose"
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/testing/sample"
	"kbus.example/kbus/message"
)

// script is a bus that writes down what it is asked, and answers as it is told.
type script struct {
	lines   []string
	serial  uint32
	answers map[string]func(kbus.ID) (*kbus.Message, error) // by the names of Requests
	names   map[kbus.ID]string
	refuse  func(m *kbus.Message) error
}

func (s *script) Send(_ context.Context, m *kbus.Message) (kbus.Sent, error) {
	if s.refuse != nil {
		if err := s.refuse(m); err != nil {
			s.lines = append(s.lines, "refuse "+m.Name)
			return kbus.Sent{}, &kbus.Error{Op: "send", Err: err}
		}
	}
	s.serial++
	id := kbus.ID{Serial: s.serial}
	if s.names == nil {
		s.names = map[kbus.ID]string{}
	}
	s.names[id] = m.Name
	s.lines = append(s.lines, fmt.Sprintf("send %s %s %#x", m.Name, m.Data, uint32(m.Flags)))
	return kbus.Sent{ID: id, Reached: 1, Pending: m.Flags.Has(kbus.AllOrWait)}, nil
}

func (s *script) WaitSent(context.Context) error { s.lines = append(s.lines, "wait"); return nil }

func (s *script) NextReply(ctx context.Context, id kbus.ID) (*kbus.Message, error) {
	s.lines = append(s.lines, "answer "+s.names[id])
	if answer := s.answers[s.names[id]]; answer != nil {
		return answer(id)
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

func reply(data string) func(kbus.ID) (*kbus.Message, error) {
	return func(kbus.ID) (*kbus.Message, error) { return &kbus.Message{Data: []byte(data)}, nil }
}

func status(name string) func(kbus.ID) (*kbus.Message, error) {
	return func(id kbus.ID) (*kbus.Message, error) {
		return nil, kbus.StatusOf(&kbus.Message{Header: kbus.Header{InReplyTo: id}, Name: name})
	}
}

func run(t *testing.T, s *script, p Plan, events []event.Event) Figures {
	t.Helper()
	var bus Bus
	if s != nil {
		bus = s
	}
	r := New(bus, p)
	for i := range events {
		if err := r.Event(t.Context(), &events[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r.Figures()
}

func (s *script) expect(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(s.lines, ", "); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// What is sent, in which order and at which times; that answers are waited for where the recording has them; and that nothing else
// is sent: no Reply, no Status, nothing that was refused, nothing of which data is missing.
func TestTalk(t *testing.T) {
	s := &script{answers: map[string]func(kbus.ID) (*kbus.Message, error){"$.Lamp.Set": reply("it is on")}}
	var times []time.Duration
	var differences []string
	f := run(t, s, Plan{Hooks: Hooks{
		Until: func(_ context.Context, at time.Duration) error { times = append(times, at); return nil },
		Differs: func(d Difference) error {
			differences = append(differences, fmt.Sprintf("%d %s %v %+v %+v", d.Serial, d.Name, d.ID, d.Then, d.Now))
			return nil
		},
	}}, sample.Talk())
	s.expect(t, "send $.Lamp.Set on 0x1, answer $.Lamp.Set, send $.Lamp.Set off 0x1, answer $.Lamp.Set")
	if want := []time.Duration{0, 1250 * time.Millisecond}; !slices.Equal(times, want) {
		t.Errorf("at %v, want %v", times, want)
	}
	want := Figures{Sent: 2, Requests: 2, Reached: 2, Cut: 1, Missed: 12, Answers: Answers{Answered: 2, Compared: 2, Different: 1}}
	if f != want {
		t.Errorf("%+v, want %+v", f, want)
	}
	if len(differences) != 1 || differences[0] != "8 $.Lamp.Set [0:4] {Status:$.KBUS.Replier.GoneAway Data:[] Err:<nil>} {Status: Data:[105 116 32 105 115 32 111 110] Err:<nil>}" {
		t.Errorf("%q", differences)
	}
}

func sent(serial uint32, name, data string, flags message.Flags) event.Event {
	return event.Event{Kind: event.Sent, Serial: uint64(serial), Boot: int64(serial) * 1e9, Wall: int64(serial) * 1e9, Name: []byte(name), Data: []byte(data),
		DataBytes: uint32(len(data)), Header: message.Header{ID: message.ID{Serial: serial}, Flags: flags}}
}

func answered(serial, request uint32, data string) event.Event {
	e := sent(serial, "$.Q", data, 0)
	e.Header.InReplyTo = message.ID{Serial: request}
	return e
}

// Names and times choose what is sent, renames say as what; what only the bus may say is not; flags of senders stay.
func TestChosen(t *testing.T) {
	events := []event.Event{
		sent(1, "$.A.B", "1", 0), sent(2, "$.A.C", "2", message.Urgent|message.AllOrFail|0x10000|message.WantYouToReply), sent(3, "$.X", "3", 0),
		sent(4, message.NameReplierBindEvent, "4", message.Synthetic), sent(5, "$.A.B", "5", message.AllOrWait), sent(6, "$.A.B", "6", 0),
	}
	for _, c := range []struct {
		plan Plan
		want string
	}{
		{Plan{}, "send $.A.B 1 0x0, send $.A.C 2 0x10208, send $.X 3 0x0, send $.A.B 5 0x100, wait, send $.A.B 6 0x0"},
		{Plan{Wait: true, Choice: choose.Choice{Patterns: []string{"$.A.C"}}}, "send $.A.C 2 0x10108, wait"},
		{Plan{Renames: renames(t, "$.A.C=$.N", "$.A.*=$.M.A.*")}, "send $.M.A.B 1 0x0, send $.N 2 0x10208, send $.X 3 0x0, send $.M.A.B 5 0x100, wait, send $.M.A.B 6 0x0"},
		{Plan{Choice: choose.Choice{From: moment(t, "1s"), To: moment(t, "4s")}}, "send $.A.C 2 0x10208, send $.X 3 0x0"},
	} {
		s := &script{}
		run(t, s, c.plan, slices.Clone(events))
		s.expect(t, c.want)
	}
	var at []string
	f := run(t, nil, Plan{Hooks: Hooks{Sends: func(when time.Duration, m *kbus.Message) error {
		at = append(at, fmt.Sprint(when, m.Name))
		return nil
	}}}, events)
	if got := strings.Join(at, " "); got != "0s$.A.B 1s$.A.C 2s$.X 4s$.A.B 5s$.A.B" || f.Sent != 5 {
		t.Errorf("%s, %+v", got, f)
	}
}

func moment(t *testing.T, text string) (m choose.Moment) {
	t.Helper()
	if err := m.Set(text); err != nil {
		t.Fatal(err)
	}
	return m
}

func renames(t *testing.T, texts ...string) (list []Rename) {
	t.Helper()
	for _, text := range texts {
		r, err := ParseRename(text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

func TestBadRenames(t *testing.T) {
	for _, text := range []string{"", "$.A", "$.A=", "$.A=$.B.*", "$.A.%=$.B.%", "a=b", "$..A=$.B", "*=*"} {
		if _, err := ParseRename(text); err == nil {
			t.Errorf("%q will do", text)
		}
	}
}

// A Request that is refused now is another answer; one without an answer in the recording is no difference; one that nobody answers is
// given up in time; and what is recorded of a Status has no data to compare.
func TestAnswers(t *testing.T) {
	const want = message.WantAReply
	events := []event.Event{
		sent(1, "$.Refused", "", want), answered(2, 1, "then"),
		sent(3, "$.Open", "", want),
		sent(4, "$.Slow", "", want), answered(5, 4, "then"),
		sent(6, "$.Gone", "", want),
		{Kind: event.Status, Name: []byte(message.NameGoneAway), Header: message.Header{InReplyTo: message.ID{Serial: 6}, Flags: message.Synthetic}},
		sent(7, "$.Cut", "", want), answered(8, 7, ""),
	}
	events[len(events)-1].DataBytes = 5
	s := &script{
		answers: map[string]func(kbus.ID) (*kbus.Message, error){"$.Open": reply(""), "$.Gone": status(message.NameGoneAway), "$.Cut": reply("12345")},
		refuse: func(m *kbus.Message) error {
			if m.Name == "$.Refused" {
				return kbus.ErrNoReplier
			}
			return nil
		},
	}
	var differs []string
	f := run(t, s, Plan{Patience: time.Nanosecond, Hooks: Hooks{Differs: func(d Difference) error {
		differs = append(differs, d.Name+": "+d.Now.Err.Error())
		return nil
	}}}, events)
	s.expect(t, "refuse $.Refused, send $.Open  0x1, send $.Slow  0x1, answer $.Slow, send $.Gone  0x1, answer $.Gone, send $.Cut  0x1, answer $.Cut, answer $.Open")
	if got := strings.Join(differs, "; "); got != "$.Refused: kbus: send: nobody is bound as Replier for that name; $.Slow: no answer in time" {
		t.Error(got)
	}
	expected := Figures{Sent: 4, Requests: 4, Reached: 4, Refused: 1, Answers: Answers{Answered: 3, Unanswered: 1, Compared: 3, Different: 2}}
	if f != expected {
		t.Errorf("%+v, want %+v", f, expected)
	}
}

// When there is no room for another answer, that of the oldest Request is waited for; what was asked is forgotten when it is answered.
func TestManyOpen(t *testing.T) {
	open := 0
	s := &script{answers: map[string]func(kbus.ID) (*kbus.Message, error){"$.Q": func(kbus.ID) (*kbus.Message, error) { open--; return &kbus.Message{}, nil }}}
	s.refuse = func(*kbus.Message) error {
		if open == 3 {
			return kbus.ErrNoRoomForReply
		}
		open++
		return nil
	}
	r := New(s, Plan{})
	for i := range uint32(1000) {
		e := sent(i+1, "$.Q", "", message.WantAReply)
		if err := r.Event(t.Context(), &e); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			e = answered(5000, i+1, "")
			if err := r.Event(t.Context(), &e); err != nil {
				t.Fatal(err)
			}
		}
		if len(r.order) > 100 || len(r.open) > 3 {
			t.Fatalf("%d and %d are remembered", len(r.order), len(r.open))
		}
	}
	if err := r.End(t.Context()); err != nil || r.figures.Answered != 1000 || open != 0 {
		t.Errorf("%+v, %v", r.figures, err)
	}
}

// A bus that is not there any more ends a replay.
func TestBusGone(t *testing.T) {
	s := &script{refuse: func(*kbus.Message) error { return kbus.ErrBusGone }}
	e := sent(1, "$.A", "", 0)
	if err := New(s, Plan{}).Event(t.Context(), &e); err == nil {
		t.Error("it goes on")
	}
}

// A recording may be of two machines, whose clocks that count from their start have nothing in common; and a clock may be set.
func TestPaceOfTwoClocks(t *testing.T) {
	const s, h = time.Second, time.Hour
	for _, c := range []struct {
		what       string
		boot, wall []time.Duration
		want       []time.Duration
	}{
		{"one machine", []time.Duration{100 * s, 101 * s, 103 * s}, []time.Duration{h, h + s, h + 3*s}, []time.Duration{0, s, 3 * s}},
		{"two machines", []time.Duration{100 * s, 900 * h, 102 * s, 900*h + 2*s}, []time.Duration{h, h + s, h + 2*s, h + 3*s}, []time.Duration{0, s, 2 * s, 3 * s}},
		{"the clock of the day is set", []time.Duration{100 * s, 101 * s, 102 * s}, []time.Duration{0, 400_000 * h, 400_000*h + s}, []time.Duration{0, s, 2 * s}},
		{"started anew", []time.Duration{10 * h, 20 * s, 21 * s}, []time.Duration{h, 9 * h, 9*h + s}, []time.Duration{0, 0, s}},
		{"time goes back", []time.Duration{100 * s, 99 * s}, []time.Duration{h, h - s}, []time.Duration{0, 0}},
	} {
		var events []event.Event
		for i := range c.boot {
			e := sent(uint32(i+1), "$.A", "", 0)
			e.Boot, e.Wall = int64(c.boot[i]), int64(400_000*h+c.wall[i])
			events = append(events, e)
		}
		var got []time.Duration
		p := Plan{Hooks: Hooks{Sends: func(at time.Duration, _ *kbus.Message) error { got = append(got, at); return nil }}}
		run(t, nil, p, events)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}
