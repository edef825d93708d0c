package ordered

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"kbus.example/kbus"
)

// violations counts what a server complains of: messages that were too long for it.
type violations struct{ n atomic.Int32 }

func (v *violations) Errorf(format string, args ...any) {
	if strings.Contains(fmt.Sprintf(format, args...), "maximum payload") {
		v.n.Add(1)
	}
}
func (*violations) Noticef(string, ...any) {}
func (*violations) Warnf(string, ...any)   {}
func (*violations) Fatalf(string, ...any)  {}
func (*violations) Debugf(string, ...any)  {}
func (*violations) Tracef(string, ...any)  {}

// A leaf node takes 1 MiB, and its hub, where the stream is, 64 KiB. At the leaf node what might not pass is refused where
// it is sent; everything else passes, many messages at once too, and no link ends.
func TestNarrowHub(t *testing.T) {
	serve := func(o *server.Options) *server.Server {
		o.Host, o.Port, o.NoSigs, o.NoLog = "127.0.0.1", server.RANDOM_PORT, true, true
		s, err := server.NewServer(o)
		must(t, err)
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		if !s.ReadyForConnections(30 * time.Second) {
			t.Fatal("no server")
		}
		return s
	}
	hubOptions := &server.Options{ServerName: "hub", MaxPayload: 64 << 10, JetStream: true, JetStreamDomain: "hub", StoreDir: t.TempDir()}
	hubOptions.LeafNode.Host, hubOptions.LeafNode.Port = "127.0.0.1", server.RANDOM_PORT
	hub := serve(hubOptions)
	var ended violations
	hub.SetLoggerV2(&ended, false, false, false)
	at, err := url.Parse("nats://127.0.0.1:" + strconv.Itoa(hubOptions.LeafNode.Port))
	must(t, err)
	leafOptions := &server.Options{ServerName: "leaf"}
	leafOptions.LeafNode.Remotes = []*server.RemoteLeafOpts{{URLs: []*url.URL{at}}}
	leaf := serve(leafOptions)

	h := newCluster(t)
	connect := func(s *server.Server) *nats.Conn {
		nc, err := nats.Connect(s.ClientURL(), nats.NoEcho(), nats.ReconnectBufSize(-1))
		must(t, err)
		return nc
	}
	a, b := h.node(1), h.node(2)
	a.conn, b.conn = connect(leaf), connect(hub)
	a.join(func(c *Config) { c.Domain = "hub" })
	b.join()
	listeners := []*kbus.Ksock{a.listener("$.A"), b.listener("$.A")}
	for i, fits := range []int{sure, 64 << 10} {
		g := []*node{a, b}[i]
		k := ksock(t, g.in)
		if _, err := k.Send(t.Context(), kbus.Announcement("$.A", strings.Repeat("x", fits))); !errors.Is(err, syscall.EMSGSIZE) {
			t.Fatalf("bowl %d takes %d bytes: %v", i+1, fits, err)
		}
		longest := strings.Repeat("x", fits-headers-300)
		var texts []string
		for n := range queueMessages / 2 {
			texts = append(texts, fmt.Sprintf("%*d", 300, n)) // more than an entry may have, together
		}
		texts = append(texts, longest, "end")
		for _, text := range texts {
			_, err := k.Send(t.Context(), kbus.Announcement("$.A", text))
			must(t, err)
		}
		for _, listener := range listeners {
			receives(t, listener, texts...)
		}
	}
	if n := ended.n.Load(); n != 0 {
		t.Errorf("%d links have ended", n)
	}
}

// What was sent before the way was known is answered, or counted as lost, and nothing waits behind it.
func TestTooLongBefore(t *testing.T) {
	h := newCluster(t)
	b := h.node(2)
	b.conn = h.connect()
	h.end()
	b.begin(func(c *Config) { c.MaxPayload = 8192 })
	status(t, b.in)
	sender, listener := ksock(t, b.in), b.listener("$.A")
	for _, m := range []*kbus.Message{
		kbus.Announcement("$.A", make([]byte, 20_000)), kbus.Request("$.A", make([]byte, 20_000)), kbus.Announcement("$.A", "short"),
	} {
		_, err := sender.Send(t.Context(), m)
		must(t, err)
	}
	h.start()
	m := receiveOne(t, sender)
	if err := kbus.StatusOf(m); !errors.Is(err, syscall.EMSGSIZE) || !strings.Contains(err.Error(), "carries 7060") {
		t.Errorf("%v: %v", m, err)
	}
	receives(t, listener, "short")
	if s := status(t, b.in); s.LostEntries != 1 {
		t.Errorf("%d are counted as lost", s.LostEntries)
	}
}

// The longest message that an inlet takes is ordered.
func TestLongest(t *testing.T) {
	h := newCluster(t)
	b := h.member(2)
	listener, sender := b.listener("$.A"), ksock(t, b.in)
	taken, refused := 0, 1<<20
	for refused-taken > 1 {
		n := (taken + refused) / 2
		switch _, err := sender.Send(t.Context(), kbus.Announcement("$.A", make([]byte, n))); {
		case err == nil:
			taken = n
			if m := receiveOne(t, listener); len(m.Data) != n {
				t.Fatalf("%d bytes were sent, and %v came", n, m)
			}
		case errors.Is(err, syscall.EMSGSIZE):
			refused = n
		default:
			t.Fatal(err)
		}
	}
	if taken == 0 {
		t.Error("no message was taken")
	}
}
