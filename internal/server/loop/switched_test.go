package loop

import (
	"strings"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A strict Listener that stands still makes Binds fail: the answer and the log name it. Others that stand still hold
// nobody up.
func TestBindHeldUp(t *testing.T) {
	b := start(t, nil)
	binder, modern := b.open(), b.open()
	strict := b.dial()
	strict.Features = wire.FeatureOriginal
	strict.Hello(wire.ModeRead | wire.ModeWrite)
	for _, k := range []interface{ Bind(string, bool) }{modern, strict} {
		k.Bind("$.*", false)
	}
	modern.Must(wire.OpMaxMessages, 1, nil)
	strict.Must(wire.OpMaxMessages, 2, nil)
	binder.Must(wire.OpReportReplierBinds, 1, nil)
	binder.Bind("$.A", true)
	binder.Bind("$.B", true)
	f := binder.Ask(wire.OpBind, 1, []byte("$.C"))
	if f.Condition != message.ErrEventUndelivered || !strings.HasPrefix(string(f.Payload), "Ksock 3 (pid ") {
		t.Errorf("%v %q", f.Condition.Name(), f.Payload)
	}
	b.Await("bind held up", "Ksock 3 (pid ")
	strict.Must(wire.OpNext, 0, nil)
	binder.Bind("$.C", true)
	if n := modern.Must(wire.OpNumMessages, 0, nil).Arg; n != 3 {
		t.Errorf("%d events for the one that is not strict", n)
	}
}

// Who is no administrator turns no switch of the bus, and hears from the host why.
func TestSwitchesAreForAdministrators(t *testing.T) {
	b := start(t, nil)
	k := b.open()
	b.on(func(l *Loop) { l.bus.SetAdministrators(func(bus.Owner) bool { return false }) })
	for op, arg := range map[wire.Op]uint32{wire.OpMaxMessageSize: 100, wire.OpVerbose: 1} {
		f := k.Ask(op, arg, nil)
		if f.Condition != message.ErrNotAdministrator || string(f.Payload) != whyNot {
			t.Errorf("%v: %v %q", op, f.Condition.Name(), f.Payload)
		}
	}
}
