package server

import (
	"errors"
	"os"
	"testing"
	"time"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/server/loop"
	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// long is more time than any test takes: where it stands, the end comes because everything is done.
const long = time.Hour

// A stopping bus lets what has begun come to its end: the Replier replies, the Reply is read, queues are read, and
// nothing new begins. Then it ends by itself.
func TestStopLetsFinish(t *testing.T) {
	b := start(t, nil)
	asker, replier, listener := b.open(), b.open(), b.open()
	replier.Bind("$.Q", true)
	listener.Bind("$.News", false)
	asker.Must(wire.OpSendMessage, 0, announcement("$.News", "old"))
	call := asker.Put(wire.OpCall, 0, request("$.Q", "?"))
	replier.Put(wire.OpNextWait, 0, nil)
	asked := replier.Next().Parse(t)

	b.Stop(long)
	for _, c := range []*rawclient.Client{asker, replier, listener} {
		if f := c.Next(); f.Op != wire.OpStopping || f.Seq != 0 {
			t.Errorf("got %v, number %d; want Stopping", f.Op, f.Seq)
		}
	}
	if f := asker.Ask(wire.OpSendMessage, 0, request("$.Q", "another")); f.Condition != message.ErrStopping {
		t.Errorf("a new Request gave %v", f.Condition.Name())
	}
	if f := asker.Ask(wire.OpNewBus, 0, nil); f.Condition != message.ErrStopping {
		t.Errorf("NewBus gave %v", f.Condition.Name())
	}
	if err := tryConnect(b.path(0)); err == nil {
		t.Error("the socket still takes clients")
	}
	replier.Must(wire.OpSendMessage, 0, replyTo(asked, "!"))
	if f := asker.Next(); f.Seq != call || string(f.Parse(t).Data) != "!" {
		t.Errorf("got %v, number %d", f.Op, f.Seq)
	}
	if m := listener.Must(wire.OpNext, 0, nil).Parse(t); string(m.Data) != "old" {
		t.Errorf("got %v", m.String())
	}
	b.Wait()
	if last := listener.Ended(); len(last) != 0 {
		t.Errorf("something came after the end: %v", last)
	}
}

// The lazy result of the last Reply is no reason to wait.
func TestStopDoesNotWaitForLazyResults(t *testing.T) {
	b := start(t, nil)
	asker, replier := b.open(), b.open()
	replier.Bind("$.Q", true)
	asker.Put(wire.OpCall, 0, request("$.Q", "?"))
	replier.Put(wire.OpNextWait, 0, nil)
	asked := replier.Next().Parse(t)
	b.Stop(long)
	var both []byte
	both, _ = replier.Append(both, wire.OpSendMessage, wire.Lazy, 0, replyTo(asked, "!"))
	both, _ = replier.Append(both, wire.OpNextWait, 0, 0, nil)
	replier.Raw(both)
	b.Wait()
}

// Who is still owed an answer when time is nearly up gets a Status, because those who owe it are closed: Ignored from
// one who has read the Request, GoneAway from one who has not (R5.1, R5.3). There is time to read it.
func TestStopGivesStatuses(t *testing.T) {
	b := start(t, nil)
	caller, poster, slow, deaf := b.open(), b.open(), b.open(), b.open()
	slow.Bind("$.Slow", true)
	deaf.Bind("$.Deaf", true)
	caller.Put(wire.OpCall, 0, request("$.Slow", "?"))
	slow.Put(wire.OpNextWait, 0, nil)
	slow.Next()
	poster.Must(wire.OpSendMessage, 0, request("$.Deaf", "?"))

	b.Stop(long)
	slow.Next() // Stopping
	deaf.Next()
	caller.Next()
	poster.Next()
	postAll(b.all(), (*loop.Loop).EndRepliers) // as it is posted when four fifths of the time are over
	if m := caller.Next().Parse(t); m.Name != message.NameIgnored {
		t.Errorf("the caller got %v", m.String())
	}
	slow.Ended()
	deaf.Ended()
	if m := poster.Must(wire.OpNext, 0, nil).Parse(t); m.Name != message.NameGoneAway {
		t.Errorf("the poster got %v", m.String())
	}
	b.Wait() // by itself, since nothing is left to wait for
}

// At the deadline it ends, whoever has not read.
func TestStopEndsAtTheDeadline(t *testing.T) {
	b := start(t, nil)
	listener, asker := b.open(), b.open()
	listener.Bind("$.News", false)
	listener.Bind("$.Q", true)
	asker.Must(wire.OpSendMessage, 0, announcement("$.News", "unread"))
	asker.Put(wire.OpCall, 0, request("$.Q", "?"))
	b.Stop(50 * time.Millisecond)
	b.Wait()
	if last := asker.Ended(); len(last) != 2 || last[1].Parse(t).Name != message.NameGoneAway {
		t.Errorf("the asker got %v", last)
	}
	if left, _ := os.ReadDir(b.Dir()); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Told twice, it ends at once; even then who waits gets a Status.
func TestStopAtOnce(t *testing.T) {
	b := start(t, nil)
	asker, replier := b.open(), b.open()
	replier.Bind("$.Q", true)
	asker.Put(wire.OpCall, 0, request("$.Q", "?"))
	replier.Put(wire.OpNextWait, 0, nil)
	replier.Next()
	b.Stop(long)
	b.Stop(0)
	b.Wait()
	if last := asker.Ended(); len(last) != 2 || last[1].Parse(t).Name != message.NameIgnored {
		t.Errorf("the asker got %v", last)
	}
	if _, c := b.NewBus(bus.Owner{}); c != message.ErrStopping {
		t.Errorf("NewBus after the end: %v", c)
	}
	if err := b.Reload(Default()); !errors.Is(err, errStopping) {
		t.Errorf("Reload after the end: %v", err)
	}
}

// A loop that does not turn is found, and found well again when it does.
func TestHanging(t *testing.T) {
	b := start(t, func(c *Config) { c.Buses = 2 })
	if h := b.Hanging(); len(h) != 0 {
		t.Errorf("before anything: %v", h)
	}
	b.turn(0)
	b.turn(1)
	hold, held := make(chan struct{}), make(chan struct{})
	b.all()[1].Post(func() { close(held); <-hold })
	<-held
	b.Hanging()
	b.turn(0)
	for range 3 {
		if h := b.Hanging(); len(h) != 1 || h[0] != 1 {
			t.Errorf("while bus 1 hangs: %v", h)
		}
		b.turn(0)
	}
	close(hold)
	b.turn(1)
	if h := b.Hanging(); len(h) != 0 {
		t.Errorf("after it: %v", h)
	}
}

func TestReload(t *testing.T) {
	b := start(t, nil)
	c := b.open()
	c.Bind("$.A", false)

	better := b.config
	better.Limits.UserBindings, better.SocketMode, better.Buses = 1, 0o600, 3
	if err := b.Reload(better); err != nil {
		t.Fatal(err)
	}
	if f := c.Ask(wire.OpBind, 0, []byte("$.B")); f.Condition != message.ErrUserBindings {
		t.Errorf("a second binding gave %v", f.Condition.Name())
	}
	checkMode(t, b.path(0), 0o600)
	checkMode(t, b.path(2), 0o600)
	on2 := rawclient.Open(t, b.path(2))
	on2.Bind("$.A", false)
	if f := on2.Ask(wire.OpBind, 0, []byte("$.B")); f.Condition != message.ErrUserBindings {
		t.Errorf("on a new bus a second binding gave %v", f.Condition.Name())
	}

	for name, spoil := range map[string]func(*Config){
		"bad limit":     func(c *Config) { c.Limits.Bindings = -1 },
		"too few buses": func(c *Config) { c.Limits.Buses, c.Buses = 2, 2 },
		"unknown group": func(c *Config) { c.SocketGroup = "no such group" },
	} {
		bad := better
		bad.SocketMode, bad.Limits.UserBindings = 0o666, 100
		spoil(&bad)
		if err := b.Reload(bad); err == nil {
			t.Errorf("%s: taken", name)
		}
		checkMode(t, b.path(0), 0o600)
		if f := c.Ask(wire.OpBind, 0, []byte("$.B")); f.Condition != message.ErrUserBindings {
			t.Errorf("%s: a second binding gave %v", name, f.Condition.Name())
		}
	}
}
