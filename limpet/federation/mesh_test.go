package federation

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/pair"
)

// Members of a federation that pairs join besides: twice, and to a ring. Nobody hears anything twice.

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

// pair joins two members, or buses that are none, by a pair more, over TLS.
func (h *cluster) pair(certs string, ids [2]uint32, buses [2]*kbus.Bus) *pairing {
	h.Helper()
	p := &pairing{joined: make(chan struct{}, 100), lost: make(chan struct{}, 100)}
	address := filepath.Join(h.TempDir(), "link")
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	for i, id := range ids {
		o := pair.Options{
			Listen: i == 0, Address: address, ID: id, Name: "$.*", Credentials: pair.InDirectory(certs, id),
			Limits: pair.Limits{MaxMessages: 10000, Longest: 1}, Log: slog.New(p),
			Open: func(context.Context) (*kbus.Ksock, error) { return buses[i].Open(ctx) },
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

// mesh is three members, each pair of them joined by a pair, two of them twice, and a bus beyond that two of them know.
type mesh struct {
	*cluster
	certs     string
	members   [4]*node // the last is no member
	listeners [4]*kbus.Ksock
	count     int
	events    [4]*watch
}

func newMesh(t *testing.T) *mesh {
	m := &mesh{cluster: newCluster(t), certs: t.TempDir()}
	_, err := pair.MakeCertificates(m.certs, []uint32{1, 2, 3, 4})
	must(t, err)
	for i := range 3 {
		m.members[i] = m.member(uint32(i + 1))
	}
	m.members[3] = &node{cluster: m.cluster, bus: kbus.NewBus()}
	t.Cleanup(func() { m.members[3].bus.Close() })
	for i, g := range m.members {
		m.listeners[i] = g.bound(kbus.Listener, "$.Mesh.*")
		m.events[i] = g.watch()
	}
	_, err = m.events[3].k.Settings().SetReportReplierBinds(m.Context(), true)
	must(t, err)
	for _, ends := range [][2]int{{0, 1}, {0, 1}, {1, 2}, {2, 0}, {0, 3}, {3, 1}} {
		m.link(ends[0], ends[1])
	}
	return m
}

func (m *mesh) link(a, b int) *pairing {
	return m.pair(m.certs, [2]uint32{uint32(a + 1), uint32(b + 1)}, [2]*kbus.Bus{m.members[a].bus, m.members[b].bus})
}

// everybodySends has somebody on each bus say a few things, and each Listener hear each of them once.
func (m *mesh) everybodySends() {
	m.Helper()
	const each = 20
	for i, g := range m.members {
		sender := g.open()
		for n := range each {
			_, err := sender.Send(m.Context(), kbus.Announcement("$.Mesh.News", fmt.Sprintf("%d from %d", m.count+n, i)))
			must(m, err)
		}
	}
	for i, listener := range m.listeners {
		next := map[string]int{}
		for range each * len(m.members) {
			got := receive(m.T, listener)
			for got.IsReply() || len(got.Data) == 0 {
				got = receive(m.T, listener)
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
	for i, listener := range m.listeners {
		if got, err := listener.Next(m.Context()); got != nil || err != nil {
			m.Errorf("and bus %d hears %v, %v", i+1, got, err)
		}
	}
}

func TestMesh(t *testing.T) {
	m := newMesh(t)
	m.everybodySends()
	m.everybodySends() // what comes twice would have come by now, and is noticed here

	// A pair that goes takes nothing with it, and brings nothing twice when it comes back.
	again := m.link(2, 1)
	m.everybodySends()
	again.stop()
	m.everybodySends()
	m.link(2, 1)
	m.everybodySends()

	// A member starts anew, and counts from 1 again; so does the bus that is none.
	must(t, m.members[2].stop())
	m.members[2].bus.Close()
	m.members[2] = m.member(3)
	m.listeners[2] = m.members[2].bound(kbus.Listener, "$.Mesh.*")
	m.link(1, 2)
	m.link(2, 0)
	m.everybodySends()
	m.everybodySends()
	m.nothingElse()
}

// A Replier has one proxy on each bus of the mesh, and one answer comes to each Request, whichever bus it is on; when it
// goes they all go, and none stands for another for ever. The name is free then for somebody else.
func TestMeshRepliers(t *testing.T) {
	m := newMesh(t)
	for round, at := range []int{0, 3, 2, 3} {
		name := fmt.Sprintf("$.Mesh.Q%d", round)
		replier := m.members[at].bound(kbus.Replier, name)
		for i, w := range m.events {
			if i != at {
				w.event(true, name)
			}
		}
		go replier.Serve(t.Context(), func(_ context.Context, q *kbus.Message) (*kbus.Message, error) {
			return q.Reply(q.Data)
		})
		for i, g := range m.members {
			asker := g.open()
			reply, err := asker.Call(t.Context(), kbus.Request(name, fmt.Sprint(i)))
			must(t, err)
			if string(reply.Data) != fmt.Sprint(i) {
				t.Errorf("asked on bus %d: %v", i+1, reply)
			}
			for j := range m.listeners {
				if got := m.request(j); got.Name != name || string(got.Data) != fmt.Sprint(i) {
					t.Fatalf("asked on bus %d, bus %d hears %v", i+1, j+1, got)
				}
			}
		}
		must(t, replier.Close())
		m.free(name)
	}
	m.everybodySends()
}

// request is the next Request that a bus hears, but for those of free. Replies may be heard or not.
func (m *mesh) request(bus int) *kbus.Message {
	m.Helper()
	for {
		if got := receive(m.T, m.listeners[bus]); !got.IsReply() && len(got.Data) > 0 {
			return got
		}
	}
}

// free waits until a name has no Replier anywhere.
func (m *mesh) free(name string) {
	m.Helper()
	for i, g := range m.members {
		for {
			_, err := g.open().Send(m.Context(), kbus.Request(name, ""))
			if err != nil {
				break
			}
			m.events[i].event(false, name)
		}
	}
}
