package federation

import (
	"context"
	"log/slog"
	"runtime"
	"testing"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/server"
)

// The members of these tests are buses in this process, and talk over a real NATS server, in this process too.

type cluster struct {
	*testing.T
	url, address, store string
	end                 func()
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	h := &cluster{T: t, address: "127.0.0.1:0", store: t.TempDir()}
	h.start()
	return h
}

// start starts the server, the second time where it was before.
func (h *cluster) start() {
	h.Helper()
	s, err := server.Start(server.Config{
		Name: "cluster", Listen: h.address, Store: h.store, Log: slog.New(slog.NewTextHandler(h.Output(), nil)),
	})
	if err != nil {
		h.Fatal(err)
	}
	h.end = func() { s.Shutdown(); s.WaitForShutdown() }
	h.Cleanup(h.end)
	h.url, h.address = s.ClientURL(), s.Addr().String()
}

type node struct {
	cluster *cluster
	bus     *kbus.Bus
	ready   chan struct{} // when it has joined again
	stop    func() error
}

// member joins a new bus, and returns when it has been joined.
func (h *cluster) member(id uint32, change ...func(*Config)) *node {
	h.Helper()
	g := &node{cluster: h, bus: kbus.NewBus()}
	h.Cleanup(func() { g.bus.Close() })
	g.join(id, change...)
	return g
}

func (g *node) join(id uint32, change ...func(*Config)) {
	h := g.cluster
	h.Helper()
	nc, err := nats.Connect(h.url, nats.NoEcho(), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1))
	if err != nil {
		h.Fatal(err)
	}
	c := Config{
		ID: id, Federation: "test", Names: []string{"$.*"}, Replicas: 1, Where: "here",
		Log:  slog.New(slog.NewTextHandler(h.Output(), nil)),
		Open: func(context.Context) (*kbus.Ksock, error) { return g.bus.Open(h.Context(), kbus.ReadAhead(64)) },
	}
	for _, f := range change {
		f(&c)
	}
	ready := make(chan struct{}, 1)
	g.ready = ready
	b, err := New(nc, c, func() { ready <- struct{}{} })
	if err != nil {
		h.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	stopped := false
	g.stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		err := <-ended
		nc.Close()
		return err
	}
	h.Cleanup(func() { _ = g.stop() })
	select {
	case <-ready:
	case err := <-ended:
		h.Fatalf("bowl %d: %v", id, err)
	}
}

func (g *node) open() *kbus.Ksock {
	g.cluster.Helper()
	k, err := g.bus.Open(context.Background())
	if err != nil {
		g.cluster.Fatal(err)
	}
	g.cluster.Cleanup(func() { runtime.KeepAlive(k) }) // one that is dropped is closed
	return k
}

func (g *node) bound(as kbus.Role, names ...string) *kbus.Ksock {
	g.cluster.Helper()
	k := g.open()
	for _, name := range names {
		if err := k.Bind(context.Background(), name, as); err != nil {
			g.cluster.Fatal(err)
		}
	}
	return k
}

// watch hears of Repliers on the bus; event waits for one.
type watch struct {
	*node
	k *kbus.Ksock
}

func (g *node) watch() *watch { return &watch{g, g.bound(kbus.Listener, kbus.NameReplierBindEvent)} }

func (w *watch) event(bind bool, name string) {
	w.cluster.Helper()
	for m, err := range w.k.Messages(w.cluster.Context()) {
		if err != nil {
			w.cluster.Fatal(err)
		}
		if e, ok := kbus.ParseBindEvent(m.Data); ok && e.Bind == bind && e.Name == name {
			return
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, k *kbus.Ksock) *kbus.Message {
	t.Helper()
	m, err := k.Receive(t.Context())
	must(t, err)
	return m
}
