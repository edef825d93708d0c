package limpet

import (
	"errors"
	"testing"

	"kbus.example/kbus"
)

// chain is the goldfish pictures' A - K0 - L1:L2 - K3 - L3:L4 - K5 - B: two fish in bowls that have a third between them.
type chain struct {
	*world
	t         *testing.T
	a, b      *kbus.Ksock
	listeners [3]*kbus.Ksock
}

func newChain(t *testing.T) *chain {
	w := &world{verbose: true}
	for i := range 3 {
		n := &node{number: i, queue: 100}
		w.nodes = append(w.nodes, n)
		w.openBus(n)
	}
	for i, n := range w.nodes[:2] {
		e := &edge{}
		e.ends[0] = &end{w: w, node: n, id: uint32(2*i + 1), queue: 100}
		e.ends[1] = &end{w: w, node: w.nodes[i+1], id: uint32(2*i + 2), queue: 100}
		e.ends[0].peer, e.ends[1].peer = e.ends[1], e.ends[0]
		w.edges = append(w.edges, e)
		w.join(e)
	}
	c := &chain{world: w, t: t}
	c.a, c.b = w.nodes[0].drivers[0].k, w.nodes[2].drivers[0].k
	for i, n := range w.nodes {
		c.listeners[i] = n.drivers[1].k
		c.must(c.listeners[i].Bind(t.Context(), "$.Fish.*", kbus.Listener))
	}
	c.flow()
	t.Cleanup(func() {
		w.closeAll()
		if t.Failed() {
			for _, line := range w.trace {
				t.Log(line)
			}
		}
	})
	return c
}

func (c *chain) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// flow moves all messages as far as they go.
func (c *chain) flow() {
	c.t.Helper()
	for range 1000 {
		moved := false
		for _, e := range c.edges {
			for _, end := range e.ends {
				moved = end.fromBus() || moved
				moved = end.fromPair(false) || moved
			}
		}
		if !moved {
			return
		}
	}
	c.t.Fatal("something goes round and round")
}

func (c *chain) send(k *kbus.Ksock, m *kbus.Message) kbus.ID {
	c.t.Helper()
	sent, err := k.Send(ctx, m)
	c.must(err)
	c.flow()
	return sent.ID
}

// next is what the Ksock gets next, as text.
func (c *chain) next(k *kbus.Ksock) *kbus.Message {
	c.t.Helper()
	m, err := k.Next(c.t.Context())
	c.must(err)
	if m == nil {
		c.t.Fatal("there is no message")
	}
	return m
}

func (c *chain) gets(k *kbus.Ksock, want string) *kbus.Message {
	c.t.Helper()
	m := c.next(k)
	if m.String() != want {
		c.t.Fatalf("got  %v\nwant %v", m, want)
	}
	return m
}

func (c *chain) receivesNothing() {
	c.t.Helper()
	for i, listener := range c.listeners {
		if m, err := listener.Next(c.t.Context()); m != nil || err != nil {
			c.t.Errorf("K%d hears %v, %v", i, m, err)
		}
	}
}

// R9.40 to R9.42: the ids of a Request, its Reply and a stateful Request, on each bus that they cross.
func TestGoldfish(t *testing.T) {
	c := newChain(t)
	c.must(c.b.Bind(t.Context(), "$.Fish.Name", kbus.Replier))
	c.flow()
	c.send(c.a, kbus.Announcement("$.Fish.Swims", "round"))
	for i, want := range []string{
		"<Announcement '$.Fish.Swims', id=[0:2], from=1, data='round'>",
		"<Announcement '$.Fish.Swims', id=[1:2], from=4, orig_from=(1,1), data='round'>",
		"<Announcement '$.Fish.Swims', id=[1:2], from=4, orig_from=(1,1), data='round'>",
	} {
		c.gets(c.listeners[i], want)
	}
	c.receivesNothing()

	c.send(c.a, kbus.Request("$.Fish.Name", "?"))
	c.gets(c.listeners[0], "<Request '$.Fish.Name', id=[0:3], from=1, flags=0x1 (REQ), data='?'>")
	c.gets(c.listeners[1], "<Request '$.Fish.Name', id=[1:3], from=4, orig_from=(1,1), flags=0x1 (REQ), data='?'>")
	c.gets(c.listeners[2], "<Request '$.Fish.Name', id=[1:3], from=4, orig_from=(1,1), flags=0x1 (REQ), data='?'>")
	asked := c.gets(c.b, "<Request '$.Fish.Name', id=[1:3], from=4, orig_from=(1,1), flags=0x3 (REQ,YOU), data='?'>")
	reply, err := asked.Reply([]byte("Bubbles"))
	c.must(err)
	c.send(c.b, reply)
	c.gets(c.listeners[2], "<Reply '$.Fish.Name', id=[0:2], to=4, from=1, in_reply_to=[1:3], data='Bubbles'>")
	c.gets(c.listeners[1], "<Reply '$.Fish.Name', id=[0:2], to=4, from=5, orig_from=(4,1), in_reply_to=[1:3], data='Bubbles'>")
	c.gets(c.listeners[0], "<Reply '$.Fish.Name', id=[0:4], to=1, from=4, orig_from=(4,1), in_reply_to=[0:3], data='Bubbles'>")
	answer := c.gets(c.a, "<Reply '$.Fish.Name', id=[0:4], to=1, from=4, orig_from=(4,1), in_reply_to=[0:3], data='Bubbles'>")
	c.receivesNothing()

	again, err := answer.StatefulRequest("$.Fish.Name", []byte("and yet?"))
	c.must(err)
	c.send(c.a, again)
	c.gets(c.b, "<Request '$.Fish.Name', id=[1:5], to=1, from=4, orig_from=(1,1), final_to=(0,1), flags=0x3 (REQ,YOU), data='and yet?'>")
	c.must(c.b.Unbind(t.Context(), "$.Fish.Name", kbus.Replier)) // which leaves the Request that it has read
	c.must(c.listeners[2].Bind(t.Context(), "$.Fish.Name", kbus.Replier))
	c.flow()
	again, err = answer.StatefulRequest("$.Fish.Name", []byte("still?"))
	c.must(err)
	c.send(c.a, again)
	if m := c.next(c.a); !errors.Is(kbus.StatusOf(m), kbus.ErrNotSameKsock) || m.InReplyTo != (kbus.ID{Serial: 8}) {
		t.Errorf("a Replier that is another by now: %v", m)
	}
}

// R9.33: the Replier goes while a stateful Request is on its way.
func TestStatefulReplierGone(t *testing.T) {
	c := newChain(t)
	c.must(c.b.Bind(t.Context(), "$.Fish.Name", kbus.Replier))
	c.flow()
	c.send(c.a, kbus.Request("$.Fish.Name", "?"))
	reply, err := c.next(c.b).Reply([]byte("Bubbles"))
	c.must(err)
	c.send(c.b, reply)
	again, err := c.next(c.a).StatefulRequest("$.Fish.Name", []byte("and yet?"))
	c.must(err)
	_, err = c.a.Send(ctx, again)
	c.must(err)
	for c.edges[0].ends[0].fromBus() { // it is on the link, and then
	}
	c.must(c.b.Unbind(t.Context(), "$.Fish.Name", kbus.Replier))
	c.flow()
	if m := c.next(c.a); !errors.Is(kbus.StatusOf(m), kbus.ErrGoneAway) {
		t.Errorf("%v", m)
	}
}

// B22: stateful Requests reach Repliers that are bound to a wildcard.
func TestStatefulByWildcard(t *testing.T) {
	c := newChain(t)
	c.must(c.b.Bind(t.Context(), "$.Fish.*", kbus.Replier))
	c.flow()
	c.send(c.a, kbus.Request("$.Fish.Name", "?"))
	reply, err := c.next(c.b).Reply([]byte("Bubbles"))
	c.must(err)
	c.send(c.b, reply)
	again, err := c.next(c.a).StatefulRequest("$.Fish.Name", []byte("and yet?"))
	c.must(err)
	c.send(c.a, again)
	if m := c.next(c.b); !m.WantsUsToReply() || string(m.Data) != "and yet?" {
		t.Errorf("%v", m)
	}
}

// Original Limpets know nothing of copies, so buses in a ring are a mistake that nobody can see beforehand. What is said
// there is heard several times, but it comes to an end; a Request has one answer; and a Limpet sees that something is
// wrong.
func TestRingOfOriginals(t *testing.T) {
	c := newChain(t)
	c.plain = true
	c.link(c.nodes[2], c.nodes[0], 100)
	c.must(c.b.Bind(t.Context(), "$.Fish.Name", kbus.Replier))
	c.flow()
	c.send(c.a, kbus.Announcement("$.Fish.Swims", "round"))
	for i, listener := range c.listeners {
		if copies := c.copies(listener); copies == 0 || copies > 3 {
			t.Errorf("K%d hears it %d times", i, copies)
		}
	}
	c.asksOnce()
	returned := uint64(0)
	for _, e := range c.edges {
		for _, end := range e.ends {
			returned += end.machine.Figures().Returned
		}
	}
	if returned == 0 {
		t.Error("nobody has noticed")
	}
}

// copies counts what a Ksock has still to read.
func (c *chain) copies(k *kbus.Ksock) (n int) {
	c.t.Helper()
	for m, err := k.Next(c.t.Context()); m != nil; m, err = k.Next(c.t.Context()) {
		c.must(err)
		n++
	}
	return n
}

// asksOnce has A ask B, who is asked once, and answer once.
func (c *chain) asksOnce() {
	c.t.Helper()
	c.send(c.a, kbus.Request("$.Fish.Name", "?"))
	reply, err := c.next(c.b).Reply([]byte("Bubbles"))
	c.must(err)
	c.send(c.b, reply)
	if m := c.next(c.a); string(m.Data) != "Bubbles" {
		c.t.Errorf("%v", m)
	}
	for _, k := range []*kbus.Ksock{c.a, c.b} {
		if m, err := k.Next(c.t.Context()); m != nil || err != nil {
			c.t.Errorf("and then %v, %v", m, err)
		}
	}
}

// In a ring, with two of the buses joined twice, each Listener hears each message once, also the Requests, and the
// messages of a bus that has started anew and counts from 1 again. When the Replier goes, so do all its proxies.
func TestRing(t *testing.T) {
	c := newChain(t)
	c.edges, c.plain = nil, false
	for _, n := range c.nodes {
		c.must(n.bus.Close())
		c.openBus(n)
		c.listeners[n.number] = n.drivers[1].k
		c.must(c.listeners[n.number].Bind(t.Context(), "$.Fish.*", kbus.Listener))
	}
	for _, pair := range [][2]int{{0, 1}, {1, 2}, {2, 0}, {0, 1}} {
		c.link(c.nodes[pair[0]], c.nodes[pair[1]], 100)
	}
	c.a, c.b = c.nodes[0].drivers[0].k, c.nodes[2].drivers[0].k
	c.must(c.b.Bind(t.Context(), "$.Fish.Name", kbus.Replier))
	c.flow()
	for range 2 {
		for i, n := range c.nodes {
			c.send(n.drivers[0].k, kbus.Announcement("$.Fish.Swims", "round"))
			for j, listener := range c.listeners {
				if copies := c.copies(listener); copies != 1 {
					t.Errorf("said on K%d, K%d hears it %d times", i, j, copies)
				}
			}
		}
		c.asksOnce()
		for j, listener := range c.listeners {
			requests := 0
			for m, err := listener.Next(t.Context()); m != nil; m, err = listener.Next(t.Context()) {
				c.must(err)
				if m.IsRequest() {
					requests++
				}
			}
			if requests != 1 {
				t.Errorf("K%d hears the Request %d times", j, requests)
			}
		}
		c.restart(c.nodes[0])
		for _, e := range c.edges {
			for _, end := range e.ends {
				if end.lost() {
					end.leave("the link is lost")
				}
			}
			c.join(e)
		}
		c.flow()
		c.a = c.nodes[0].drivers[0].k
		c.listeners[0] = c.nodes[0].drivers[1].k
		c.must(c.listeners[0].Bind(t.Context(), "$.Fish.*", kbus.Listener))
		for _, listener := range c.listeners {
			c.copies(listener)
		}
	}
	c.must(c.b.Unbind(t.Context(), "$.Fish.Name", kbus.Replier))
	c.flow()
	for _, n := range c.nodes {
		if ksock, err := n.listener.k.File().Replier(t.Context(), "$.Fish.Name"); ksock != 0 || err != nil {
			t.Errorf("K%d still has a Replier: %d, %v", n.number, ksock, err)
		}
	}
}

// B24: Requests between two clients of one bus are heard beyond it, and leave no trace in any Limpet.
func TestLocalRequestsLeaveNothing(t *testing.T) {
	c := newChain(t)
	c.must(c.b.Bind(t.Context(), "$.Fish.Name", kbus.Replier))
	c.flow()
	asker := c.nodes[2].drivers[1].k
	for range 200 {
		c.send(asker, kbus.Request("$.Fish.Name", "?"))
		reply, err := c.next(c.b).Reply([]byte("Bubbles"))
		c.must(err)
		c.send(c.b, reply)
		for _, k := range []*kbus.Ksock{c.listeners[0], c.listeners[1], asker} {
			for m := c.next(k); m != nil; m, _ = k.Next(t.Context()) {
			}
		}
	}
	for _, n := range c.nodes {
		list, err := n.listener.k.Observer().List(t.Context())
		c.must(err)
		for _, k := range list {
			if k.OutstandingMost+k.UnrepliedMost > 0 && k.OnlyOnce || k.Outstanding+k.Unreplied > 0 {
				t.Errorf("K%d: %+v", n.number, k)
			}
		}
	}
}
