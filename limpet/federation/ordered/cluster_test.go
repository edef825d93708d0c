package ordered

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/report"
	"kbus.example/kbus/limpet/federation/server"
	"kbus.example/kbus/limpet/federation/store"
	"kbus.example/kbus/limpet/federation/subject"
	"kbus.example/kbus/message"
)

// The members of these tests are pairs of buses in this process, and talk over a real NATS server, in this process too.

type cluster struct {
	*testing.T
	url, address, dir string
	nc                *nats.Conn
	log               *slog.Logger
	end               func() // of the server
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	h := &cluster{T: t, address: "127.0.0.1:0", dir: t.TempDir(), log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	h.start()
	h.nc = h.connect()
	t.Cleanup(h.nc.Close)
	return h
}

// start starts the server, the second time where it was before.
func (h *cluster) start() {
	h.Helper()
	s, err := server.Start(server.Config{Name: "cluster", Listen: h.address, Store: h.dir, Log: h.log})
	must(h.T, err)
	h.end = func() { s.Shutdown(); s.WaitForShutdown() }
	h.Cleanup(h.end)
	h.url, h.address = s.ClientURL(), s.Addr().String()
}

func (h *cluster) connect() *nats.Conn {
	h.Helper()
	nc, err := nats.Connect(h.url, nats.NoEcho(), nats.ReconnectBufSize(-1), nats.MaxReconnects(-1),
		nats.ReconnectWait(100*time.Millisecond))
	must(h.T, err)
	return nc
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// node is a member: its buses, and what runs on them.
type node struct {
	*cluster
	id         uint32
	in, out    *kbus.Bus
	checkpoint string
	conn       *nats.Conn // for the next that begins, if not nil
	cancel     func()
	ended      chan error
}

// node makes the buses of a member.
func (h *cluster) node(id uint32) *node {
	h.Helper()
	g := &node{cluster: h, id: id, in: kbus.NewBus(), out: kbus.NewBus(), checkpoint: filepath.Join(h.TempDir(), "place")}
	in := g.in // a test may run it on another's, which is not its own to close
	h.Cleanup(func() { g.stop(); in.Close(); g.out.Close() })
	return g
}

// member is one that has joined.
func (h *cluster) member(id uint32) *node {
	h.Helper()
	g := h.node(id)
	g.join()
	return g
}

// begin runs a member on the buses, and tells when it has joined.
func (g *node) begin(change ...func(*Config)) (ready <-chan struct{}) {
	g.Helper()
	c := Config{
		ID: g.id, Federation: "test", Names: []string{"$.*"}, Replicas: 1, Where: fmt.Sprintf("%p", g.in), Checkpoint: g.checkpoint,
		Log:    g.log.With("bowl", g.id),
		Inlet:  func(context.Context) (*kbus.Ksock, error) { return g.in.Open(g.Context()) },
		Outlet: func(context.Context) (*kbus.Ksock, error) { return g.out.Open(g.Context()) },
	}
	for _, f := range change {
		f(&c)
	}
	joined := make(chan struct{}, 1)
	nc := g.conn
	if nc == nil {
		nc = g.connect()
	}
	b, err := New(nc, c, func() { joined <- struct{}{} })
	must(g.T, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	g.cancel, g.ended = cancel, ended
	go func() {
		err := b.Run(ctx)
		nc.Close()
		ended <- err
	}()
	return joined
}

func (g *node) join(change ...func(*Config)) {
	g.Helper()
	select {
	case <-g.begin(change...):
	case err := <-g.ended:
		g.Fatalf("bowl %d: %v", g.id, err)
	}
}

// stop ends what runs, if anything does. To the outlet it is as a kill would be: there is no last word.
func (g *node) stop() {
	if g.cancel == nil {
		return
	}
	g.cancel()
	if err := <-g.ended; !errors.Is(err, context.Canceled) {
		g.Errorf("bowl %d: %v", g.id, err)
	}
	g.cancel = nil
}

// endsWith is what it ends with by itself.
func (g *node) endsWith() error {
	g.Helper()
	err := <-g.ended
	g.cancel = nil
	return err
}

func ksock(t testing.TB, b *kbus.Bus) *kbus.Ksock {
	t.Helper()
	k, err := b.Open(t.Context())
	must(t, err)
	t.Cleanup(func() { runtime.KeepAlive(k) }) // one that is dropped is closed
	return k
}

// listener listens on the outlet.
func (g *node) listener(names ...string) *kbus.Ksock {
	g.Helper()
	k := ksock(g, g.out)
	_, err := k.Queue().SetLimit(g.Context(), 10_000)
	must(g.T, err)
	for _, name := range names {
		must(g.T, k.Bind(g.Context(), name, kbus.Listener))
	}
	return k
}

// order has the stream take messages, and returns when they are there.
func (g *node) order(name string, texts ...string) {
	g.Helper()
	k := ksock(g, g.in)
	defer k.Close()
	for _, text := range texts {
		_, err := k.Call(g.Context(), kbus.Request(name, text))
		must(g.T, err)
	}
}

// receives takes the next messages, which must be these.
func receives(t *testing.T, k *kbus.Ksock, texts ...string) (got []*kbus.Message) {
	t.Helper()
	for _, want := range texts {
		m, err := k.Receive(t.Context())
		must(t, err)
		if string(m.Data) != want {
			t.Fatalf("instead of %q: %v", want, m)
		}
		got = append(got, m)
	}
	return got
}

// nothing checks that there is no more in the queue.
func nothing(t *testing.T, k *kbus.Ksock) {
	t.Helper()
	if m, err := k.Next(t.Context()); m != nil || err != nil {
		t.Errorf("and then %v, %v", m, err)
	}
}

// stream opens the stream of the hall, and makes it with such limits if need be.
func (h *cluster) stream(maxBytes int64) *store.Stream {
	h.Helper()
	space, err := subject.New("test")
	must(h.T, err)
	log, err := store.OpenStream(h.Context(), store.NATS{Conn: h.nc}, StreamName("test"), space.Order(), space.Changes("order"), 1, keep, maxBytes)
	must(h.T, err)
	return log
}

// entry is one of the stream, as a member would have made it.
type entry struct {
	*cluster
	bytes  []byte
	member uint32
	epoch  uint64
	count  uint64
}

func (h *cluster) entry(member uint32, epoch, count uint64) *entry {
	return &entry{cluster: h, member: member, epoch: epoch, count: count}
}

// add adds a message, with the serial number and the incarnation of the bus where it was said.
func (e *entry) add(text string, serial, incarnation uint32, change ...func(*envelope.Envelope)) *entry {
	v := envelope.Envelope{Kind: envelope.Broadcast, Member: e.member, Epoch: e.epoch, Count: e.count, Message: message.Message{
		Header: message.Header{ID: kbus.ID{Network: e.member, Serial: serial}, Extra: incarnation},
		Name:   "$.A", Data: []byte(text),
	}}
	e.count++
	for _, f := range change {
		f(&v)
	}
	e.bytes = appendEnvelope(e.bytes, &v)
	return e
}

var stored int

// store puts it into the stream, and gives its number.
func (e *entry) store(log *store.Stream) uint64 {
	e.Helper()
	stored++
	n, err := log.Append(e.Context(), key(e.member), e.bytes, fmt.Sprint("test ", stored))
	must(e.T, err)
	return n
}

// status asks on one of a member's buses, as soon as there is somebody to ask.
func status(t *testing.T, bus *kbus.Bus) report.Status {
	t.Helper()
	k := ksock(t, bus)
	defer k.Close()
	for id, err := kbus.KsockID(0), error(nil); id == 0; { // of just that name: the inlet takes all others
		id, err = k.File().Replier(t.Context(), report.Name)
		must(t, err)
	}
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	s, _, err := report.Ask(ctx, k)
	must(t, err)
	return s
}

// logLines is a log that can be waited for.
type logLines struct{ lines chan string }

func (s *logLines) handler() slog.Handler {
	s.lines = make(chan string, 1000)
	return slog.NewTextHandler(s, nil)
}

func (s *logLines) Write(line []byte) (int, error) {
	s.lines <- string(line)
	return len(line), nil
}

func (s *logLines) await(words string) {
	for line := range s.lines {
		if strings.Contains(line, words) {
			return
		}
	}
}
