package bus

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kbus.example/kbus/message"
)

// denies is a Judge for tests: it has a line for each thing that may not be done, as "send $.A" or "listen $.A".
type denies struct {
	lines []string
	last  string
}

func (d *denies) may(what string) bool {
	if slices.Contains(d.lines, what) {
		d.last = what
		return false
	}
	return true
}
func (d *denies) MaySend(name []byte) bool { return d.may("send " + string(name)) }
func (d *denies) MayAsk(name []byte) bool  { return d.may("request " + string(name)) }
func (d *denies) MayListen(p string) bool  { return d.may("listen " + p) }
func (d *denies) MayReply(p string) bool   { return d.may("reply " + p) }
func (d *denies) MayReceive(name []byte) bool {
	return !slices.Contains(d.lines, "listen "+string(name))
}
func (d *denies) KeepsReplier(name string) bool { return !slices.Contains(d.lines, "reply "+name) }
func (d *denies) MayReachListeners(name []byte) bool {
	return !slices.Contains(d.lines, "bystanders "+string(name))
}
func (d *denies) MayAdminister() bool { return d.may("administer") }
func (d *denies) Administers() bool   { return !slices.Contains(d.lines, "administer") }
func (d *denies) MayMakeBuses() bool  { return d.may("new-bus") }
func (d *denies) Refused() string     { return "because of " + d.last }

// ruledWorld is a bus with rules, and a tap that writes everything down.
type ruledWorld struct {
	*testing.T
	*Bus
	tapped []string
}

func newRuledWorld(t *testing.T) *ruledWorld {
	w := &ruledWorld{T: t, Bus: New(Config{})}
	w.SetRuled(true)
	w.SetTap(w)
	return w
}

func (w *ruledWorld) Blind() bool           { return false }
func (w *ruledWorld) Unseen()               { panic("it looks") }
func (w *ruledWorld) KeepsData(*Event) bool { return true }
func (w *ruledWorld) Tapped(e *Event) {
	w.tapped = append(w.tapped, fmt.Sprintf("%d %s %s %d+%d", e.Kind, e.Err.Name(), e.Name, e.Reached, e.Skipped))
}

func (w *ruledWorld) ksock(lines ...string) *Ksock {
	w.Helper()
	k, c := w.Open(Owner{Judge: &denies{lines: lines}})
	if c != message.OK {
		w.Fatal(c)
	}
	return k
}

func (w *ruledWorld) bound(k *Ksock, name string, replier bool) {
	w.Helper()
	if c := w.Bind(k, name, replier); c != message.OK {
		w.Fatalf("bind %s: %v", name, c)
	}
}

func (w *ruledWorld) sends(k *Ksock, h message.Header, name string, want Outcome) message.ID {
	w.Helper()
	o := w.Send(k, &h, []byte(name), []byte("data"))
	if o.Err != want.Err || o.Reached != want.Reached || o.Skipped != want.Skipped {
		w.Fatalf("send %s: %+v, want %+v", name, o, want)
	}
	return o.ID
}

// reads takes everything that k has, as names.
func (w *ruledWorld) reads(k *Ksock, want ...string) (last Delivery) {
	w.Helper()
	var got []string
	for {
		d, ok := w.Next(k)
		if !ok {
			break
		}
		last = d
		got = append(got, string(d.Name))
		w.Release(&d)
	}
	if !slices.Equal(got, want) {
		w.Fatalf("Ksock %d reads %q, want %q", k.id, got, want)
	}
	return last
}

var request = message.Header{Flags: message.WantAReply}

func TestDeniedLeavesNoTrace(t *testing.T) {
	w := newRuledWorld(t)
	k := w.ksock("send $.A", "request $.B", "listen $.C.*", "reply $.C", "administer", "new-bus")
	hears := w.ksock()
	w.bound(hears, "$.*", false)
	w.bound(w.ksock(), "$.B", true)
	before := w.Info()
	tapped := len(w.tapped)
	w.sends(k, message.Header{}, "$.A", Outcome{Err: message.ErrDenied})
	if why := w.Why(message.ErrDenied); why != "because of send $.A" {
		t.Errorf("why: %q", why)
	}
	w.sends(k, message.Header{Flags: message.AllOrWait}, "$.A", Outcome{Err: message.ErrDenied})
	w.sends(k, request, "$.B", Outcome{Err: message.ErrDenied})
	if o := w.SendToListeners(k, &message.Header{ID: message.ID{Network: 7, Serial: 1}}, []byte("$.A"), nil, nil); o.Err != message.ErrDenied {
		t.Errorf("to Listeners: %v", o.Err)
	}
	if c := w.Bind(k, "$.C.*", false); c != message.ErrDenied {
		t.Errorf("listen: %v", c)
	}
	if c := w.Bind(k, "$.C", true); c != message.ErrDenied {
		t.Errorf("reply: %v", c)
	}
	if _, c := w.SetMaxMessageBytes(k, 200); c != message.ErrDenied {
		t.Errorf("size: %v", c)
	}
	if _, c := w.Verbose(k, 1); c != message.ErrDenied {
		t.Errorf("verbose: %v", c)
	}
	if c := w.MayMakeBuses(k); c != message.ErrDenied {
		t.Errorf("new bus: %v", c)
	}
	if after := w.Info(); after != before {
		t.Errorf("the bus was %+v and is %+v", before, after)
	}
	if len(w.tapped) != tapped {
		t.Errorf("a tap was shown %q", w.tapped[tapped:])
	}
	w.reads(hears)
	w.sends(k, message.Header{}, "$.D", Outcome{Reached: 1}) // what is not denied goes on
	w.reads(hears, "$.D")
}

// TestRefusedForItsForm: what a Ksock may not send nobody sees, whatever its form is.
func TestRefusedForItsForm(t *testing.T) {
	w := newRuledWorld(t)
	k := w.ksock("send $.Secret")
	tapped := len(w.tapped)
	for _, name := range []string{"$.Secret", "$.Open"} {
		ShowRefused(w.Bus, k, &message.Header{}, []byte(name), 7, message.ErrWaitAndFail)
	}
	if got := w.tapped[tapped:]; len(got) != 1 || got[0] != "1 ErrWaitAndFail $.Open 0+0" {
		t.Errorf("a tap was shown %q", got)
	}
}

// TestWhoMayNotHear: such a Listener gets nothing, and nothing that a sender is told depends on it, be its queue full or not;
// with the quick paths and without.
func TestWhoMayNotHear(t *testing.T) {
	for _, quick := range []bool{true, false} {
		w := newRuledWorld(t)
		w.SetTap(nil) // the quick path is not for what is tapped
		w.SetQuick(quick)
		from, yes, not := w.ksock(), w.ksock(), w.ksock("listen $.A.Secret")
		w.bound(yes, "$.A.*", false)
		w.bound(not, "$.A.*", false)
		w.SetMaxMessages(not, 1)
		for range 3 {
			w.sends(from, message.Header{}, "$.A.Secret", Outcome{Reached: 1})
			w.sends(from, message.Header{Flags: message.AllOrFail}, "$.A.Secret", Outcome{Reached: 1})
		}
		w.sends(from, message.Header{}, "$.A.Open", Outcome{Reached: 2})
		for range 3 { // now it is full
			w.sends(from, message.Header{Flags: message.AllOrFail}, "$.A.Secret", Outcome{Reached: 1})
			w.sends(from, message.Header{}, "$.A.Secret", Outcome{Reached: 1})
		}
		w.reads(yes, slices.Concat(slices.Repeat([]string{"$.A.Secret"}, 6), []string{"$.A.Open"}, slices.Repeat([]string{"$.A.Secret"}, 6))...)
		w.reads(not, "$.A.Open")
		if _, total := w.Missed(not); total != 0 {
			t.Errorf("it was told of %d missed messages that it may not hear", total)
		}
		if _, listeners := w.Who("$.A.Secret"); len(listeners) != 1 {
			t.Errorf("%d Listeners are shown", len(listeners))
		}
		if quick && w.Quickly() == (Quickly{}) {
			t.Error("no message went a quick way")
		}
	}
}

// TestRulesChangeAtOnce: for names that are remembered, too, and for Repliers and waiting messages.
func TestRulesChangeAtOnce(t *testing.T) {
	w := newRuledWorld(t)
	w.SetTap(nil)
	rule := &denies{}
	from, _ := w.Open(Owner{Judge: rule})
	listener := &denies{}
	to, _ := w.Open(Owner{Judge: listener})
	w.bound(to, "$.A", false)
	for range 2 {
		w.sends(from, message.Header{}, "$.A", Outcome{Reached: 1})
	}
	listener.lines = []string{"listen $.A"}
	w.SetRuled(true)
	w.sends(from, message.Header{}, "$.A", Outcome{})
	w.reads(to, "$.A", "$.A")
	listener.lines = nil
	w.SetRuled(true)

	w.SetMaxMessages(to, 1)
	w.sends(from, message.Header{}, "$.A", Outcome{Reached: 1})
	w.sends(from, message.Header{Flags: message.AllOrWait}, "$.A", Outcome{Err: message.ErrPending})
	rule.lines = []string{"send $.A"}
	w.SetRuled(true)
	for _, k := range w.Due() {
		w.Poll(k)
	}
	if from.Sending() {
		t.Error("a message that has become denied still waits")
	}
	w.reads(to, "$.A")

	replier := &denies{}
	r, _ := w.Open(Owner{Judge: replier})
	w.bound(r, "$.R", true)
	w.sends(from, request, "$.R", Outcome{Reached: 1})
	replier.lines = []string{"reply $.R"}
	if lost := w.SetRuled(true); len(lost) != 1 || lost[0].Name != "$.R" {
		t.Errorf("lost: %v", lost)
	}
	if w.Replier("$.R") != 0 {
		t.Error("it is the Replier still")
	}
	w.reads(from, message.NameUnbound)
	w.reads(r)

	// Who stands by is asked, too, and takes over only while it may.
	replier.lines = nil
	w.bound(r, "$.R", true)
	second, third := &denies{lines: []string{"reply $.R"}}, &denies{}
	s2, _ := w.Open(Owner{Judge: second})
	s3, _ := w.Open(Owner{Judge: third})
	if c := StandBy(w.Bus, s2, "$.R"); c != message.ErrDenied {
		t.Errorf("it may stand by: %v", c)
	}
	second.lines = nil
	for _, s := range []*Ksock{s2, s3} {
		if c := StandBy(w.Bus, s, "$.R"); c != message.OK {
			t.Errorf("it may not stand by: %v", c)
		}
	}
	second.lines = []string{"reply $.R"}
	replier.lines = []string{"reply $.R"}
	if lost := w.SetRuled(true); len(lost) != 2 || w.Replier("$.R") != s3.ID() {
		t.Errorf("lost: %v; the Replier is %d", lost, w.Replier("$.R"))
	}
	w.Unbind(s3, "$.R", true)
	w.SetRuled(false) // nobody is asked any more
	w.bound(r, "$.R", true)
	w.sends(from, message.Header{}, "$.A", Outcome{Reached: 1})
}

// TestRepliesAreOwed: they reach who waits for them whatever the rules say, and bystanders if their sender may speak under
// that name.
func TestRepliesAreOwed(t *testing.T) {
	w := newRuledWorld(t)
	asks := w.ksock("listen $.R", "listen $.Other")
	r := w.ksock("send $.R", "bystanders $.Other")
	by := w.ksock()
	w.bound(r, "$.R", true)
	w.bound(by, "$.*", false)
	for _, name := range []string{"$.R", "$.Other"} {
		id := w.sends(asks, request, "$.R", Outcome{Reached: 2})
		w.reads(by, "$.R")
		w.reads(r, "$.R")
		reached := uint32(2)
		if name == "$.Other" {
			reached = 1
		}
		w.sends(r, message.Header{InReplyTo: id, To: asks.id}, name, Outcome{Reached: reached})
		w.reads(asks, name)
		if name == "$.R" {
			w.reads(by, "$.R")
		} else {
			w.reads(by)
		}
	}
	id := w.sends(asks, request, "$.R", Outcome{Reached: 2})
	w.Close(r)
	if d := w.reads(asks, message.NameGoneAway); d.InReplyTo != id {
		t.Error("the Status is of another Request")
	}
}

func TestBindEventsAreForWhoMayHearThem(t *testing.T) {
	w := newRuledWorld(t)
	no := w.ksock("listen " + message.NameReplierBindEvent)
	yes := w.ksock()
	w.bound(no, "$.KBUS.*", false)
	w.bound(yes, "$.KBUS.*", false)
	w.bound(w.ksock(), "$.Before", true)
	if _, c := w.ReportReplierBinds(no, 1); c != message.ErrDenied {
		t.Errorf("the first report: %v", c)
	}
	if _, c := w.ReportReplierBinds(yes, 1); c != message.OK {
		t.Errorf("the first report: %v", c)
	}
	w.bound(w.ksock(), "$.After", true)
	w.reads(no)
	w.reads(yes, message.NameReplierBindEvent, message.NameReplierBindEvent)
	if len(w.tapped) == 0 || strings.Contains(strings.Join(w.tapped, ","), "ErrDenied") {
		t.Errorf("tapped: %q", w.tapped)
	}
}
