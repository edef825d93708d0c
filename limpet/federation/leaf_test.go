package federation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/parts"
)

// A hub with JetStream, and leaf nodes of it. A member at a leaf node reaches the hub through a link that neither its own
// server's limits nor its own connection tell anything of.

// tree is such servers. The urls are those of the hub and of the leaf nodes.
type tree struct {
	*cluster
	hub      *server.Server
	leafPort int
	urls     []string
	ended    atomic.Int32  // links between them that have ended
	linked   chan struct{} // one for each that the hub has
}

// newTree makes one whose hub takes messages of that length. With a domain the leaf nodes know nothing of the hub's
// JetStream, as they come; without one all servers give requests for JetStream to the hub. The domain - is none either, and
// they do not.
func newTree(t *testing.T, leaves int, most int32, domain string) *tree {
	t.Helper()
	tr := &tree{cluster: &cluster{T: t}, linked: make(chan struct{}, 100)}
	named := strings.TrimPrefix(domain, "-")
	o := &server.Options{ServerName: "hub", MaxPayload: most, JetStream: true, StoreDir: t.TempDir(), JetStreamDomain: named,
		SyncAlways: true}
	o.LeafNode.Host, o.LeafNode.Port = "127.0.0.1", server.RANDOM_PORT
	tr.hub = tr.serve(o, domain)
	tr.leafPort = o.LeafNode.Port
	at, err := url.Parse("nats://127.0.0.1:" + strconv.Itoa(o.LeafNode.Port))
	must(t, err)
	tr.hub.SetLoggerV2(ends{tr}, false, false, false)
	for i := range leaves {
		o := &server.Options{ServerName: fmt.Sprintf("leaf%d", i+1)}
		o.LeafNode.ReconnectInterval = 50 * time.Millisecond
		o.LeafNode.Remotes = []*server.RemoteLeafOpts{{URLs: []*url.URL{at}}}
		tr.serve(o, domain)
	}
	return tr
}

func (tr *tree) serve(o *server.Options, domain string) *server.Server {
	tr.Helper()
	o.Host, o.Port, o.NoSigs, o.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
	if domain == "" {
		o.JsAccDefaultDomain = map[string]string{server.DEFAULT_GLOBAL_ACCOUNT: ""}
	}
	s, err := server.NewServer(o)
	must(tr, err)
	s.Start()
	tr.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		tr.Fatal("a NATS server does not start")
	}
	for range o.LeafNode.Remotes {
		select {
		case <-tr.linked:
		case <-time.After(patience):
			tr.Fatal("a leaf node does not reach its hub")
		}
	}
	tr.urls = append(tr.urls, s.ClientURL())
	return s
}

const patience = 30 * time.Second

// ends counts what the hub complains of: messages that were too long for it, and each ends a link. And it hears of new ones.
type ends struct{ *tree }

func (e ends) Errorf(format string, v ...any) {
	if strings.Contains(fmt.Sprintf(format, v...), "maximum payload") {
		e.ended.Add(1)
	}
}
func (e ends) Noticef(format string, v ...any) {
	if strings.Contains(fmt.Sprintf(format, v...), "Leafnode connection created") {
		e.linked <- struct{}{}
	}
}
func (ends) Warnf(string, ...any)  {}
func (ends) Fatalf(string, ...any) {}
func (ends) Debugf(string, ...any) {}
func (ends) Tracef(string, ...any) {}

// island is a leaf node with a JetStream of its own.
func (tr *tree) island() {
	tr.Helper()
	o := &server.Options{ServerName: "island", JetStream: true, JetStreamDomain: "island", StoreDir: tr.TempDir()}
	at, err := url.Parse("nats://127.0.0.1:" + strconv.Itoa(tr.leafPort))
	must(tr, err)
	o.LeafNode.Remotes = []*server.RemoteLeafOpts{{URLs: []*url.URL{at}}}
	tr.serve(o, "island")
}

// memberAt joins a bus at the hub, 0, or at a leaf node.
func (tr *tree) memberAt(server int, id uint32, change ...func(*Config)) *node {
	tr.Helper()
	tr.url = tr.urls[server]
	return tr.member(id, change...)
}

// What a hub does not take in one piece passes all the same: announcements, Requests and Replies, in both directions and
// between leaf nodes, in the order of their sender with what is short; and no link ends because of it.
func TestLongThroughNarrowHub(t *testing.T) {
	tr := newTree(t, 2, 64<<10, "")
	a, b, c := tr.memberAt(1, 1), tr.memberAt(0, 2), tr.memberAt(2, 3)
	nodes := []*node{a, b, c}
	const long = 300_000
	for i, from := range nodes {
		for j, to := range nodes {
			if i == j {
				continue
			}
			name := fmt.Sprintf("$.From%d.To%d", i, j)
			events := from.watch()
			replier := to.bound(kbus.Replier, name)
			go replier.Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
				return m.Reply(bytes.ToUpper(m.Data))
			})
			events.event(true, name)
			question := bytes.Repeat([]byte{'a' + byte(i)}, long)
			reply, err := from.open().Call(t.Context(), kbus.Request(name, question))
			must(t, err)
			if !bytes.Equal(reply.Data, bytes.ToUpper(question)) {
				t.Fatalf("%s: %d bytes", name, len(reply.Data))
			}
		}
		var listeners []*kbus.Ksock
		for _, g := range nodes {
			listeners = append(listeners, g.bound(kbus.Listener, "$.Row"))
		}
		sender := from.open()
		lengths := []int{3, long, 5, parts.Most, parts.Most - 200, 2 * parts.Most, 7, long / 2, 1}
		for _, n := range lengths {
			_, err := sender.Send(t.Context(), kbus.Announcement("$.Row", bytes.Repeat([]byte{byte(i)}, n)))
			must(t, err)
		}
		for j, listener := range listeners {
			for k, n := range lengths {
				if m := receive(t, listener); len(m.Data) != n || bytes.Count(m.Data, []byte{byte(i)}) != n {
					t.Fatalf("from %d to %d, message %d: %d bytes, not %d", i, j, k, len(m.Data), n)
				}
			}
			must(t, listener.Close())
		}
	}
	if n := tr.ended.Load(); n != 0 {
		t.Errorf("%d links have ended", n)
	}
}

// A message that no bus beyond takes is answered with what fits, or counted as lost where it was missed, and nowhere else.
func TestTooLongBeyond(t *testing.T) {
	h := newCluster(t)
	a, b, c := h.member(1), h.member(2), h.member(3)
	events := a.watch()
	replier := b.bound(kbus.Replier, "$.Q")
	events.event(true, "$.Q")
	limiter := b.open()
	_, err := limiter.Settings().SetMaxMessageBytes(h.Context(), 10_000)
	must(t, err)
	asker := a.open()
	m, err := asker.Call(t.Context(), kbus.Request("$.Q", make([]byte, 100_000)))
	if !errors.Is(err, syscall.EMSGSIZE) || !strings.Contains(err.Error(), "100000 bytes") || !strings.Contains(err.Error(), "10000") {
		t.Errorf("%v, %v", m, err)
	}
	lost, deaf := b.bound(kbus.Listener, lostName, "$.News"), c.bound(kbus.Listener, lostName, "$.News")
	for _, n := range []int{1, 100_000, 2} {
		_, err := asker.Send(t.Context(), kbus.Announcement("$.News", make([]byte, n)))
		must(t, err)
	}
	for _, n := range []int{1, 100_000, 2} {
		if m := receive(t, deaf); len(m.Data) != n {
			t.Errorf("%v", m)
		}
	}
	reported := false
	for short := 0; short < 2 || !reported; {
		m := receive(t, lost)
		switch {
		case m.Name == lostName:
			reported = true
			if want := `{"bowl":1,"lost":1,"total":1}`; string(m.Data) != want {
				t.Errorf("%s, want %s", m.Data, want)
			}
		case len(m.Data) < 3:
			short++
		}
	}
	// And a Reply that its asker's bus does not take.
	_, err = limiter.Settings().SetMaxMessageBytes(h.Context(), 200_000)
	must(t, err)
	go replier.Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return m.Reply(make([]byte, 100_000))
	})
	_, err = a.open().Settings().SetMaxMessageBytes(h.Context(), 10_000)
	must(t, err)
	if m, err := asker.Call(t.Context(), kbus.Request("$.Q", "short")); !errors.Is(err, syscall.EMSGSIZE) || !strings.Contains(err.Error(), "10000") {
		t.Errorf("%v, %v", m, err)
	}
	if m, _ := deaf.Next(h.Context()); m != nil {
		t.Errorf("bowl 3 hears %v", m)
	}
}

// Two leaf nodes as they come, of a hub whose JetStream has a name: members at them and at the hub join, whether they are
// told it or not, and are one federation.
func TestPlainLeafNodes(t *testing.T) {
	tr := newTree(t, 2, 1<<20, "hub")
	inHub := func(c *Config) { c.Domain = "hub" }
	nodes := []*node{tr.memberAt(1, 1), tr.memberAt(2, 2, inHub), tr.memberAt(0, 3), tr.memberAt(0, 4, inHub)}
	for i, at := range nodes {
		name := fmt.Sprintf("$.N%d", i)
		var events []*watch
		for _, g := range nodes {
			events = append(events, g.watch())
		}
		replier := at.bound(kbus.Replier, name)
		go replier.Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			return m.Reply([]byte(name))
		})
		for j, g := range nodes {
			if j == i {
				continue
			}
			events[j].event(true, name)
			reply, err := g.open().Call(t.Context(), kbus.Request(name, ""))
			must(t, err)
			if string(reply.Data) != name {
				t.Errorf("%v", reply)
			}
			if err := g.open().Bind(t.Context(), name, kbus.Replier); !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("bowl %d binds to a name of bowl %d: %v", j+1, i+1, err)
			}
		}
		must(t, replier.Close())
		for j, e := range events {
			if j != i {
				e.event(false, name)
			}
		}
	}
	must(t, nodes[0].stop())
	nodes[0].join(1) // its lease was handed back over there
}

// A leaf node that knows the name of the hub's JetStream itself: nothing is to be said to the member.
func TestLeafNodeThatKnows(t *testing.T) {
	tr := newTree(t, 0, 1<<20, "hub")
	o := &server.Options{ServerName: "leaf", JsAccDefaultDomain: map[string]string{server.DEFAULT_GLOBAL_ACCOUNT: "hub"}}
	at, err := url.Parse("nats://127.0.0.1:" + strconv.Itoa(tr.leafPort))
	must(t, err)
	o.LeafNode.Remotes = []*server.RemoteLeafOpts{{URLs: []*url.URL{at}}}
	tr.serve(o, "hub")
	a, b := tr.memberAt(1, 1), tr.memberAt(0, 2)
	events := a.watch()
	b.bound(kbus.Replier, "$.Q")
	events.event(true, "$.Q")
}

// At a leaf node of a hub whose JetStream has no name, or another one, or where there are two, a member says what is
// missing, and goes on trying.
func TestLeafNodeWithoutDomain(t *testing.T) {
	named, nameless, two := newTree(t, 1, 1<<20, "hub"), newTree(t, 1, 1<<20, "-"), newTree(t, 1, 1<<20, "hub")
	two.island()
	for _, c := range []struct {
		tr            *tree
		domain, words string
	}{
		{named, "huub", "there is no JetStream in the domain huub"}, {nameless, "", "that of hub"}, {two, "", "hub, island"},
	} {
		tr := c.tr
		nc, err := nats.Connect(tr.urls[1])
		must(t, err)
		defer nc.Close()
		logged := make(chan string, 100)
		b, err := New(nc, Config{
			ID: 1, Federation: "test", Names: []string{"$.*"}, Replicas: 1, Domain: c.domain, Log: slog.New(sends(logged)),
			Open: func(context.Context) (*kbus.Ksock, error) {
				return (&node{cluster: tr.cluster, bus: kbus.NewBus()}).bus.Open(tr.Context())
			},
		}, func() { logged <- "joined" })
		must(t, err)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- b.Run(ctx) }()
		for line := range logged {
			if line == "joined" {
				t.Fatalf("a member in the domain %q has joined", c.domain)
			}
			if strings.Contains(line, c.words) || strings.Contains(line, "island, hub") && c.tr == two {
				break
			}
		}
		stop()
		must(t, <-ended)
	}
}

// sends is a log that a channel gets.
type sends chan string

func (sends) Enabled(context.Context, slog.Level) bool { return true }
func (s sends) WithAttrs([]slog.Attr) slog.Handler     { return s }
func (s sends) WithGroup(string) slog.Handler          { return s }
func (s sends) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.Value.String(); return true })
	s <- line
	return nil
}

// A leaf node with a JetStream of its own: who forgets the name of the hub's has a directory of its own there, and both
// sides say so when they hear each other.
func TestTwoDirectories(t *testing.T) {
	t.Parallel() // it waits until the members miss each other
	tr := newTree(t, 1, 1<<20, "hub")
	tr.island()
	var warned []sends
	var nodes []*node
	for i, server := range []int{0, 2} {
		warned = append(warned, make(sends, 1000))
		nodes = append(nodes, tr.memberAt(server, uint32(i+1), func(c *Config) { c.Log = slog.New(warned[i]) }))
	}
	stop := make(chan struct{})
	var talk sync.WaitGroup
	defer talk.Wait()
	defer close(stop)
	for _, g := range nodes {
		talk.Go(func() {
			for k, beat := g.open(), time.NewTicker(100*time.Millisecond); ; {
				select {
				case <-stop:
					beat.Stop()
					return
				case <-beat.C:
					_, _ = k.Send(t.Context(), kbus.Announcement("$.Here", ""))
				}
			}
		})
	}
	for _, w := range warned {
		for line := range w {
			if strings.Contains(line, "is not in its directory") {
				break
			}
		}
	}
}
