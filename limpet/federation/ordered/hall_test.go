package ordered

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"kbus"
	"kbus/limpet/federation/envelope"
	"kbus/limpet/federation/report"
	"kbus/limpet/federation/server"
	"kbus/limpet/federation/store"
	"kbus/limpet/federation/subject"
	"kbus/message"
)

// The bowls of these tests are pairs of buses in this process, and talk over a real NATS server, in this process too.

type hall struct {
	*testing.T
	url, address, dir string
	nc                *nats.Conn
	log               *slog.Logger
	end               func() // of the server
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{T: t, address: "127.0.0.1:0", dir: t.TempDir(), log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	h.start()
	h.nc = h.connect()
	t.Cleanup(h.nc.Close)
	return h
}

// start starts the server, the second time where it was before.
func (h *hall) start() {
	h.Helper()
	s, err := server.Start(server.Config{Name: "hall", Listen: h.address, Store: h.dir, Log: h.log})
	must(h.T, err)
	h.end = func() { s.Shutdown(); s.WaitForShutdown() }
	h.Cleanup(h.end)
	h.url, h.address = s.ClientURL(), s.Addr().String()
}

func (h *hall) connect() *nats.Conn {
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

// guest is a bowl: its buses, and what runs on them.
type guest struct {
	*hall
	id      uint32
	in, out *kbus.Bus
	place   string
	conn    *nats.Conn // for the next that begins, if not nil
	cancel  func()
	ended   chan error
}

// guest makes the buses of a bowl.
func (h *hall) guest(id uint32) *guest {
	h.Helper()
	g := &guest{hall: h, id: id, in: kbus.NewBus(), out: kbus.NewBus(), place: filepath.Join(h.TempDir(), "place")}
	h.Cleanup(func() { g.stop(); g.in.Close(); g.out.Close() })
	return g
}

// bowl is one that has joined.
func (h *hall) bowl(id uint32) *guest {
	h.Helper()
	g := h.guest(id)
	g.join()
	return g
}

// begin runs a bowl on the buses, and tells when it has joined.
func (g *guest) begin(change ...func(*Config)) (ready <-chan struct{}) {
	g.Helper()
	c := Config{
		ID: g.id, Federation: "test", Names: []string{"$.*"}, Replicas: 1, Where: fmt.Sprintf("%p", g.in), Place: g.place,
		Log:    g.log.With("bowl", g.id),
		Inlet:  func(context.Context) (*kbus.Ksock, error) { return g.in.Open() },
		Outlet: func(context.Context) (*kbus.Ksock, error) { return g.out.Open() },
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

func (g *guest) join(change ...func(*Config)) {
	g.Helper()
	select {
	case <-g.begin(change...):
	case err := <-g.ended:
		g.Fatalf("bowl %d: %v", g.id, err)
	}
}

// stop ends what runs, if anything does. To the outlet it is as a kill would be: there is no last word.
func (g *guest) stop() {
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
func (g *guest) endsWith() error {
	g.Helper()
	err := <-g.ended
	g.cancel = nil
	return err
}

func ksock(t testing.TB, b *kbus.Bus) *kbus.Ksock {
	t.Helper()
	k, err := b.Open()
	must(t, err)
	return k
}

// ear listens on the outlet.
func (g *guest) ear(names ...string) *kbus.Ksock {
	g.Helper()
	k := ksock(g, g.out)
	_, err := k.SetMaxMessages(10_000)
	must(g.T, err)
	for _, name := range names {
		must(g.T, k.Bind(name, kbus.Listener))
	}
	return k
}

// order has the stream take messages, and returns when they are there.
func (g *guest) order(name string, texts ...string) {
	g.Helper()
	k := ksock(g, g.in)
	defer k.Close()
	for _, text := range texts {
		_, err := k.Call(g.Context(), kbus.Request(name, text))
		must(g.T, err)
	}
}

// hears takes the next messages, which must be these.
func hears(t *testing.T, k *kbus.Ksock, texts ...string) (got []*kbus.Message) {
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
	if m, err := k.Next(); m != nil || err != nil {
		t.Errorf("and then %v, %v", m, err)
	}
}

// stream opens the stream of the hall, and makes it with such limits if need be.
func (h *hall) stream(maxBytes int64) *store.Store {
	h.Helper()
	space, err := subject.New("test")
	must(h.T, err)
	log, err := store.OpenLog(h.Context(), h.nc, StreamName("test"), space.Order(), space.Changes("order"), 1, keep, maxBytes)
	must(h.T, err)
	return log
}

// entry is one of the stream, as a bowl would have made it.
type entry struct {
	*hall
	bytes []byte
	bowl  uint32
	epoch uint64
	count uint64
}

func (h *hall) entry(bowl uint32, epoch, count uint64) *entry {
	return &entry{hall: h, bowl: bowl, epoch: epoch, count: count}
}

// add adds a message, with the serial number and the incarnation of the bus where it was said.
func (e *entry) add(text string, serial, incarnation uint32, change ...func(*envelope.Envelope)) *entry {
	v := envelope.Envelope{Kind: envelope.Heard, Bowl: e.bowl, Epoch: e.epoch, Count: e.count, Message: message.Message{
		Header: message.Header{ID: kbus.ID{Network: e.bowl, Serial: serial}, Extra: incarnation},
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
func (e *entry) store(log *store.Store) uint64 {
	e.Helper()
	stored++
	n, err := log.Append(e.Context(), key(e.bowl), e.bytes, fmt.Sprint("test ", stored))
	must(e.T, err)
	return n
}

// status asks on one of a bowl's buses, as soon as there is somebody to ask.
func status(t *testing.T, bus *kbus.Bus) report.Status {
	t.Helper()
	awaitReplier(t, bus, report.Name)
	k := ksock(t, bus)
	defer k.Close()
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	s, _, err := report.Ask(ctx, k)
	must(t, err)
	return s
}

func awaitReplier(t *testing.T, bus *kbus.Bus, name string) {
	t.Helper()
	o, err := bus.Observe()
	must(t, err)
	defer o.Close()
	for {
		replier, _, err := o.Who(name)
		must(t, err)
		if replier.Ksock != 0 {
			return
		}
	}
}

// said is a log that can be waited for.
type said struct{ lines chan string }

func (s *said) handler() slog.Handler {
	s.lines = make(chan string, 1000)
	return slog.NewTextHandler(s, nil)
}

func (s *said) Write(line []byte) (int, error) {
	s.lines <- string(line)
	return len(line), nil
}

func (s *said) await(words string) {
	for line := range s.lines {
		if strings.Contains(line, words) {
			return
		}
	}
}
