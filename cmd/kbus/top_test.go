package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/top"
)

// picture is what kbus top printed.
type picture top.JSON

// pictures starts a kbus top that prints, and gives its next picture.
func pictures(t *testing.T) (next func() *picture) {
	t.Helper()
	c := exec.Command("kbus", "top", "--json", "--every", "50ms")
	out, err := c.StdoutPipe()
	must(t, err)
	c.Stderr = os.Stderr
	must(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	return func() *picture {
		t.Helper()
		if !lines.Scan() {
			t.Fatal("it has ended")
		}
		var p picture
		must(t, json.Unmarshal(lines.Bytes(), &p))
		return &p
	}
}

func (p *picture) ksock(id kbus.KsockID) *top.KsockJSON {
	for i := range p.Ksocks {
		if p.Ksocks[i].Ksock == uint32(id) {
			return &p.Ksocks[i]
		}
	}
	return &top.KsockJSON{}
}

func (p *picture) name(name string) *top.NameJSON {
	for i := range p.Names {
		if p.Names[i].Name == name {
			return &p.Names[i]
		}
	}
	return &top.NameJSON{}
}

// A real bus is watched: one who sends, one whose queue overflows, one who lets others wait for an answer.
func TestTop(t *testing.T) {
	withDaemon(t, 1)
	ctx := t.Context()
	hand, listener, lamp := openKsock(t), openKsock(t), openKsock(t)
	must(t, listener.Bind(ctx, "$.Bell", kbus.Listener))
	_, err := listener.Queue().SetLimit(ctx, 10)
	must(t, err)
	must(t, lamp.Bind(ctx, "$.Lamp", kbus.Replier))
	next := pictures(t)
	next() // it looks

	for range 15 {
		_, err := hand.Send(ctx, kbus.Announcement("$.Bell", "ding"))
		must(t, err)
	}
	_, err = hand.Send(ctx, kbus.Request("$.Nobody", ""))
	if err == nil {
		t.Error("somebody answers")
	}
	sent, err := hand.Send(ctx, kbus.Request("$.Lamp", "on"))
	must(t, err)
	p := next()
	in, out := 0.0, 0.0
	for ; p.name("$.Lamp").Messages == 0 || p.ksock(listener.ID()).Missed < 5; p = next() {
		in, out = in+p.ksock(listener.ID()).In*p.Seconds, out+p.ksock(hand.ID()).Out*p.Seconds
	}
	in, out = in+p.ksock(listener.ID()).In*p.Seconds, out+p.ksock(hand.ID()).Out*p.Seconds
	if in < 9.9 || in > 15.1 || out < 15.9 || out > 16.1 {
		t.Errorf("%v messages came to the listener, and %v went from the hand", in, out)
	}
	if e := p.ksock(listener.ID()); e.Missed != 5 || e.Queued != 10 || e.MaxMessages != 10 || e.PID != uint32(os.Getpid()) || e.Program == "" {
		t.Errorf("%+v", e)
	}
	if n := p.name("$.Bell"); n.Messages != 15 || n.Skipped != 5 || n.Size != 4 {
		t.Errorf("%+v", n)
	}
	if p.name("$.Nobody").Refused != 1 || p.NotSeen != 0 {
		t.Errorf("%+v", p)
	}
	l := p.ksock(lamp.ID())
	if l.Unanswered != 1 || len(l.Owes) != 1 || l.Owes[0].ID != plainID(sent.ID) || l.Owes[0].From != uint32(hand.ID()) || l.Owes[0].Age <= 0 || l.Older {
		t.Errorf("%+v", l)
	}
	if later := next().ksock(lamp.ID()); later.Oldest <= l.Oldest {
		t.Errorf("the Request gets no older: %v, %v", l.Oldest, later.Oldest)
	}

	m, err := lamp.Receive(ctx)
	must(t, err)
	reply, err := m.Reply([]byte("done"))
	must(t, err)
	_, err = lamp.Send(ctx, reply)
	must(t, err)
	for p.name("$.Lamp").Answered == 0 {
		p = next()
	}
	if l := p.ksock(lamp.ID()); l.Unanswered != 0 || p.name("$.Lamp").Longest < l.Oldest {
		t.Errorf("%+v", l)
	}
	must(t, listener.Close())
	for p.ksock(listener.ID()).Ksock != 0 {
		p = next()
	}
}

// Without a terminal figures are printed, once or again and again.
func TestTopPrints(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	once := kbusOK(t, "top", "--once", "--every", "10ms")
	if !strings.Contains(once, "KSOCK") || !strings.Contains(once, "nothing was said") || strings.Contains(once, "\x1b") {
		t.Error(once)
	}
	c := start(t, "kbus", "top", "--every", "10ms")
	await(t, func(o *kbus.Observer) bool { i, err := o.Info(t.Context()); return err == nil && i.Connections >= 4 })
	must(t, c.Process.Signal(os.Interrupt))
	if status := c.status(t); status != 0 {
		t.Error("status", status, c.err.String())
	}
	if got := kbusFails(t, cli.StatusUsage, "top", "--every", "1ms"); !strings.Contains(got, "10ms at least") {
		t.Error(got)
	}
	must(t, k.Close())
}

// The bus goes while it is watched.
func TestTopLosesItsBus(t *testing.T) {
	s := withDaemon(t, 1)
	_ = s
	c := start(t, "kbus", "top", "--every", "10ms")
	await(t, func(o *kbus.Observer) bool { i, err := o.Info(t.Context()); return err == nil && i.Connections >= 3 })
	must(t, s.Strike())
	if status := c.status(t); status == 0 || !strings.Contains(c.err.String(), "gone") {
		t.Error("status", status, c.err.String())
	}
}
