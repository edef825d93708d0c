package federation

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"kbus"
	"kbus/limpet/pair"
)

// Bowls of a federation that pairs join besides: twice, and to a ring. Nobody hears anything twice.

// pairing is a pair of Limpets over a Unix socket. joined gets a token for each end that has joined, lost one for each
// that has parted.
type pairing struct {
	joined, lost chan struct{}
	stop         func()
}

// Enabled, and what else a slog.Handler has: it waits for two messages of the log.
func (p *pairing) Enabled(context.Context, slog.Level) bool { return true }
func (p *pairing) WithAttrs([]slog.Attr) slog.Handler       { return p }
func (p *pairing) WithGroup(string) slog.Handler            { return p }

func (p *pairing) Handle(_ context.Context, r slog.Record) error {
	switch r.Message {
	case "joined":
		p.joined <- struct{}{}
	case "parted":
		p.lost <- struct{}{}
	}
	return nil
}

// pair joins two bowls, or buses that are none, by a pair more, over TLS.
func (h *hall) pair(certs string, ids [2]uint32, buses [2]*kbus.Bus) *pairing {
	h.Helper()
	p := &pairing{joined: make(chan struct{}, 100), lost: make(chan struct{}, 100)}
	address := filepath.Join(h.TempDir(), "link")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	for i, id := range ids {
		o := pair.Options{
			Listen: i == 0, Address: address, ID: id, Name: "$.*", Credentials: pair.InDirectory(certs, id),
			MaxMessages: 10000, Longest: 1, Log: slog.New(p),
			Open: func(context.Context) (*kbus.Ksock, error) { return buses[i].Open() },
		}
		go func() { ended <- pair.Run(ctx, o) }()
	}
	stopped := false
	p.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			for range ids {
				if err := <-ended; err != nil {
					h.Errorf("a pair: %v", err)
				}
			}
		}
	}
	h.Cleanup(p.stop)
	<-p.joined
	<-p.joined
	return p
}

// mesh is three bowls, each pair of them joined by a pair, two of them twice, and a bus beyond that two of them know.
type mesh struct {
	*hall
	certs  string
	bowls  [4]*guest // the last is no bowl
	ears   [4]*kbus.Ksock
	count  int
	events [4]*watch
}

func newMesh(t *testing.T) *mesh {
	m := &mesh{hall: newHall(t), certs: t.TempDir()}
	_, err := pair.MakeCertificates(m.certs, []uint32{1, 2, 3, 4})
	must(t, err)
	for i := range 3 {
		m.bowls[i] = m.bowl(uint32(i + 1))
	}
	m.bowls[3] = &guest{hall: m.hall, bus: kbus.NewBus()}
	t.Cleanup(func() { m.bowls[3].bus.Close() })
	for i, g := range m.bowls {
		m.ears[i] = g.bound(kbus.Listener, "$.Mesh.*")
		m.events[i] = g.watch()
	}
	_, err = m.events[3].k.SetReportReplierBinds(true)
	must(t, err)
	for _, ends := range [][2]int{{0, 1}, {0, 1}, {1, 2}, {2, 0}, {0, 3}, {3, 1}} {
		m.link(ends[0], ends[1])
	}
	return m
}

func (m *mesh) link(a, b int) *pairing {
	return m.pair(m.certs, [2]uint32{uint32(a + 1), uint32(b + 1)}, [2]*kbus.Bus{m.bowls[a].bus, m.bowls[b].bus})
}

// everybodySays has somebody on each bus say a few things, and each Listener hear each of them once.
func (m *mesh) everybodySays() {
	m.Helper()
	const each = 20
	for i, g := range m.bowls {
		mouth := g.open()
		for n := range each {
			_, err := mouth.Send(m.Context(), kbus.Announcement("$.Mesh.News", fmt.Sprintf("%d from %d", m.count+n, i)))
			must(m, err)
		}
	}
	for i, ear := range m.ears {
		next := map[string]int{}
		for range each * len(m.bowls) {
			got := receive(m.T, ear)
			for got.IsReply() || len(got.Data) == 0 {
				got = receive(m.T, ear)
			}
			number, who, _ := strings.Cut(string(got.Data), " from ")
			if number != fmt.Sprint(m.count+next[who]) {
				m.Fatalf("bus %d hears %v, and not number %d", i+1, got, m.count+next[who])
			}
			next[who]++
		}
	}
	m.count += each
}

// nothingElse checks that the Listeners have nothing more to hear.
func (m *mesh) nothingElse() {
	m.Helper()
	for i, ear := range m.ears {
		if got, err := ear.Next(); got != nil || err != nil {
			m.Errorf("and bus %d hears %v, %v", i+1, got, err)
		}
	}
}

func TestMesh(t *testing.T) {
	m := newMesh(t)
	m.everybodySays()
	m.everybodySays() // what comes twice would have come by now, and is noticed here

	// A pair that goes takes nothing with it, and brings nothing twice when it comes back.
	again := m.link(2, 1)
	m.everybodySays()
	again.stop()
	m.everybodySays()
	m.link(2, 1)
	m.everybodySays()

	// A bowl starts anew, and counts from 1 again; so does the bus that is none.
	must(t, m.bowls[2].stop())
	m.bowls[2].bus.Close()
	m.bowls[2] = m.bowl(3)
	m.ears[2] = m.bowls[2].bound(kbus.Listener, "$.Mesh.*")
	m.link(1, 2)
	m.link(2, 0)
	m.everybodySays()
	m.everybodySays()
	m.nothingElse()
}

// A Replier has one proxy on each bus of the mesh, and one answer comes to each Request, whichever bus it is on; when it
// goes they all go, and none stands for another for ever. The name is free then for somebody else.
func TestMeshRepliers(t *testing.T) {
	m := newMesh(t)
	for round, at := range []int{0, 3, 2, 3} {
		name := fmt.Sprintf("$.Mesh.Q%d", round)
		replier := m.bowls[at].bound(kbus.Replier, name)
		for i, w := range m.events {
			if i != at {
				w.event(true, name)
			}
		}
		go replier.Serve(t.Context(), func(_ context.Context, q *kbus.Message) (*kbus.Message, error) {
			return kbus.ReplyTo(q, q.Data)
		})
		for i, g := range m.bowls {
			asker := g.open()
			reply, err := asker.Call(t.Context(), kbus.Request(name, fmt.Sprint(i)))
			must(t, err)
			if string(reply.Data) != fmt.Sprint(i) {
				t.Errorf("asked on bus %d: %v", i+1, reply)
			}
			for j := range m.ears {
				if got := m.request(j); got.Name != name || string(got.Data) != fmt.Sprint(i) {
					t.Fatalf("asked on bus %d, bus %d hears %v", i+1, j+1, got)
				}
			}
		}
		must(t, replier.Close())
		m.free(name)
	}
	m.everybodySays()
}

// request is the next Request that a bus hears, but for those of free. Replies may be heard or not.
func (m *mesh) request(bus int) *kbus.Message {
	m.Helper()
	for {
		if got := receive(m.T, m.ears[bus]); !got.IsReply() && len(got.Data) > 0 {
			return got
		}
	}
}

// free waits until a name has no Replier anywhere.
func (m *mesh) free(name string) {
	m.Helper()
	for i, g := range m.bowls {
		for {
			_, err := g.open().Send(m.Context(), kbus.Request(name, ""))
			if err != nil {
				break
			}
			m.events[i].event(false, name)
		}
	}
}
