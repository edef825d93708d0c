package top

import (
	"fmt"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/requests"
)

// A bus that is played to a Model: moments are milliseconds after the beginning.
type play struct {
	*testing.T
	m      *Model
	report Report
	serial uint32
}

var began = time.Unix(1000, 0)

func at(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }

func newPlay(t *testing.T) *play {
	p := &play{T: t, report: Report{
		Time: began,
		Ksocks: []kbus.KsockInfo{ // the newest first
			{Party: kbus.Party{Ksock: 3, Program: "hand"}},
			{Party: kbus.Party{Ksock: 2, Program: "ear"}, MaxMessages: 100},
			{Party: kbus.Party{Ksock: 1, Program: "lamp"}},
		},
		Bindings: []kbus.BindingInfo{
			{Ksock: 2, As: kbus.Listener, Name: "$.Lamp.*"}, {Ksock: 2, As: kbus.Listener, Name: "$.Lamp.On"},
			{Ksock: 1, As: kbus.Replier, Name: "$.Lamp.Set"},
		},
	}}
	p.m = New(p.report)
	return p
}

func (p *play) event(ms int, by kbus.KsockID, m *kbus.Message, change func(*kbus.Event)) kbus.ID {
	p.serial++
	e := &kbus.Event{Message: *m, Event: kbus.EventSent, Time: at(ms), By: kbus.Peer{Ksock: by}, DataBytes: uint32(len(m.Data))}
	e.ID = kbus.ID{Serial: p.serial}
	if change != nil {
		change(e)
	}
	p.m.Note(e)
	return e.ID
}

func (p *play) picture(ms int) *Picture {
	p.report.Time = at(ms)
	return p.m.Picture(p.report)
}

func (p *play) is(what string, got, want any) {
	p.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		p.Errorf("%s is %v, want %v", what, got, want)
	}
}

func reply(to kbus.ID, ksock kbus.KsockID) *kbus.Message {
	return &kbus.Message{Name: "$.Lamp.Set", Data: []byte("done"), Header: kbus.Header{InReplyTo: to, To: ksock}}
}

// What goes out of a Ksock is its events; what comes into its queue is found by the bindings, without what it missed.
func TestRates(t *testing.T) {
	p := newPlay(t)
	for i := range 10 {
		p.event(i, 3, kbus.Announcement("$.Lamp.On", "on"), func(e *kbus.Event) { e.Reached, e.Skipped = 1, 1 })
	}
	p.event(20, 3, kbus.Announcement("$.Door", "four"), nil)
	p.report.Ksocks[1].Missed = 5
	pic := p.picture(2000)
	p.is("over", pic.Over, 2*time.Second)
	p.is("out of the hand", pic.Ksocks[0].Out, Rate{5.5, 12})
	p.is("into the ear", pic.Ksocks[1].In, Rate{7.5, 15}) // two copies of each, less five
	p.is("missed now", pic.Ksocks[1].MissedNow, 5)
	p.is("names", pic.Names, []Name{
		{Name: "$.Door", Rate: Rate{0.5, 2}, Messages: 1, Bytes: 4},
		{Name: "$.Lamp.On", Rate: Rate{5, 10}, Reached: 5, Messages: 10, Bytes: 20, Copies: 10, Skipped: 10},
	})
	p.is("size", pic.Names[1].Size(), 2)
	p.is("bound", len(pic.Ksocks[1].Bound), 2)

	pic = p.picture(3000) // nothing more was said
	p.is("out of the hand", pic.Ksocks[0].Out, Rate{})
	p.is("missed now", pic.Ksocks[1].MissedNow, 0)
	p.is("messages", pic.Names[1].Messages, 10)
	p.is("rate", pic.Names[1].Rate, Rate{})
}

// A Ksock that wants one copy gets one, as Replier too; what comes to a Replier and back is counted.
func TestRequestsGoInAndOut(t *testing.T) {
	p := newPlay(t)
	p.report.Ksocks[1].OnlyOnce = true
	p.picture(1000)
	id := p.event(1000, 3, kbus.Request("$.Lamp.Set", "on"), func(e *kbus.Event) { e.Replier, e.Reached = 1, 2 })
	p.event(1250, 1, reply(id, 3), func(e *kbus.Event) { e.Reached = 2 })
	p.event(1300, 3, kbus.Announcement("$.Lamp.On", ""), nil)
	pic := p.picture(2000)
	p.is("into the lamp", pic.Ksocks[2].In.Messages, 1)
	p.is("into the hand", pic.Ksocks[0].In.Messages, 1)
	p.is("into the ear", pic.Ksocks[1].In.Messages, 3)
	p.is("answered", fmt.Sprint(pic.Names[1].Name, pic.Names[1].Answered, pic.Names[1].Mean), "$.Lamp.Set1 250ms")
}

// Who owes an answer, and for how long.
func TestUnanswered(t *testing.T) {
	p := newPlay(t)
	to := func(r kbus.KsockID) func(*kbus.Event) { return func(e *kbus.Event) { e.Replier = r } }
	pending := func(e *kbus.Event) { e.Err = kbus.ErrPending }
	p.report.Ksocks[0].Outstanding = 3
	first := p.event(100, 3, kbus.Request("$.Lamp.Set", ""), to(1))
	second := p.event(300, 3, kbus.Request("$.Lamp.Set", ""), to(1))
	waits := p.event(400, 3, kbus.Request("$.Lamp.Set", ""), pending)
	p.event(450, 3, kbus.Request("$.Nobody", ""), func(e *kbus.Event) { e.Err, e.ID = kbus.ErrNoReplier, kbus.ID{} })
	pic := p.picture(1100)
	lamp := pic.Ksocks[2]
	p.is("unanswered", fmt.Sprint(lamp.Unanswered, lamp.Oldest, lamp.Older, len(lamp.Owes)), "2 1s false 2")
	p.is("refused", pic.Names[1].Refused, 1)

	p.event(1200, 1, reply(first, 3), nil)
	p.event(1300, 3, kbus.Request("$.Lamp.Set", ""), func(e *kbus.Event) { e.ID, e.Replier = waits, 1 }) // it goes
	lamp = p.picture(1400).Ksocks[2]
	p.is("unanswered", fmt.Sprint(lamp.Unanswered, lamp.Oldest), "2 1.1s")

	p.event(1500, 0, &kbus.Message{Name: "$.KBUS.Replier.GoneAway", Header: kbus.Header{InReplyTo: second, To: 3}},
		func(e *kbus.Event) { e.Event = kbus.EventStatus })
	pic = p.picture(1600)
	p.is("unanswered", pic.Ksocks[2].Unanswered, 1)
	p.is("Statuses", pic.Names[0].Name+fmt.Sprint(pic.Names[0].Statuses), "$.Lamp.Set1")

	// The answer to the last is among events that are lost; the report tells that nobody waits for it.
	p.report.Ksocks[0].Outstanding = 0
	p.m.Note(&kbus.Event{Event: kbus.EventLost, Lost: 7})
	pic = p.picture(3000)
	p.is("unanswered", pic.Ksocks[2].Unanswered, 0)
	p.is("lost", pic.Lost, 7)

	// Events were lost again: it may owe what the report says, since then at least; and no more when the report says less.
	p.m.Note(&kbus.Event{Event: kbus.EventLost, Lost: 1})
	for _, step := range []struct {
		ms        int
		unreplied uint32
		want      string
	}{{4000, 4, "4 0s true"}, {5000, 4, "4 1s true"}, {6000, 1, "1 2s true"}, {7000, 0, "0 0s false"}, {8000, 1, "0 0s false"}} {
		p.report.Ksocks[2].Unreplied = step.unreplied
		lamp = p.picture(step.ms).Ksocks[2]
		p.is("unanswered", fmt.Sprint(lamp.Unanswered, lamp.Oldest, lamp.Older), step.want)
	}
}

// Requests that were there before we looked are owed for as long as we look. A report that has one of which the Reply is seen, or
// the Request is not yet, tells of none that is old.
func TestUnansweredBefore(t *testing.T) {
	p := newPlay(t)
	p.report.Ksocks[2].Unreplied = 2
	p.m = New(p.report)
	lamp := p.picture(5000).Ksocks[2]
	p.is("unanswered", fmt.Sprint(lamp.Unanswered, lamp.Oldest, lamp.Older), "2 5s true")
	p.report.Ksocks[2].Unreplied = 0
	p.picture(6000)
	id := p.event(6900, 3, kbus.Request("$.Lamp.Set", ""), func(e *kbus.Event) { e.Replier = 1 })
	p.event(6950, 1, reply(id, 3), nil)
	p.report.Ksocks[2].Unreplied = 1 // it was made between the two
	lamp = p.picture(7000).Ksocks[2]
	p.is("unanswered", fmt.Sprint(lamp.Unanswered, lamp.Oldest, lamp.Older), "0 0s false")
}

// Bindings that come and go between two reports, and Ksocks that have gone.
func TestComingAndGoing(t *testing.T) {
	p := newPlay(t)
	bind := func(ms int, kind kbus.EventKind) {
		p.m.Note(&kbus.Event{Event: kind, Time: at(ms), By: kbus.Peer{Ksock: 1}, Message: kbus.Message{Name: "$.Door"}})
	}
	bind(-10, kbus.EventBound) // the report has it already
	p.event(100, 3, kbus.Announcement("$.Door", ""), nil)
	bind(200, kbus.EventBound)
	p.event(300, 3, kbus.Announcement("$.Door", ""), nil)
	bind(400, kbus.EventUnbound)
	p.event(500, 3, kbus.Announcement("$.Door", ""), nil)
	p.is("into the lamp", p.picture(1000).Ksocks[2].In.Messages, 1)

	p.event(1100, 2, kbus.Announcement("$.Door", ""), nil)
	p.report.Ksocks = p.report.Ksocks[:1]
	p.picture(2000)
	p.is("Ksocks that are remembered", len(p.m.ksocks), 1)
}

// Memory has a limit, whatever is said.
func TestManyNames(t *testing.T) {
	p := newPlay(t)
	for i := range mostNames + 10 {
		p.event(1, 3, kbus.Announcement(fmt.Sprint("$.N", i), ""), nil)
	}
	pic := p.picture(1000)
	p.is("names", len(pic.Names), mostNames+1)
	p.is("the others", pic.Names[len(pic.Names)-1].Messages+pic.Names[0].Messages, 11)
	for range requests.Most + 10 {
		p.event(1, 3, kbus.Request("$.N0", ""), nil)
	}
	p.is("Requests", len(p.m.requests), requests.Most)
}

// Whoever is refused under ever new names hides no name from us: what is only refused is forgotten first, and then what was not said
// lately. What was counted is counted still, among the others.
func TestNamesAreForgotten(t *testing.T) {
	p := newPlay(t)
	name := func(pic *Picture, name string) *Name {
		for i := range pic.Names {
			if pic.Names[i].Name == name {
				return &pic.Names[i]
			}
		}
		return &Name{}
	}
	refused := func(e *kbus.Event) { e.Err = kbus.ErrNoReplier }
	announce := func(name string) { p.event(1, 3, kbus.Announcement(name, "x"), nil) }
	announce("$.Old")
	for i := range 2 * mostNames {
		p.event(1, 3, kbus.Request(fmt.Sprint("$.R", i), ""), refused)
	}
	announce("$.New")
	pic := p.picture(1000)
	p.is("the new name", name(pic, "$.New").Messages, 1)
	p.is("the old name", name(pic, "$.Old").Messages, 1)
	all := uint64(0)
	for _, n := range pic.Names {
		all += n.Refused
	}
	p.is("all refusals", all, 2*mostNames)
	p.is("too many names", len(pic.Names) > mostNames+1, false)

	for i := range 2 * mostNames {
		announce(fmt.Sprint("$.M", i))
	}
	p.is("too many names of one picture", len(p.picture(2000).Names) > mostNames+1, false)
	announce("$.Newer") // something was not said since
	p.event(1, 3, kbus.Request("$.Refused", ""), refused)
	pic = p.picture(3000)
	p.is("the newer name", name(pic, "$.Newer").Messages, 1)
	all = 0
	for _, n := range pic.Names {
		all += n.Messages
	}
	p.is("all messages", all, 2*mostNames+3)
}
