package ordered

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/leasekeeper"
	"kbus.example/kbus/limpet/federation/retry"
	"kbus.example/kbus/message"
)

// What is sent to any inlet is heard on all outlets in one order, with the id that its own bus gave it.
func TestOrder(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
	listeners := [2]*kbus.Ksock{a.listener("$.X.*"), b.listener("$.X.*")}
	var senders [2]*kbus.Ksock
	const each = 100
	ids := map[string]kbus.ID{}
	for i, g := range []*node{a, b} {
		senders[i] = ksock(t, g.in)
	}
	for n := range each {
		for i, k := range senders {
			text := fmt.Sprint(i+1, "/", n)
			sent, err := k.Send(t.Context(), kbus.Announcement("$.X.Y", text))
			must(t, err)
			ids[text] = kbus.ID{Network: uint32(i + 1), Serial: sent.ID.Serial}
		}
	}
	next := map[uint32]int{}
	extra := map[uint32]uint32{}
	for range 2 * each {
		here, there := receiveOne(t, listeners[0]), receiveOne(t, listeners[1])
		member := here.ID.Network
		if string(here.Data) != string(there.Data) || here.ID != there.ID || here.Extra != there.Extra {
			t.Fatalf("bowl 1 hears %v, and bowl 2 %v", here, there)
		}
		if string(here.Data) != fmt.Sprint(member, "/", next[member]) || here.ID != ids[string(here.Data)] ||
			here.OrigFrom != (kbus.Origin{Network: member, Local: uint32(senders[member-1].ID())}) || here.Kind() != kbus.AnnouncementKind {
			t.Fatalf("message %d of bowl %d is %v", next[member], member, here)
		}
		next[member]++
		extra[member] = here.Extra
	}
	for i, g := range []*node{a, b} {
		k := ksock(t, g.in)
		incarnation, err := k.Bridge().Carry(g.Context(), 0)
		must(t, err)
		if extra[uint32(i+1)] != incarnation {
			t.Errorf("what was said on the inlet of bowl %d came with %d, and the bus is %d", i+1, extra[uint32(i+1)], incarnation)
		}
	}
	nothing(t, listeners[0])
	nothing(t, listeners[1])
}

func receiveOne(t *testing.T, k *kbus.Ksock) *kbus.Message {
	t.Helper()
	m, err := k.Receive(t.Context())
	must(t, err)
	return m
}

// A second member with the same id elsewhere is refused, in favour of the one that is alive. At the same checkpoint it takes
// over, and the first is told.
func TestEqualIDs(t *testing.T) {
	t.Parallel() // it waits for a lease to run out
	h := newCluster(t)
	first, second := h.member(7), h.node(7)
	at := func(where string) func(*Config) { return func(c *Config) { c.Where = where } }
	second.begin(at("elsewhere"))
	var refusal *retry.Refusal
	if err := second.endsWith(); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "another bowl has id 7 and is alive") {
		t.Errorf("the second ends with %v", err)
	}
	listener := first.listener("$.A")
	first.order("$.A", "still here")
	receives(t, listener, "still here")

	second.join(at(fmt.Sprintf("%p", first.in)))
	var out *leasekeeper.Lost
	if err := first.endsWith(); !errors.As(err, &out) || !strings.Contains(err.Error(), "lease of bowl 7 has been taken by another") {
		t.Errorf("the first ends with %v", err)
	}
}

// An unordered member of the same federation may have the same id, on a bus of its own, or share other names on the
// outlet, with another id.
func TestBothKinds(t *testing.T) {
	h := newCluster(t)
	a := h.member(1)
	status(t, a.out)
	bus := kbus.NewBus()
	defer bus.Close()
	for _, c := range []federation.Config{
		{ID: 1, Names: []string{"$.*"}, Open: func(context.Context) (*kbus.Ksock, error) { return bus.Open(a.Context()) }},
		{ID: 9, Names: []string{"$.Q.*"}, Open: func(context.Context) (*kbus.Ksock, error) { return a.out.Open(a.Context()) }},
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
	listener := a.listener("$.A")
	a.order("$.A", "fine")
	receives(t, listener, "fine")
	asker := ksock(t, bus)
	replier := ksock(t, a.out)
	events := ksock(t, bus)
	must(t, events.Bind(a.Context(), kbus.NameReplierBindEvent, kbus.Listener))
	must(t, replier.Bind(a.Context(), "$.Q.A", kbus.Replier))
	go replier.Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return m.Reply([]byte("so"))
	})
	for m := receiveOne(t, events); ; m = receiveOne(t, events) {
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
func TestBusesInUse(t *testing.T) {
	h := newCluster(t)
	a := h.member(1)
	same := h.node(2)
	same.in = a.in
	same.begin()
	if err := same.endsWith(); !errors.Is(err, kbus.ErrReplierBound) || !strings.Contains(err.Error(), "inlet of another Limpet") {
		t.Errorf("an inlet that is taken: %v", err)
	}
	same = h.node(2)
	same.checkpoint = a.checkpoint
	same.begin()
	if err := same.endsWith(); err == nil || !strings.Contains(err.Error(), "an outlet is for one alone") {
		t.Errorf("an outlet that is taken: %v", err)
	}
}

// What is under $.KBUS is each bus's own: it is not ordered, and nobody is its Replier.
func TestOwnNames(t *testing.T) {
	h := newCluster(t)
	a := h.member(1)
	listener, sender := a.listener("$.*"), ksock(t, a.in)
	_, err := sender.Send(t.Context(), kbus.Announcement("$.KBUS.A", ""))
	must(t, err)
	reply, err := sender.Call(t.Context(), kbus.Request("$.KBUS.B", ""))
	if !errors.Is(err, kbus.ErrRemoteError) || !strings.Contains(err.Error(), "RemoteError.99") {
		t.Errorf("asked for a name of the bus's own: %v, %v", reply, err)
	}
	status(t, a.in)
	a.order("$.A", "other")
	if m := receiveOne(t, listener); m.Name != "$.A" {
		t.Errorf("ordered: %v", m)
	}
}

// Ids that others have given messages may be anybody's, and those of messages that have waited for long the outlets
// forget. All of them are ordered, and heard as often as they were sent, also when it is not sure whether the last one
// was heard.
func TestDoubtfulIDs(t *testing.T) {
	h := newCluster(t)
	a := h.member(1)
	listener, sender := a.listener("$.A"), ksock(t, a.in)
	send := func(text string, id kbus.ID) {
		m := kbus.Request("$.A", text)
		m.ID = id
		_, err := sender.Send(t.Context(), m)
		must(t, err)
		for reply := receiveOne(t, sender); !reply.IsReply(); reply = receiveOne(t, sender) {
		}
	}
	send("own", kbus.ID{})
	send("same", kbus.ID{Network: 9, Serial: 1})
	send("same again", kbus.ID{Network: 9, Serial: 1})
	send("as if own", kbus.ID{Network: 1, Serial: 1})
	send("own again", kbus.ID{})
	texts := []string{"own", "same", "same again", "as if own", "own again", "new", "waited"}
	log := h.stream(keepBytes)
	h.entry(2, 5, 1).add("new", 2, 77).add("waited", 1, 0).store(log)
	ids := map[kbus.ID]bool{}
	for _, m := range receives(t, listener, texts...) {
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
	for m, err := listener.Next(a.Context()); m != nil || err != nil; m, err = listener.Next(a.Context()) {
		t.Errorf("twice: %v, %v", m, err)
	}
}

// The serial numbers that a bus has given are taken, as long as the outlets remember them.
func TestIncarnationOf(t *testing.T) {
	in := &inlet{incarnation: 7}
	for _, c := range []struct {
		serial, want uint32
	}{
		{5000, 7}, {5001, 7}, {4999, 7}, {5001 - lateBy + 1, 7}, {5001 - lateBy, 0}, {1, 0}, {5002, 7}, {1<<31 + 5000, 7},
		{5, 7}, {1<<32 - 1, 7}, {1<<32 - lateBy, 0},
	} {
		if got := in.incarnationOf(kbus.ID{Serial: c.serial}); got != c.want {
			t.Errorf("number %d after %d was said in %d, want %d", c.serial, in.last, got, c.want)
		}
	}
	if in.incarnationOf(kbus.ID{Network: 1, Serial: 6}) != 0 {
		t.Error("an id of somebody else was given here")
	}
}

// A member that says what it must not is not believed, and the rest goes on.
func TestNonsense(t *testing.T) {
	h := newCluster(t)
	a := h.member(1)
	listener := a.listener("$.*")
	log := h.stream(keepBytes)
	h.entry(2, 5, 1).add("good", 1, 7).store(log)
	h.entry(2, 5, 2).add("forged", 1, 7, func(e *envelope.Envelope) { e.Member = 1; e.Epoch = 1 << 62 }).store(log)
	h.entry(2, 5, 2).add("no announcement", 1, 7, func(e *envelope.Envelope) { e.Kind = envelope.Count }).store(log)
	h.entry(2, 5, 2).add("", 2, 7, func(e *envelope.Envelope) { e.Name = lostName }).add("reply", 3, 7,
		func(e *envelope.Envelope) {
			e.To, e.InReplyTo, e.Flags = 5, kbus.ID{Serial: 5}, message.WantAReply|message.Urgent
		}).store(log)
	bytes := h.entry(2, 5, 4)
	bytes.bytes = []byte("hello")
	bytes.store(log)
	a.order("$.A", "own")
	for _, m := range receives(t, listener, "good", "reply", "own") {
		if m.IsReply() || m.IsRequest() || m.Flags.Has(message.Urgent) {
			t.Errorf("no announcement: %v", m)
		}
	}
	if s := status(t, a.in); s.Refused != 4 || s.Received != 3 {
		t.Errorf("%d refused, %d delivered", s.Refused, s.Received)
	}
}

// A batch that the stream has twice, and what comes late of an epoch that is over, is heard once or not at all, also by
// who has begun in between.
func TestTwiceInTheStream(t *testing.T) {
	h := newCluster(t)
	log := h.stream(keepBytes)
	a := h.member(1)
	listeners := []*kbus.Ksock{a.listener("$.A")}
	first := h.entry(2, 5, 1).add("1", 1, 7).add("2", 2, 7)
	late := h.entry(2, 4, 9).add("of the epoch before", 1, 6)
	first.store(log)
	receives(t, listeners[0], "1", "2")
	b := h.member(3)
	listeners = append(listeners, b.listener("$.A"))
	first.store(log)
	late.store(log)
	h.entry(2, 5, 3).add("3", 3, 7).store(log)
	for _, listener := range listeners {
		receives(t, listener, "3")
	}
	for _, g := range []*node{a, b} {
		s := status(t, g.out)
		if s.Copies != 0 || s.Peers[len(s.Peers)-1].Announced == 0 {
			t.Errorf("bowl %d: %+v", g.id, s)
		}
	}
}

// The outlet must not be known by the id of a member that is ordered: it would take what that member says for its own.
func TestNamedOutlet(t *testing.T) {
	h := newCluster(t)
	a := h.member(1)
	other := ksock(t, a.out)
	_, err := other.Bridge().Carry(a.Context(), 3)
	must(t, err)
	listener := a.listener("$.A")
	a.order("$.A", "fine")
	receives(t, listener, "fine")
	must(t, other.Close())
	other = ksock(t, a.out)
	_, err = other.Bridge().Carry(a.Context(), 1)
	must(t, err)
	go func() { _, _ = ksock(t, a.in).Send(t.Context(), kbus.Announcement("$.A", "lost")) }()
	var refusal *retry.Refusal
	if err := a.endsWith(); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "another --id") {
		t.Errorf("it ends with %v", err)
	}
}
