package federation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/limpet/federation/claims"
	"kbus.example/kbus/limpet/federation/report"
)

// What is announced in one member is heard in all, once, in the order of its sender, with the ids of where it was said.
func TestAnnouncements(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
	here, there := a.bound(kbus.Listener, "$.X.*"), b.bound(kbus.Listener, "$.X.*")
	sender := a.open()
	const n = 50
	for i := range n {
		m := kbus.Announcement("$.X.Y", []byte{byte(i)})
		if i%2 == 1 {
			m.Trace = &kbus.Trace{Parent: fmt.Sprint("parent ", i), State: "state"}
		}
		_, err := sender.Send(t.Context(), m)
		must(t, err)
	}
	for i := range n {
		m, far := receive(t, here), receive(t, there)
		if m.Data[0] != byte(i) || far.Data[0] != byte(i) {
			t.Fatalf("message %d: %v, %v", i, m, far)
		}
		if far.ID != (kbus.ID{Network: 1, Serial: m.ID.Serial}) || far.OrigFrom != (kbus.Origin{Network: 1,
			Local: uint32(sender.ID())}) {
			t.Fatalf("%v came as %v", m, far)
		}
		if traced := far.Trace != nil; traced != (i%2 == 1) || traced && *far.Trace != *m.Trace {
			t.Fatalf("%v in trace %v came in %v", m, m.Trace, far.Trace)
		}
	}
	if m, err := there.Next(h.Context()); m != nil || err != nil {
		t.Errorf("and %v, %v", m, err)
	}
}

// A Request finds its Replier in another member, and the Reply who asked; Listeners everywhere hear both, once.
func TestRequests(t *testing.T) {
	h := newCluster(t)
	a, b, c := h.member(1), h.member(2), h.member(3)
	events := a.watch()
	replier := b.bound(kbus.Replier, "$.Q")
	events.event(true, "$.Q")
	var listeners []*kbus.Ksock
	for _, g := range []*node{a, b, c} {
		listeners = append(listeners, g.bound(kbus.Listener, "$.Q"))
	}
	go replier.Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return m.Reply([]byte("so " + string(m.Data)))
	})
	asker := a.open()
	for range 20 {
		request := kbus.Request("$.Q", "what")
		request.Trace = &kbus.Trace{Parent: "asked"}
		reply, err := asker.Call(t.Context(), request)
		must(t, err)
		if string(reply.Data) != "so what" || reply.OrigFrom != (kbus.Origin{Network: 2, Local: uint32(replier.ID())}) {
			t.Fatalf("the Reply is %v", reply)
		}
		if reply.Trace.Empty() || *reply.Trace != *request.Trace {
			t.Fatalf("the Reply is in trace %v", reply.Trace)
		}
		for _, listener := range listeners {
			if m := receive(t, listener); m.Kind() != kbus.RequestKind || m.WantsUsToReply() {
				t.Fatalf("not the Request: %v", m)
			}
			if m := receive(t, listener); m.Kind() != kbus.ReplyKind || string(m.Data) != "so what" {
				t.Fatalf("not the Reply: %v", m)
			}
		}
	}
	for _, listener := range listeners {
		if m, _ := listener.Next(h.Context()); m != nil {
			t.Errorf("and %v", m)
		}
	}
	if _, err := asker.Send(t.Context(), kbus.Request("$.Nobody", "")); !errors.Is(err, kbus.ErrNoReplier) {
		t.Errorf("nobody: %v", err)
	}
}

// A Reply that wants a Reply itself is a Reply to who asked, as on one bus; nobody waits for ever.
func TestReplyThatAsks(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
	here, there := a.watch(), b.watch()
	replier := b.bound(kbus.Replier, "$.Q")
	here.event(true, "$.Q")
	a.bound(kbus.Replier, "$.Other")
	there.event(true, "$.Other")
	asker := a.open()
	_, err := asker.Send(t.Context(), kbus.Request("$.Q", "what"))
	must(t, err)
	reply, err := receive(t, replier).Reply([]byte("so"))
	must(t, err)
	reply.Name, reply.Flags = "$.Other", reply.Flags|kbus.WantAReply
	_, err = replier.Send(t.Context(), reply)
	must(t, err)
	if m := receive(t, asker); m.Kind() != kbus.ReplyKind || string(m.Data) != "so" {
		t.Errorf("the Reply is %v", m)
	}
}

// A stateful Request reaches the Replier that gave the Reply, or nobody.
func TestStatefulRequests(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
	events := a.watch()
	serve := func(k *kbus.Ksock, word string) {
		go k.Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			return m.Reply([]byte(word))
		})
	}
	first := b.bound(kbus.Replier, "$.Q.*")
	serve(first, "first")
	events.event(true, "$.Q.*")
	asker := a.open()
	reply, err := asker.Call(t.Context(), kbus.Request("$.Q.A", ""))
	must(t, err)
	follow, err := reply.StatefulRequest("$.Q.A", nil)
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
	follow, err = reply.StatefulRequest("$.Q.A", nil)
	must(t, err)
	if m, err := asker.Call(t.Context(), follow); !errors.Is(err, kbus.ErrNotSameKsock) {
		t.Errorf("another Replier answers: %v, %v", m, err)
	}
}

// A name has one Replier over all members, also if two bind at the same moment; and is free again when that one has gone.
func TestOneReplier(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
	events := b.watch()
	for _, name := range []string{"$.A", "$.A.%", "$.A.*", "$.B.C.D"} {
		ka, kb := a.open(), b.open()
		results := make(chan error, 2)
		go func() { results <- ka.Bind(h.Context(), name, kbus.Replier) }()
		go func() { results <- kb.Bind(h.Context(), name, kbus.Replier) }()
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
	if err := b.open().Bind(h.Context(), "$.Q", kbus.Replier); !errors.Is(err, kbus.ErrReplierBound) {
		t.Errorf("taken: %v", err)
	}
	must(t, k.Unbind(h.Context(), "$.Q", kbus.Replier))
	events.event(false, "$.Q")
	b.bound(kbus.Replier, "$.Q")
	local := b.bound(kbus.Replier, "$.KBUS.Mine")
	a.bound(kbus.Replier, "$.KBUS.Mine") // each bus's own
	must(t, local.Close())
}

// Of two on one bus that bind at the same moment one fails, and the name stays claimed for the other.
func TestOneReplierOfABus(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
	events := b.watch()
	other := b.open()
	for i := range 10 {
		name := fmt.Sprintf("$.N%d", i)
		rivals := []*kbus.Ksock{a.open(), a.open()}
		results := make(chan error, 2)
		for _, k := range rivals {
			go func() { results <- k.Bind(h.Context(), name, kbus.Replier) }()
		}
		first, second := <-results, <-results
		if (first == nil) == (second == nil) || !errors.Is(errors.Join(first, second), syscall.EADDRINUSE) {
			t.Fatalf("%v and %v", first, second)
		}
		events.event(true, name)
		for j := range 2 * claims.Workers { // so that each worker has done what it had to do for that name
			a.bound(kbus.Replier, fmt.Sprintf("$.After%d.N%d", i, j))
			if err := other.Bind(h.Context(), name, kbus.Replier); !errors.Is(err, syscall.EADDRINUSE) {
				t.Fatalf("%s in another bowl: %v", name, err)
			}
		}
	}
}

// A bus that has no room for all names knows some of them, and others when there is room; its member goes on.
func TestTooManyNames(t *testing.T) {
	h := newCluster(t)
	a := h.member(1)
	small := &node{cluster: h, bus: kbus.NewBus(func(c *bus.Config) { c.Limits.UserBindings = 12 })}
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
		must(t, replier.Unbind(h.Context(), name, kbus.Replier))
	}
	await(func() bool { return count() == 7 && known[names[13]] && known[names[19]] })
}

// So it is with names that have wildcards, which have a limit of their own.
func TestTooManyWildcards(t *testing.T) {
	h := newCluster(t)
	a := h.member(1)
	small := &node{cluster: h, bus: kbus.NewBus(func(c *bus.Config) { c.Limits.UserWildcards = 3 })}
	t.Cleanup(func() { small.bus.Close() })
	small.join(2)
	events := small.watch()
	a.bound(kbus.Replier, "$.A.*", "$.B.*", "$.C.*", "$.D.*", "$.Exact") // and a wildcard is bound for the Limpet itself
	events.event(true, "$.Exact")
	if err := small.bound(kbus.Listener, "$.Here").Bind(h.Context(), "$.Here", kbus.Replier); err != nil { // which the member has to allow
		t.Error(err)
	}
}

// Who was bound before the bus was joined keeps the name, unless another member has it.
func TestRepliersBeforeUs(t *testing.T) {
	h := newCluster(t)
	a := h.member(1)
	a.bound(kbus.Replier, "$.Taken")
	b := &node{cluster: h, bus: kbus.NewBus()}
	t.Cleanup(func() { b.bus.Close() })
	k := b.bound(kbus.Replier, "$.Taken", "$.Free")
	events := a.watch()
	gone := b.watch()
	b.join(2)
	events.event(true, "$.Free")
	gone.event(false, "$.Taken")
	if err := k.Unbind(h.Context(), "$.Taken", kbus.Replier); !errors.Is(err, kbus.ErrNotBound) {
		t.Errorf("still bound: %v", err)
	}
}

// When a member leaves, what it held is free at once, and who waited for it is told.
func TestLeaving(t *testing.T) {
	h := newCluster(t)
	a, b := h.member(1), h.member(2)
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
	must(t, a.open().Bind(h.Context(), "$.Q", kbus.Replier))
	b.join(2)
	if err := b.open().Bind(h.Context(), "$.Q", kbus.Replier); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("taken meanwhile: %v", err)
	}
}

// Without NATS nobody can become a Replier, and whoever asks is told.
func TestNoQuorum(t *testing.T) {
	h := newCluster(t)
	a := h.member(1)
	h.end()
	if err := a.open().Bind(h.Context(), "$.Q", kbus.Replier); !errors.Is(err, syscall.EHOSTUNREACH) {
		t.Errorf("bound: %v", err)
	}
}

func TestStatus(t *testing.T) {
	h := newCluster(t)
	a := h.member(1)
	h.member(2).bound(kbus.Replier, "$.Q")
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
	t.Parallel() // it waits for a lease to run out
	h := newCluster(t)
	lax := func(c *Config) { c.Available = true }
	nodes := []*node{h.member(1, lax), h.member(2, lax)}
	lost := make(chan int)
	h.end()
	var repliers []*kbus.Ksock
	for i, g := range nodes {
		listener := g.watch()
		repliers = append(repliers, g.bound(kbus.Replier, "$.Alone"))
		go func() {
			for m, err := range listener.k.Messages(t.Context()) {
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
	if owner, err := winner.File().Replier(h.Context(), "$.Alone"); err != nil || owner != winner.ID() {
		t.Errorf("bowl %d lost the name, and so did the other: its Replier is %d, %v", loser+1, owner, err)
	}
}

// A bind that waits when its session ends is refused, and does not wait for ever.
func TestBindsOfAnEndedSession(t *testing.T) {
	bus := kbus.NewBus()
	defer bus.Close()
	open := func(context.Context) (*kbus.Ksock, error) { return bus.Open(t.Context()) }
	m := &Member{Config: Config{ID: 1, Names: []string{"$.*"}, Open: open}}
	a, err := m.newAdmission(t.Context())
	must(t, err)
	ctx, end := context.WithCancel(t.Context())
	c := claims.New(ctx, claims.Config{Admission: a, InTouch: func() bool { return false }})
	a.vouch()
	a.admit(c)
	k, err := bus.Open(ctx)
	must(t, err)
	result := make(chan error)
	go func() { result <- k.Bind(ctx, "$.Q", kbus.Replier) }()
	bind, err := a.federator.Next(t.Context())
	must(t, err)
	c.Bind(bind)
	end()
	must(t, a.dismiss())
	c.Drain()
	if err := <-result; !errors.Is(err, kbus.ErrNoFederation) {
		t.Errorf("bound: %v", err)
	}
}

// A bind whose decision is on its way when the member ends is not left waiting: the closing of the admission's Ksock decides it.
func TestBindsOfAMemberThatEnds(t *testing.T) {
	bus := kbus.NewBus()
	defer bus.Close()
	open := func(context.Context) (*kbus.Ksock, error) { return bus.Open(t.Context()) }
	for _, available := range []bool{false, true} {
		m := &Member{Config: Config{ID: 1, Names: []string{"$.*"}, Available: available, Open: open}}
		ctx, end := context.WithCancel(t.Context())
		a, err := m.newAdmission(ctx)
		must(t, err)
		k, err := bus.Open(t.Context())
		must(t, err)
		result := make(chan error)
		go func() { result <- k.Bind(t.Context(), "$.Q", kbus.Replier) }()
		bind, err := a.federator.Next(t.Context())
		must(t, err)
		end()
		if err := a.Allow(nil, bind); !errors.Is(err, context.Canceled) {
			t.Errorf("decided under a context that has ended: %v", err)
		}
		must(t, a.ksock.Close())
		if err := <-result; !errors.Is(err, kbus.ErrNoFederation) {
			t.Errorf("available %v, bound: %v", available, err)
		}
		must(t, k.Close())
	}
}
