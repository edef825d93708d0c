package watch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/metrics"
	"kbus.example/kbus/internal/top"
	"kbus.example/kbus/internal/web/stream"
)

type nobody struct{ updates int }

func (n *nobody) Send(stream.Update) { n.updates++ }
func (n *nobody) Viewers() int       { return 1 }

func newBus(t *testing.T) *Bus {
	t.Helper()
	b := New(3, &nobody{}, metrics.New(metrics.Config{}))
	b.begin(top.Report{Time: time.Unix(1000, 0), Ksocks: []kbus.KsockInfo{{Party: kbus.Party{Ksock: 1}}}})
	return b
}

func event(name string, by kbus.KsockID, failure error) *kbus.Event {
	return &kbus.Event{Message: *kbus.Announcement(name, ""), Event: kbus.EventSent, Time: time.Unix(1001, 0), By: kbus.Peer{Ksock: by}, Err: failure}
}

// Of a name that is used all the time two are shown, and one that is used once is shown too; the counts are exact.
func TestQuietNamesAreSeen(t *testing.T) {
	b := newBus(t)
	for range 500 {
		b.note(event("$.Loud", 1, nil))
	}
	b.note(event("$.Quiet", 1, nil))
	messages, of := b.sample.take(b.counts.all())
	if len(messages) != 3 || messages[2].Name != "$.Quiet" || of != 501 || messages[2].Number != 501 {
		t.Errorf("%d of %d, the last is %+v", len(messages), of, messages[len(messages)-1])
	}
	b.note(event("$.Loud", 1, nil))
	if messages, of := b.sample.take(b.counts.all()); len(messages) != 1 || of != 1 {
		t.Errorf("the next beat has %d of %d", len(messages), of)
	}
}

// A beat is never longer than it may be, whatever is said; of a crowd only what was refused is shown.
func TestBeatHasALimit(t *testing.T) {
	b := newBus(t)
	for i := range crowd / 2 {
		b.note(event(fmt.Sprint("$.Name", i), 1, nil))
		b.note(event("$.Refused", 1, kbus.ErrNoReplier))
	}
	if messages, of := b.sample.take(b.counts.all()); len(messages) != mostInBeat+mostRefused || of != crowd {
		t.Errorf("%d of %d", len(messages), of)
	}
	for i := range crowd {
		b.note(event(fmt.Sprint("$.Name", i), 1, nil))
	}
	b.note(event("$.Refused", 1, kbus.ErrNoReplier))
	messages, of := b.sample.take(b.counts.all())
	if len(messages) != 1 || messages[0].Refused == nil || of != crowd+1 {
		t.Errorf("%d of %d", len(messages), of)
	}
}

// A message that waits for room is neither refused nor counted until it goes; what a Ksock was refused last is known while it is open.
func TestRefusals(t *testing.T) {
	b := newBus(t)
	b.note(event("$.Waits", 1, kbus.ErrPending))
	if b.counts.all() != 0 || len(b.refusals) != 0 {
		t.Errorf("%+v %v", b.counts, b.refusals)
	}
	for range mostRefused + 1 {
		b.note(event("$.First", 1, kbus.ErrNoReplier))
	}
	b.note(event("$.Last", 1, kbus.ErrReplierFull))
	if m := b.refusals[1]; m == nil || m.Name != "$.Last" || m.Refused.Condition != "ErrReplierFull" {
		t.Errorf("%+v", m)
	}
	b.note(&kbus.Event{Event: kbus.EventClosed, By: kbus.Peer{Ksock: 1}})
	if len(b.refusals) != 0 {
		t.Error("a Ksock that has closed is remembered")
	}
	b.note(event("$.Unseen", 9, kbus.ErrNoReplier))
	b.show(top.Report{Time: time.Unix(1002, 0)})
	if len(b.refusals) != 0 {
		t.Error("a Ksock whose end was not seen is remembered")
	}
}

// Data is cut between two characters, and what is no text is base64.
func TestBodies(t *testing.T) {
	for _, c := range []struct {
		data string
		of   uint32
		text string
	}{
		{"fish", 4, "fish"}, {"fis", 4, "fis"}, {"G\u00f6", 9, "G\u00f6"}, {"G\xc3", 9, "G"}, {"\xe2\x82", 9, ""}, {"\xf0\x9f\x90", 4, ""},
	} {
		e := event("$.A", 1, nil)
		e.Data, e.DataBytes = []byte(c.data), c.of
		if b := newBody(e); b.Data != c.text || b.DataBase64 != nil || b.Bytes != c.of {
			t.Errorf("%q of %d: %+v", c.data, c.of, b)
		}
	}
	for _, data := range []string{"\xff\x00", "G\xc3"} {
		e := event("$.A", 1, nil)
		e.Data, e.DataBytes = []byte(data), 2
		if b := newBody(e); b.Data != "" || string(b.DataBase64) != data {
			t.Errorf("%q: %+v", data, b)
		}
	}
}

// Of thousands of Ksocks those are told of with which something is the matter.
func TestPictureHasALimit(t *testing.T) {
	b := newBus(t)
	r := top.Report{Time: time.Unix(1002, 0)}
	for i := range 5000 {
		r.Ksocks = append(r.Ksocks, kbus.KsockInfo{Party: kbus.Party{Ksock: kbus.KsockID(5000 - i)}, MaxMessages: 10})
		r.Bindings = append(r.Bindings, kbus.BindingInfo{Ksock: kbus.KsockID(5000 - i), Name: "$.A"})
	}
	r.Ksocks[4990].Queued = 10
	b.show(r)
	p := b.last
	if len(p.Ksocks) != mostKsocks || p.LeftOut.Ksocks != 5000-mostKsocks || p.Ksocks[mostKsocks-1].Ksock != 10 {
		t.Errorf("%d, the last is %d; %+v", len(p.Ksocks), p.Ksocks[len(p.Ksocks)-1].Ksock, p.LeftOut)
	}
	if len(p.Bindings) != mostKsocks || p.LeftOut.Bindings != 5000-mostKsocks {
		t.Errorf("%d bindings, %+v", len(p.Bindings), p.LeftOut)
	}
	for i := range mostNames * 2 {
		b.note(event(fmt.Sprintf("$.N%d", i), 1, nil))
	}
	b.show(r)
	if p := b.last; len(p.Names) != mostNames || p.LeftOut.Names != mostNames || !strings.HasPrefix(p.Names[0].Name, "$.N") {
		t.Errorf("%d names, %+v", len(p.Names), p.LeftOut)
	}
}

// It says once that a bus is gone, and again when the reason is another.
func TestDown(t *testing.T) {
	b := newBus(t)
	n := b.viewers.(*nobody)
	for i, why := range []string{"killed", "killed", "not there"} {
		before := n.updates
		b.Down(why)
		if told := n.updates - before; told != []int{1, 0, 1}[i] {
			t.Errorf("%s: told %d times", why, told)
		}
	}
	if len(b.Opening()) != 1 {
		t.Error("a bus that is gone has a picture")
	}
}

// It says since when it is there or gone; that it is still gone, for another reason, does not change that.
func TestSince(t *testing.T) {
	b := New(3, &nobody{}, metrics.New(metrics.Config{}))
	if b.Down("not there"); b.state.At != 0 {
		t.Error("what never was there has gone")
	}
	first := top.Report{Time: time.Unix(1000, 0)}
	b.begin(first)
	came := b.state.At
	b.Down("killed")
	went := b.state.At
	if came == 0 || went < came {
		t.Errorf("it came at %v and went at %v", came, went)
	}
	b.state.At = 1
	if b.Down("not there"); b.state.At != 1 {
		t.Error("it went twice")
	}
	if b.begin(first); b.state.At < went {
		t.Errorf("it went at %v and came back at %v", went, b.state.At)
	}
}
