package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"kbus.example/kbus"
)

// bowls are two daemons, and two Limpets that join them.
type joinedBuses struct {
	t        *testing.T
	dirs     [2]string
	daemons  [2]*process
	limpets  [2]*process
	commands [2][]string
}

func newJoinedBuses(t *testing.T, secure bool) *joinedBuses {
	b := &joinedBuses{t: t}
	address := filepath.Join(t.TempDir(), "limpet")
	certs := t.TempDir()
	how := []string{"--legacy"}
	if secure {
		must(t, run1(t, "certs", certs, "--id", "1", "--id", "2"))
		how = []string{"--certs", certs}
	}
	for i, role := range []string{"--listen", "--connect"} {
		b.dirs[i] = t.TempDir()
		b.daemons[i] = daemon(t, b.dirs[i])
		b.commands[i] = append([]string{"kbus-limpet", "pair", role, address, "--id", fmt.Sprint(i + 1),
			"--dir", b.dirs[i], "--longest-pause", "50ms"}, how...)
		b.limpets[i] = start(t, nil, b.commands[i]...)
	}
	return b
}

func run1(t *testing.T, args ...string) error {
	p := start(t, nil, append([]string{"kbus-limpet"}, args...)...)
	if status := p.status(); status != 0 {
		return fmt.Errorf("%v: status %d, %v", args, status, p.logged)
	}
	return nil
}

// replier answers on the second bus, and is there again after every loss of it.
type replier struct {
	*joinedBuses
	serving sync.WaitGroup
	k       *kbus.Ksock
}

func (r *replier) begin() {
	r.k = open(r.t, r.dirs[1])
	must(r.t, r.k.Bind(context.Background(), "$.Q", kbus.Replier))
	r.serving.Go(func() {
		err := r.k.Serve(context.Background(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			if !m.WantsUsToReply() {
				return nil, nil
			}
			return m.Reply(m.Data)
		})
		if !errors.Is(err, kbus.ErrClosed) && !errors.Is(err, kbus.ErrBusGone) {
			r.t.Errorf("answering: %v", err)
		}
	})
}

func (r *replier) end() {
	_ = r.k.Close()
	r.serving.Wait()
}

// asker asks on the first bus, one Request after the other, and counts answers.
type asker struct {
	*joinedBuses
	k                        *kbus.Ksock
	open                     map[kbus.ID]string
	asked, replies, statuses int
}

func (a *asker) begin() {
	a.k = open(a.t, a.dirs[0])
	a.open = map[kbus.ID]string{}
	must(a.t, a.k.Bind(context.Background(), kbus.NameReplierBindEvent, kbus.Listener))
	_, err := a.k.Settings().SetReportReplierBinds(context.Background(), true)
	must(a.t, err)
}

// until goes on until there are so many more Replies, or the bus is lost.
func (a *asker) until(more int) error {
	ctx, done := context.WithTimeout(a.t.Context(), patience)
	defer done()
	for want := a.replies + more; a.replies < want; {
		m, err := a.k.Receive(ctx)
		if err != nil {
			return err
		}
		e, isEvent := kbus.ParseBindEvent(m.Data)
		switch {
		case m.IsReply():
			a.answered(m)
			if kbus.StatusOf(m) == nil {
				a.ask()
			}
		case m.Name == kbus.NameReplierBindEvent && isEvent && e.Bind && e.Name == "$.Q":
			a.ask()
		}
	}
	return nil
}

func (a *asker) ask() {
	a.asked++
	text := fmt.Sprint(a.asked)
	sent, err := a.k.Send(a.t.Context(), kbus.Request("$.Q", text))
	if err == nil {
		a.open[sent.ID] = text
	} else if !errors.Is(err, kbus.ErrNoReplier) && !errors.Is(err, kbus.ErrBusGone) {
		a.t.Fatal(err)
	}
}

func (a *asker) answered(m *kbus.Message) {
	text, open := a.open[m.InReplyTo]
	if !open {
		a.t.Errorf("a second answer, or to nothing: %v", m)
	}
	delete(a.open, m.InReplyTo)
	if kbus.StatusOf(m) != nil {
		a.statuses++
		return
	}
	if string(m.Data) != text {
		a.t.Errorf("asked %q, and %v", text, m)
	}
	a.replies++
}

// TestKilled: kill -9 of each Limpet and of each daemon, in the middle of a conversation. Each Request has one answer,
// and when the process is there again the conversation goes on.
func TestKilled(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "TLS"}[secure], func(t *testing.T) {
			b := newJoinedBuses(t, secure)
			r, a := &replier{joinedBuses: b}, &asker{joinedBuses: b}
			r.begin()
			a.begin()
			must(t, a.until(50))
			for round := range 2 {
				for i := range b.limpets {
					b.limpets[i].kill()
					b.limpets[i] = start(t, nil, b.commands[i]...)
					must(t, a.until(50))
				}
				b.daemons[1].kill()
				r.end()
				b.daemons[1] = daemon(t, b.dirs[1])
				r.begin()
				must(t, a.until(50))

				b.daemons[0].kill()
				if err := a.until(1 << 30); !errors.Is(err, kbus.ErrBusGone) {
					t.Fatalf("without a daemon: %v", err)
				}
				if len(a.open) > 0 {
					t.Errorf("%d Requests have no answer, not even that the bus is gone", len(a.open))
				}
				b.daemons[0] = daemon(t, b.dirs[0])
				a.begin()
				must(t, a.until(50))
				t.Logf("round %d: %d asked, %d Replies, %d Statuses, %d open", round, a.asked, a.replies, a.statuses, len(a.open))
			}
			r.end()
			for { // the last one may be open still
				if len(a.open) == 0 {
					break
				}
				m, err := a.k.Receive(t.Context())
				must(t, err)
				if m.IsReply() {
					a.answered(m)
				}
			}
			for i, l := range b.limpets {
				if status := l.terminate(); status != 0 {
					t.Errorf("Limpet %d ends with status %d", i+1, status)
				}
			}
		})
	}
}
