package federation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"kbus"
	"kbus/internal/bus"
	"kbus/limpet/federation/report"
)

// What is announced in one bowl is heard in all, once, in the order of its sender, with the ids of where it was said.
func TestAnnouncements(t *testing.T) {
	h := newHall(t)
	a, b := h.bowl(1), h.bowl(2)
	here, there := a.bound(kbus.Listener, "$.X.*"), b.bound(kbus.Listener, "$.X.*")
	sender := a.open()
	const n = 50
	for i := range n {
		_, err := sender.Send(t.Context(), kbus.Announcement("$.X.Y", []byte{byte(i)}))
		must(t, err)
	}
	for i := range n {
		m, far := receive(t, here), receive(t, there)
		if m.Data[0] != byte(i) || far.Data[0] != byte(i) {
			t.Fatalf("message %d: %v, %v", i, m, far)
		}
		if far.ID != (kbus.ID{Network: 1, Serial: m.ID.Serial}) || far.OrigFrom != (kbus.Origin{Network: 1,
			Local: sender.ID()}) {
			t.Fatalf("%v came as %v", m, far)
		}
	}
	if m, err := there.Next(); m != nil || err != nil {
		t.Errorf("and %v, %v", m, err)
	}
}

// A Request finds its Replier in another bowl, and the Reply who asked; Listeners everywhere hear both, once.
func TestRequests(t *testing.T) {
	h := newHall(t)
	a, b, c := h.bowl(1), h.bowl(2), h.bowl(3)
	events := a.watch()
	replier := b.bound(kbus.Replier, "$.Q")
	events.event(true, "$.Q")
	var ears []*kbus.Ksock
	for _, g := range []*guest{a, b, c} {
		ears = append(ears, g.bound(kbus.Listener, "$.Q"))
	}
	go replier.Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return kbus.ReplyTo(m, "so "+string(m.Data))
	})
	asker := a.open()
	for range 20 {
		reply, err := asker.Call(t.Context(), kbus.Request("$.Q", "what"))
		must(t, err)
		if string(reply.Data) != "so what" || reply.OrigFrom != (kbus.Origin{Network: 2, Local: replier.ID()}) {
			t.Fatalf("the Reply is %v", reply)
		}
		for _, ear := range ears {
			if m := receive(t, ear); m.Kind() != kbus.RequestKind || m.WantsUsToReply() {
				t.Fatalf("not the Request: %v", m)
			}
			if m := receive(t, ear); m.Kind() != kbus.ReplyKind || string(m.Data) != "so what" {
				t.Fatalf("not the Reply: %v", m)
			}
		}
	}
	for _, ear := range ears {
		if m, _ := ear.Next(); m != nil {
			t.Errorf("and %v", m)
		}
	}
	if _, err := asker.Send(t.Context(), kbus.Request("$.Nobody", "")); !errors.Is(err, kbus.ErrNoReplier) {
		t.Errorf("nobody: %v", err)
	}
}

// A stateful Request reaches the Replier that gave the Reply, or nobody.
func TestStatefulRequests(t *testing.T) {
	h := newHall(t)
	a, b := h.bowl(1), h.bowl(2)
	events := a.watch()
	serve := func(k *kbus.Ksock, word string) {
		go k.Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			return kbus.ReplyTo(m, word)
		})
	}
	first := b.bound(kbus.Replier, "$.Q.*")
	serve(first, "first")
	events.event(true, "$.Q.*")
	asker := a.open()
	reply, err := asker.Call(t.Context(), kbus.Request("$.Q.A", ""))
	must(t, err)
	follow, err := kbus.StatefulRequest(reply, "$.Q.A", "")
	must(t, err)
	again, err := asker.Call(t.Context(), follow)
	must(t, err)
	if string(again.Data) != "first" {
		t.Errorf("%v", again)
	}
	must(t, first.Close())
	events.event(false, "$.Q.*")
	serve(b.bound(kbus.Replier, "$.Q.*"), "second")
	events.event(true, "$.Q.*")
	follow, err = kbus.StatefulRequest(reply, "$.Q.A", "")
	must(t, err)
	if m, err := asker.Call(t.Context(), follow); !errors.Is(err, kbus.ErrNotSameKsock) {
		t.Errorf("another Replier answers: %v, %v", m, err)
	}
}

// A name has one Replier over all bowls, also if two bind at the same moment; and is free again when that one has gone.
func TestOneReplier(t *testing.T) {
	h := newHall(t)
	a, b := h.bowl(1), h.bowl(2)
	events := b.watch()
	for _, name := range []string{"$.A", "$.A.%", "$.A.*", "$.B.C.D"} {
		ka, kb := a.open(), b.open()
		results := make(chan error, 2)
		go func() { results <- ka.Bind(name, kbus.Replier) }()
		go func() { results <- kb.Bind(name, kbus.Replier) }()
		first, second := <-results, <-results
		if first != nil {
			first, second = second, first
		}
		if first != nil || !errors.Is(second, syscall.EADDRINUSE) {
			t.Fatalf("%s: %v and %v", name, first, second)
		}
		must(t, ka.Close())
		must(t, kb.Close())
	}
	k := a.bound(kbus.Replier, "$.Q")
	events.event(true, "$.Q")
	if err := b.open().Bind("$.Q", kbus.Replier); !errors.Is(err, kbus.ErrReplierBound) {
		t.Errorf("taken: %v", err)
	}
	must(t, k.Unbind("$.Q", kbus.Replier))
	events.event(false, "$.Q")
	b.bound(kbus.Replier, "$.Q")
	local := b.bound(kbus.Replier, "$.KBUS.Mine")
	a.bound(kbus.Replier, "$.KBUS.Mine") // each bus's own
	must(t, local.Close())
}

// Of two on one bus that bind at the same moment one fails, and the name stays claimed for the other.
func TestOneReplierOfABus(t *testing.T) {
	h := newHall(t)
	a, b := h.bowl(1), h.bowl(2)
	events := b.watch()
	other := b.open()
	for i := range 10 {
		name := fmt.Sprintf("$.N%d", i)
		rivals := []*kbus.Ksock{a.open(), a.open()}
		results := make(chan error, 2)
		for _, k := range rivals {
			go func() { results <- k.Bind(name, kbus.Replier) }()
		}
		first, second := <-results, <-results
		if (first == nil) == (second == nil) || !errors.Is(errors.Join(first, second), syscall.EADDRINUSE) {
			t.Fatalf("%v and %v", first, second)
		}
		events.event(true, name)
		for j := range 2 * clerks { // so that each clerk has done what it had to do for that name
			a.bound(kbus.Replier, fmt.Sprintf("$.After%d.N%d", i, j))
			if err := other.Bind(name, kbus.Replier); !errors.Is(err, syscall.EADDRINUSE) {
				t.Fatalf("%s in another bowl: %v", name, err)
			}
		}
	}
}

// A bus that has no room for all names knows some of them, and others when there is room; its bowl goes on.
func TestTooManyNames(t *testing.T) {
	h := newHall(t)
	a := h.bowl(1)
	small := &guest{hall: h, bus: kbus.NewBus(func(c *bus.Config) { c.Limits.UserBindings = 12 })}
	t.Cleanup(func() { small.bus.Close() })
	small.join(2)
	events := small.watch()
	var names []string
	for i := range 20 {
		names = append(names, fmt.Sprintf("$.N%d", i))
	}
	replier := a.bound(kbus.Replier, names...)
	known := map[string]bool{}
	await := func(done func() bool) {
		for m, err := range events.k.Messages(t.Context()) {
			must(t, err)
			e, _ := kbus.ParseBindEvent(m.Data)
			if known[e.Name] = e.Bind; done() {
				return
			}
		}
	}
	count := func() (n int) {
		for _, is := range known {
			if is {
				n++
			}
		}
		return n
	}
	await(func() bool { return count() == 7 }) // besides its bindings for itself, and ours
	for _, name := range names[:13] {
		must(t, replier.Unbind(name, kbus.Replier))
	}
	await(func() bool { return count() == 7 && known[names[13]] && known[names[19]] })
}

// Who was bound before the bus was joined keeps the name, unless another bowl has it.
func TestRepliersBeforeUs(t *testing.T) {
	h := newHall(t)
	a := h.bowl(1)
	a.bound(kbus.Replier, "$.Taken")
	b := &guest{hall: h, bus: kbus.NewBus()}
	t.Cleanup(func() { b.bus.Close() })
	k := b.bound(kbus.Replier, "$.Taken", "$.Free")
	events := a.watch()
	gone := b.watch()
	b.join(2)
	events.event(true, "$.Free")
	gone.event(false, "$.Taken")
	if err := k.Unbind("$.Taken", kbus.Replier); !errors.Is(err, kbus.ErrNotBound) {
		t.Errorf("still bound: %v", err)
	}
}

// When a bowl leaves, what it held is free at once, and who waited for it is told.
func TestLeaving(t *testing.T) {
	h := newHall(t)
	a, b := h.bowl(1), h.bowl(2)
	events := a.watch()
	b.bound(kbus.Replier, "$.Q")
	events.event(true, "$.Q")
	asker := a.open()
	request := kbus.Request("$.Q", "")
	_, err := asker.Send(t.Context(), request)
	must(t, err)
	must(t, b.stop())
	if m := receive(t, asker); m.Kind() != kbus.StatusKind {
		t.Errorf("%v", m)
	}
	events.event(false, "$.Q")
	must(t, a.open().Bind("$.Q", kbus.Replier))
	b.join(2)
	if err := b.open().Bind("$.Q", kbus.Replier); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("taken meanwhile: %v", err)
	}
}

// Without NATS nobody can become a Replier, and whoever asks is told.
func TestNoQuorum(t *testing.T) {
	h := newHall(t)
	a := h.bowl(1)
	h.end()
	if err := a.open().Bind("$.Q", kbus.Replier); !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Errorf("bound: %v", err)
	}
}

func TestStatus(t *testing.T) {
	h := newHall(t)
	a := h.bowl(1)
	h.bowl(2).bound(kbus.Replier, "$.Q")
	a.bound(kbus.Replier, "$.R")
	s, data, err := report.Ask(t.Context(), a.open())
	must(t, err)
	if s.ID != 1 || !s.InTouch || s.Own != 1 || len(s.Peers) != 1 || s.Peers[0].ID != 2 || s.Policy != "strict" {
		t.Errorf("%s", data)
	}
}

// What cannot be shared is said before anything is begun.
func TestConfig(t *testing.T) {
	for _, c := range []struct {
		Config
		word string
	}{
		{Config{Federation: "f"}, "--id"},
		{Config{ID: 1, Federation: "a.b"}, "letters"},
		{Config{ID: 1, Federation: "f", Names: []string{"X"}}, "cannot share"},
		{Config{ID: 1, Federation: "f", Names: []string{"$.KBUS.*"}}, "each bus's own"},
	} {
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%v, want something about %q", err, c.word)
		}
	}
}

// With the policy `available` Repliers are bound without a quorum; when there is one again, one of two keeps the name.
func TestAvailable(t *testing.T) {
	h := newHall(t)
	lax := func(c *Config) { c.Available = true }
	guests := []*guest{h.bowl(1, lax), h.bowl(2, lax)}
	lost := make(chan int)
	h.end()
	var repliers []*kbus.Ksock
	for i, g := range guests {
		ear := g.watch()
		repliers = append(repliers, g.bound(kbus.Replier, "$.Alone"))
		go func() {
			for m, err := range ear.k.Messages(t.Context()) {
				if err != nil {
					return
				}
				if e, ok := kbus.ParseBindEvent(m.Data); ok && !e.Bind && e.Name == "$.Alone" {
					lost <- i
					return
				}
			}
		}()
	}
	h.start()
	loser := <-lost
	winner := repliers[1-loser]
	if owner, err := winner.Replier("$.Alone"); err != nil || owner != winner.ID() {
		t.Errorf("bowl %d lost the name, and so did the other: its Replier is %d, %v", loser+1, owner, err)
	}
}

// A Bind that waits when its session ends is told, and does not wait for ever.
func TestClaimsOfAnEndedSession(t *testing.T) {
	bus := kbus.NewBus()
	defer bus.Close()
	open := func(context.Context) (*kbus.Ksock, error) { return bus.Open() }
	b := &Bowl{Config: Config{ID: 1, Names: []string{"$.*"}, Open: open}}
	g, err := b.newGuard(t.Context())
	must(t, err)
	go g.watch(t.Context())
	ctx, end := context.WithCancelCause(t.Context())
	s := &session{Bowl: b, guard: g, ctx: ctx, end: end, held: map[string]*holding{}}
	for i := range s.clerks {
		s.clerks[i].init()
	}
	g.vouch()
	g.admit(s)
	k, err := bus.Open()
	must(t, err)
	result := make(chan error)
	go func() { result <- k.Bind("$.Q", kbus.Replier) }()
	<-s.desk("$.Q").bell
	end(errFenced)
	must(t, g.dismiss())
	s.dropClaims()
	if err := <-result; !errors.Is(err, kbus.ErrNoFederation) {
		t.Errorf("bound: %v", err)
	}
}
