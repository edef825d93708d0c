package loop

import (
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// The host hears of a wanted name, and of its Replier before that knows itself that it is one; and what the host says reaches who
// has asked.
func TestCalls(t *testing.T) {
	b := start(t, func(c *Config) { c.Startable = []string{"$.A"} })
	asker, replier := b.open(), b.open()
	ask := func() {
		asker.Put(wire.OpCall, 0, rawclient.Message(message.Header{Flags: message.WantAReply}, "$.A", nil))
	}
	called := func(want bus.Call) {
		t.Helper()
		if got := <-b.called; got != want {
			t.Errorf("called for %v, not %v", got, want)
		}
	}
	ask()
	called(bus.Call{Name: "$.A"})
	NotStarted(b.Loop, "$.A", "it is broken")
	if m := asker.Next().Parse(t); m.Name != message.NameNotStarted || string(m.Data) != "it is broken" {
		t.Errorf("%v", &m)
	}
	ask()
	called(bus.Call{Name: "$.A"})
	replier.Bind("$.A", true)
	select {
	case got := <-b.called:
		if !got.Bound {
			t.Errorf("called for %v", got)
		}
	default:
		t.Error("the Replier knew before the host")
	}
	replier.CloseWrite()
	replier.Drain()
	if m := asker.Next().Parse(t); m.Name != message.NameGoneAway {
		t.Errorf("%v", &m)
	}
	b.Post(func() { SetStartable(b.Loop, nil) })
	if f := asker.Ask(wire.OpCall, 0, rawclient.Message(message.Header{Flags: message.WantAReply}, "$.A", nil)); f.Condition != message.ErrNoReplier {
		t.Errorf("%v", f.Condition)
	}
}
