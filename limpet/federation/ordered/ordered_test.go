package ordered

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kbus"
	"kbus/limpet/federation"
	"kbus/limpet/federation/envelope"
	"kbus/limpet/federation/office"
	"kbus/message"
)

// What is sent to any inlet is heard on all outlets in one order, with the id that its own bus gave it.
func TestOrder(t *testing.T) {
	h := newHall(t)
	a, b := h.bowl(1), h.bowl(2)
	ears := [2]*kbus.Ksock{a.ear("$.X.*"), b.ear("$.X.*")}
	var mouths [2]*kbus.Ksock
	const each = 100
	said := map[string]kbus.ID{}
	for i, g := range []*guest{a, b} {
		mouths[i] = ksock(t, g.in)
	}
	for n := range each {
		for i, k := range mouths {
			text := fmt.Sprint(i+1, "/", n)
			sent, err := k.Send(t.Context(), kbus.Announcement("$.X.Y", text))
			must(t, err)
			said[text] = kbus.ID{Network: uint32(i + 1), Serial: sent.ID.Serial}
		}
	}
	next := map[uint32]int{}
	extra := map[uint32]uint32{}
	for range 2 * each {
		here, there := hears1(t, ears[0]), hears1(t, ears[1])
		bowl := here.ID.Network
		if string(here.Data) != string(there.Data) || here.ID != there.ID || here.Extra != there.Extra {
			t.Fatalf("bowl 1 hears %v, and bowl 2 %v", here, there)
		}
		if string(here.Data) != fmt.Sprint(bowl, "/", next[bowl]) || here.ID != said[string(here.Data)] ||
			here.OrigFrom != (kbus.Origin{Network: bowl, Local: mouths[bowl-1].ID()}) || here.Kind() != kbus.AnnouncementKind {
			t.Fatalf("message %d of bowl %d is %v", next[bowl], bowl, here)
		}
		next[bowl]++
		extra[bowl] = here.Extra
	}
	for i, g := range []*guest{a, b} {
		k := ksock(t, g.in)
		incarnation, err := k.Carry(0)
		must(t, err)
		if extra[uint32(i+1)] != incarnation {
			t.Errorf("what was said on the inlet of bowl %d came with %d, and the bus is %d", i+1, extra[uint32(i+1)], incarnation)
		}
	}
	nothing(t, ears[0])
	nothing(t, ears[1])
}

func hears1(t *testing.T, k *kbus.Ksock) *kbus.Message {
	t.Helper()
	m, err := k.Receive(t.Context())
	must(t, err)
	return m
}

// A second bowl with the same id elsewhere is refused, in favour of the one that is alive. At the same place it takes
// over, and the first is told.
func TestEqualIDs(t *testing.T) {
	h := newHall(t)
	first, second := h.bowl(7), h.guest(7)
	at := func(where string) func(*Config) { return func(c *Config) { c.Where = where } }
	second.begin(at("elsewhere"))
	var refusal *federation.Refusal
	if err := second.endsWith(); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "another bowl has id 7 and is alive") {
		t.Errorf("the second ends with %v", err)
	}
	ear := first.ear("$.A")
	first.order("$.A", "still here")
	hears(t, ear, "still here")

	second.join(at(fmt.Sprintf("%p", first.in)))
	var out *office.Ousted
	if err := first.endsWith(); !errors.As(err, &out) || !strings.Contains(err.Error(), "lease of bowl 7 has been taken by another") {
		t.Errorf("the first ends with %v", err)
	}
}

// An unordered bowl of the same federation may have the same id, on a bus of its own, or share other names on the
// outlet, with another id.
func TestBothKinds(t *testing.T) {
	h := newHall(t)
	a := h.bowl(1)
	status(t, a.out)
	bus := kbus.NewBus()
	defer bus.Close()
	for _, c := range []federation.Config{
		{ID: 1, Names: []string{"$.*"}, Open: func(context.Context) (*kbus.Ksock, error) { return bus.Open() }},
		{ID: 9, Names: []string{"$.Q.*"}, Open: func(context.Context) (*kbus.Ksock, error) { return a.out.Open() }},
	} {
		c.Federation, c.Replicas, c.Where, c.Log = "test", 1, "elsewhere", h.log
		nc := h.connect()
		defer nc.Close()
		ready := make(chan struct{})
		b, err := federation.New(nc, c, func() { close(ready) })
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.Run(ctx) }()
		defer func() { cancel(); must(t, <-ended) }()
		select {
		case <-ready:
		case err := <-ended:
			t.Fatal(err)
		}
	}
	ear := a.ear("$.A")
	a.order("$.A", "fine")
	hears(t, ear, "fine")
	asker := ksock(t, bus)
	replier := ksock(t, a.out)
	events := ksock(t, bus)
	must(t, events.Bind(kbus.NameReplierBindEvent, kbus.Listener))
	must(t, replier.Bind("$.Q.A", kbus.Replier))
	go replier.Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return kbus.ReplyTo(m, "so")
	})
	for m := hears1(t, events); ; m = hears1(t, events) {
		if e, ok := kbus.ParseBindEvent(m.Data); ok && e.Bind && e.Name == "$.Q.A" {
			break
		}
	}
	reply, err := asker.Call(t.Context(), kbus.Request("$.Q.A", "what"))
	must(t, err)
	if string(reply.Data) != "so" {
		t.Errorf("%v", reply)
	}
}

// A bus is for one Limpet: an inlet is not taken from another, nor an outlet.
func TestBusesTaken(t *testing.T) {
	h := newHall(t)
	a := h.bowl(1)
	same := h.guest(2)
	same.in = a.in
	same.begin()
	if err := same.endsWith(); !errors.Is(err, kbus.ErrReplierBound) || !strings.Contains(err.Error(), "inlet of another Limpet") {
		t.Errorf("an inlet that is taken: %v", err)
	}
	same = h.guest(2)
	same.place = a.place
	same.begin()
	if err := same.endsWith(); err == nil || !strings.Contains(err.Error(), "an outlet is for one alone") {
		t.Errorf("an outlet that is taken: %v", err)
	}
}

// What is under $.KBUS is each bus's own: it is not ordered, and nobody is its Replier.
func TestOwnNames(t *testing.T) {
	h := newHall(t)
	a := h.bowl(1)
	ear, mouth := a.ear("$.*"), ksock(t, a.in)
	_, err := mouth.Send(t.Context(), kbus.Announcement("$.KBUS.A", ""))
	must(t, err)
	reply, err := mouth.Call(t.Context(), kbus.Request("$.KBUS.B", ""))
	if !errors.Is(err, kbus.ErrRemoteError) || !strings.Contains(err.Error(), "RemoteError.99") {
		t.Errorf("asked for a name of the bus's own: %v, %v", reply, err)
	}
	status(t, a.in)
	a.order("$.A", "other")
	if m := hears1(t, ear); m.Name != "$.A" {
		t.Errorf("ordered: %v", m)
	}
}

// Ids that others have given messages may be anybody's, and those of messages that have waited for long the outlets
// forget. All of them are ordered, and heard as often as they were sent, also when it is not sure whether the last one
// was heard.
func TestDoubtfulIDs(t *testing.T) {
	h := newHall(t)
	a := h.bowl(1)
	ear, mouth := a.ear("$.A"), ksock(t, a.in)
	say := func(text string, id kbus.ID) {
		m := kbus.Request("$.A", text)
		m.ID = id
		_, err := mouth.Send(t.Context(), m)
		must(t, err)
		for reply := hears1(t, mouth); !reply.IsReply(); reply = hears1(t, mouth) {
		}
	}
	say("own", kbus.ID{})
	say("same", kbus.ID{Network: 9, Serial: 1})
	say("same again", kbus.ID{Network: 9, Serial: 1})
	say("as if own", kbus.ID{Network: 1, Serial: 1})
	say("own again", kbus.ID{})
	texts := []string{"own", "same", "same again", "as if own", "own again", "new", "waited"}
	log := h.stream(keepBytes)
	h.entry(2, 5, 1).add("new", 2, 77).add("waited", 1, 0).store(log)
	ids := map[kbus.ID]bool{}
	for _, m := range hears(t, ear, texts...) {
		if ids[m.ID] || m.Extra == 0 {
			t.Errorf("not to be told from others: %v, extra %d", m, m.Extra)
		}
		ids[m.ID] = true
	}
	a.stop()
	for n := range len(texts) { // each of them was delivered, and perhaps not noted
		p := a.left()
		p.entry, p.messages = uint64(n), 0
		if n == len(texts)-1 { // the second of the last entry
			p.entry, p.messages = uint64(n-1), 1
		}
		a.leave(p)
		a.join()
		a.order("$.B", "next")
		a.stop()
	}
	for m, err := ear.Next(); m != nil || err != nil; m, err = ear.Next() {
		t.Errorf("twice: %v, %v", m, err)
	}
}

// The serial numbers that a bus has given are taken, as long as the outlets remember them.
func TestSaidIn(t *testing.T) {
	in := &inlet{incarnation: 7}
	for _, c := range []struct {
		serial, want uint32
	}{
		{5000, 7}, {5001, 7}, {4999, 7}, {5001 - lateBy + 1, 7}, {5001 - lateBy, 0}, {1, 0}, {5002, 7}, {1<<31 + 5000, 7},
		{5, 7}, {1<<32 - 1, 7}, {1<<32 - lateBy, 0},
	} {
		if got := in.saidIn(kbus.ID{Serial: c.serial}); got != c.want {
			t.Errorf("number %d after %d was said in %d, want %d", c.serial, in.last, got, c.want)
		}
	}
	if in.saidIn(kbus.ID{Network: 1, Serial: 6}) != 0 {
		t.Error("an id of somebody else was given here")
	}
}

// A bowl that says what it must not is not believed, and the rest goes on.
func TestNonsense(t *testing.T) {
	h := newHall(t)
	a := h.bowl(1)
	ear := a.ear("$.*")
	log := h.stream(keepBytes)
	h.entry(2, 5, 1).add("good", 1, 7).store(log)
	h.entry(2, 5, 2).add("forged", 1, 7, func(e *envelope.Envelope) { e.Bowl = 1; e.Epoch = 1 << 62 }).store(log)
	h.entry(2, 5, 2).add("no announcement", 1, 7, func(e *envelope.Envelope) { e.Kind = envelope.Count }).store(log)
	h.entry(2, 5, 2).add("", 2, 7, func(e *envelope.Envelope) { e.Name = lostName }).add("reply", 3, 7,
		func(e *envelope.Envelope) {
			e.To, e.InReplyTo, e.Flags = 5, kbus.ID{Serial: 5}, message.WantAReply|message.Urgent
		}).store(log)
	bytes := h.entry(2, 5, 4)
	bytes.bytes = []byte("hello")
	bytes.store(log)
	a.order("$.A", "own")
	for _, m := range hears(t, ear, "good", "reply", "own") {
		if m.IsReply() || m.IsRequest() || m.Flags.Has(message.Urgent) {
			t.Errorf("no announcement: %v", m)
		}
	}
	if s := status(t, a.in); s.Refused != 4 || s.Heard != 3 {
		t.Errorf("%d refused, %d delivered", s.Refused, s.Heard)
	}
}

// A batch that the stream has twice, and what comes late of an epoch that is over, is heard once or not at all, also by
// who has begun in between.
func TestTwiceInTheStream(t *testing.T) {
	h := newHall(t)
	log := h.stream(keepBytes)
	a := h.bowl(1)
	ears := []*kbus.Ksock{a.ear("$.A")}
	first := h.entry(2, 5, 1).add("1", 1, 7).add("2", 2, 7)
	late := h.entry(2, 4, 9).add("of the epoch before", 1, 6)
	first.store(log)
	hears(t, ears[0], "1", "2")
	b := h.bowl(3)
	ears = append(ears, b.ear("$.A"))
	first.store(log)
	late.store(log)
	h.entry(2, 5, 3).add("3", 3, 7).store(log)
	for _, ear := range ears {
		hears(t, ear, "3")
	}
	for _, g := range []*guest{a, b} {
		s := status(t, g.out)
		if s.Copies != 0 || s.Peers[len(s.Peers)-1].Announced == 0 {
			t.Errorf("bowl %d: %+v", g.id, s)
		}
	}
}

// The outlet must not be known by the id of a bowl that is ordered: it would take what that bowl says for its own.
func TestNamedOutlet(t *testing.T) {
	h := newHall(t)
	a := h.bowl(1)
	other := ksock(t, a.out)
	_, err := other.Carry(3)
	must(t, err)
	ear := a.ear("$.A")
	a.order("$.A", "fine")
	hears(t, ear, "fine")
	must(t, other.Close())
	other = ksock(t, a.out)
	_, err = other.Carry(1)
	must(t, err)
	go func() { _, _ = ksock(t, a.in).Send(t.Context(), kbus.Announcement("$.A", "lost")) }()
	var refusal *office.Refusal
	if err := a.endsWith(); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "another --id") {
		t.Errorf("it ends with %v", err)
	}
}
