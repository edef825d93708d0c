package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"kbus.example/kbus"
)

// Three members of a federation are joined by pairs, too: each to each, which is a ring, and two of them twice. In each
// member somebody announces and somebody listens to everything. No Listener ever hears anything twice, while pairs are
// killed and come back and a member starts anew; and while nobody is killed each hears everything.

const meshName = "$.Mesh.News"

// mesh is a run of it.
type mesh struct {
	*testbed
	ctx       context.Context
	certs     string
	links     []*meshLink
	listeners []*meshListener
	each      int // by each member, in each round
	lost      int
}

// meshLink is a pair of Limpets between two members.
type meshLink struct {
	mesh  *mesh
	ends  [2]*member
	label string
	port  int
	procs [2]*process
}

// meshListener is the Listener of a member.
type meshListener struct {
	member   *member
	k        *kbus.Ksock
	done     sync.WaitGroup
	mu       sync.Mutex
	change   sync.Cond
	received map[string]int
}

func meshCase(p *play) error {
	h, err := p.newTestbed(3)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.startAll(); err != nil {
		return err
	}
	ctx, end := context.WithCancel(p.ctx)
	m := &mesh{testbed: h, ctx: ctx, certs: filepath.Join(h.dir, "certs"), each: pick(p, 2000, 300)}
	defer m.end()
	defer end()
	if err := m.begin(); err != nil {
		return err
	}
	random := p.random(6)
	for round := range pick(p, 6, 3) {
		if err := m.round(fmt.Sprint("round ", round)); err != nil {
			return err
		}
		victim := m.links[random.IntN(len(m.links))]
		fmt.Printf("    round %d: all heard by all; pair %s is killed and comes back\n", round, victim.label)
		if err := m.disturbed(func() error {
			victim.procs[random.IntN(2)].kill()
			return victim.start()
		}); err != nil {
			return err
		}
	}
	b := h.members[random.IntN(3)]
	fmt.Printf("    bowl %d is killed, with its server and its pairs, and comes back\n", b.id)
	if err := m.disturbed(func() error { return m.restart(b) }); err != nil {
		return err
	}
	if err := m.round("last"); err != nil {
		return err
	}
	if err := m.repliers(); err != nil {
		return err
	}
	return m.reckon()
}

// begin makes certificates, and starts the pairs and those who listen.
func (m *mesh) begin() error {
	if out, err := m.members[0].output("certs", m.certs, "--id", "1", "--id", "2", "--id", "3"); err != nil {
		return fmt.Errorf("certificates: %w: %s", err, out)
	}
	for i, ends := range [][2]int{{0, 1}, {1, 2}, {2, 0}, {0, 1}} {
		a, b := m.members[ends[0]], m.members[ends[1]]
		m.links = append(m.links, &meshLink{
			mesh: m, ends: [2]*member{a, b}, port: 7000 + i, label: fmt.Sprintf("%d-%d.%d", a.id, b.id, i),
		})
	}
	for _, l := range m.links {
		if err := l.start(); err != nil {
			return err
		}
	}
	for _, b := range m.members {
		listener := &meshListener{member: b, received: map[string]int{}}
		listener.change.L = &listener.mu
		m.listeners = append(m.listeners, listener)
		if err := listener.open(m.ctx); err != nil {
			return err
		}
	}
	return nil
}

func (m *mesh) end() {
	for _, listener := range m.listeners {
		listener.k.Close()
		listener.done.Wait()
	}
}

// start starts what does not run of a pair, and returns when the buses are joined.
func (l *meshLink) start() error {
	for i, b := range l.ends {
		if p := l.procs[i]; p != nil && p.runs() {
			continue
		}
		address := fmt.Sprintf("%s:%d", l.ends[0].address(), l.port)
		how := []string{"--listen", "--connect"}[i]
		p, err := b.launch("kbus-limpet."+l.label, "", "pair", how, address, "--id", fmt.Sprint(b.id), "--certs",
			l.mesh.certs, "--longest-pause", "200ms")
		if err != nil {
			return err
		}
		l.procs[i] = p
		b.others = append(b.others, p)
	}
	return l.joined()
}

// joined waits until both ends say that they are joined, and have not parted since.
func (l *meshLink) joined() error {
	for deadline := time.Now().Add(patience); ; l.mesh.play.wait(retry) {
		both := true
		for _, b := range l.ends {
			logged := b.logged("kbus-limpet." + l.label)
			both = both && strings.LastIndex(logged, "msg=joined") > strings.LastIndex(logged, "msg=parted")
		}
		switch {
		case both:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("pair %s does not join:\n%s\n%s", l.label, l.ends[0].logged("kbus-limpet."+l.label),
				l.ends[1].logged("kbus-limpet."+l.label))
		}
	}
}

// open has the ear hear, until its bus is lost.
func (e *meshListener) open(ctx context.Context) (err error) {
	if e.k, err = e.member.open(kbus.ReadAhead(64)); err != nil {
		return err
	}
	if _, err = e.k.Queue().SetLimit(ctx, 1<<20); err != nil {
		return err
	}
	if err = e.k.Bind(ctx, meshName, kbus.Listener); err != nil {
		return err
	}
	k := e.k
	e.done.Go(func() {
		for m, err := range k.Messages(ctx) {
			if err != nil {
				return
			}
			e.mu.Lock()
			if string(m.Data) != "" {
				e.received[string(m.Data)]++
			}
			e.change.Broadcast()
			e.mu.Unlock()
		}
	})
	return nil
}

// say has a member announce so many, each but once.
func (m *mesh) announce(b *member, round string, count int, pace time.Duration) error {
	k, err := b.open()
	if err != nil {
		return err
	}
	defer k.Close()
	beat := time.NewTicker(pace)
	defer beat.Stop()
	for n := range count {
		<-beat.C
		data := fmt.Sprintf("%s, number %d of bowl %d", round, n, b.id)
		if _, err := k.Send(m.ctx, kbus.Announcement(meshName, data)); err != nil {
			return err
		}
	}
	return nil
}

// round has all members announce, and waits until all ears have heard all of it.
func (m *mesh) round(name string) error {
	results := make(chan error)
	for _, b := range m.members {
		go func() { results <- m.announce(b, name, m.each, 200*time.Microsecond) }()
	}
	if err := errors.Join(<-results, <-results, <-results); err != nil {
		return err
	}
	for _, listener := range m.listeners {
		m.lost += listener.missing(name, m.each, len(m.members))
	}
	return nil
}

// missing waits until all of a round has been heard, and counts what has not come in the end.
func (e *meshListener) missing(round string, each, members int) int {
	deadline := time.Now().Add(patience / 4)
	late := time.AfterFunc(patience/4, e.change.Broadcast)
	defer late.Stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		missing := 0
		for b := range members {
			for n := range each {
				if e.received[fmt.Sprintf("%s, number %d of bowl %d", round, n, b+1)] == 0 {
					missing++
				}
			}
		}
		if missing == 0 || time.Now().After(deadline) {
			return missing
		}
		e.change.Wait()
	}
}

// disturbed does something while all members announce. What is said then may be lost, but nothing is heard twice.
func (m *mesh) disturbed(do func() error) error {
	ctx, end := context.WithCancel(m.ctx)
	var work sync.WaitGroup
	for _, b := range m.members {
		work.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if m.announce(b, fmt.Sprintf("disturbed %d %d", time.Now().UnixNano(), i), 50, time.Millisecond) != nil {
					m.play.wait(retry) // its bus is not there
				}
			}
		})
	}
	err := do()
	end()
	return errors.Join(err, finish(&work, "those who announce", patience))
}

// restart kills all of a member, and starts it again. Its bus counts from 1 then, and its Listener is another.
func (m *mesh) restart(b *member) error {
	b.kill()
	listener := m.listeners[b.id-1]
	listener.done.Wait()
	listener.k.Close()
	if err := errors.Join(b.startDaemon(), b.startServing()); err != nil {
		return err
	}
	if err := listener.open(m.ctx); err != nil {
		return err
	}
	for _, l := range m.links {
		if err := l.start(); err != nil {
			return err
		}
	}
	return nil
}

// repliers has a Replier in each member asked from each; and when it has gone no bus has a proxy for it any more.
func (m *mesh) repliers() error {
	t := &m.play.tally
	for _, b := range m.members {
		name := fmt.Sprintf("$.Mesh.R%d", b.id)
		replier, err := b.open()
		if err != nil {
			return err
		}
		if err := replier.Bind(m.ctx, name, kbus.Replier); err != nil {
			return err
		}
		go replier.Serve(m.ctx, func(_ context.Context, q *kbus.Message) (*kbus.Message, error) {
			return q.Reply(q.Data)
		})
		for _, from := range m.members {
			asker, err := from.open()
			if err != nil {
				return err
			}
			if err := m.until(func() bool { r, _, err := asker.Observer().Who(m.ctx, name); return err == nil && r.Ksock != 0 }); err != nil {
				return fmt.Errorf("bowl %d knows nobody for %s: %w", from.id, name, err)
			}
			for range 20 {
				t.requests++
				if _, err := asker.Call(m.ctx, kbus.Request(name, "")); err != nil {
					return fmt.Errorf("bowl %d asks for %s: %w", from.id, name, err)
				}
				t.replies++
			}
			asker.Close()
		}
		replier.Close()
		for _, from := range m.members {
			o, err := from.open()
			if err != nil {
				return err
			}
			if err := m.until(func() bool { r, _, err := o.Observer().Who(m.ctx, name); return err == nil && r.Ksock == 0 }); err != nil {
				return fmt.Errorf("bowl %d still has a proxy for %s, whose Replier has gone: %w", from.id, name, err)
			}
			o.Close()
		}
	}
	return nil
}

// until waits for something to be so.
func (m *mesh) until(so func() bool) error {
	for deadline := time.Now().Add(patience / 2); !so(); m.play.wait(retry / 5) {
		if time.Now().After(deadline) {
			return errors.New("it takes too long")
		}
	}
	return nil
}

func (m *mesh) reckon() error {
	t := &m.play.tally
	doubles, received := 0, 0
	for _, listener := range m.listeners {
		listener.mu.Lock()
		for data, n := range listener.received {
			received++
			if n > 1 {
				doubles += n - 1
				fmt.Printf("    bowl %d heard %d times: %s\n", listener.member.id, n, data)
			}
		}
		listener.mu.Unlock()
	}
	copies := uint64(0)
	for _, b := range m.members {
		s, err := b.status()
		if err != nil {
			return err
		}
		copies += s.Copies
	}
	fmt.Printf("    %d messages heard, %d twice, %d not at all when nobody was killed; NATS was the later way for %d\n", received,
		doubles, m.lost, copies)
	t.doubles, t.lost = t.doubles+doubles, t.lost+m.lost
	switch {
	case doubles+m.lost > 0:
		return errors.New("not each message was heard once")
	case copies == 0:
		return errors.New("nothing has come twice, so the run has shown nothing")
	}
	return nil
}
