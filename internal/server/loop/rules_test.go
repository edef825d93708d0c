package loop

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

func rule(allow bool, line int, ops []rules.Operation, names ...string) rules.Rule {
	return rules.Rule{Allow: allow, Operations: ops, Names: names, Position: rules.Position{File: "10-test.toml", Line: line}}
}

var anything = []rules.Operation{rules.Send, rules.Listen, rules.Request, rules.Reply, rules.Open, rules.Tap, rules.Administer, rules.Limpet, rules.NewBus}

// secretive lets everybody do everything, but nobody may listen to one name.
var secretive = &rules.Set{Rules: []rules.Rule{
	rule(true, 1, anything), rule(false, 3, []rules.Operation{rules.Listen}, "$.Secret"),
}}

func ruled(set *rules.Set) func(*Config) { return func(c *Config) { c.Rules = set } }

// refuses fails unless a request is denied, with that text.
func refuses(t *testing.T, f rawclient.Frame, text string) {
	t.Helper()
	if f.Condition != message.ErrDenied || string(f.Payload) != text {
		t.Errorf("%v: %v %q, want %q", f.Op, f.Condition, f.Payload, text)
	}
}

// TestDeniedNamesItsRule: to who asked, and in the log, which gets a few lines whatever a client does.
func TestDeniedNamesItsRule(t *testing.T) {
	b := start(t, ruled(&rules.Set{Rules: []rules.Rule{
		rule(true, 1, []rules.Operation{rules.Open, rules.Send}),
		rule(false, 5, []rules.Operation{rules.Send}, "$.Door.*"),
	}}))
	k := b.open()
	refuses(t, k.Ask(wire.OpSendMessage, 0, announcement("$.Door.Lock", "open")), "rule 10-test.toml:5 denies to send $.Door.Lock")
	b.Await("denied", "uid=", "operation=send", "rule=10-test.toml:5")
	refuses(t, k.Ask(wire.OpBind, 1, []byte("$.Door.%")), "no rule allows to bind $.Door.% as Replier, and with rules what none allows is denied")
	b.Await("denied", "operation=reply", "rule=none")
	refuses(t, k.Ask(wire.OpSendMessage, 0, request("$.A", "")), "no rule allows to send the Request $.A, and with rules what none allows is denied")
	refuses(t, k.Ask(wire.OpVerbose, 1, nil), "no rule allows to administer the bus, and with rules what none allows is denied")
	refuses(t, k.Ask(wire.OpNewBus, 0, nil), "no rule allows to make a bus, and with rules what none allows is denied")
	refuses(t, k.Ask(wire.OpCarry, 0, nil), "no rule allows to be a Limpet, and with rules what none allows is denied")
	observer := b.dial()
	observer.Hello(0)
	refuses(t, observer.Ask(wire.OpTap, 0, wire.AppendTapFilter(nil, wire.TapFilter{})), "no rule allows to tap the bus, and with rules what none allows is denied")
	k.Must(wire.OpSendMessage, 0, announcement("$.Window", "open"))
}

func TestOpenDenied(t *testing.T) {
	b := start(t, ruled(&rules.Set{Rules: []rules.Rule{rule(false, 2, anything)}}))
	for _, mode := range []uint32{0, wire.ModeRead | wire.ModeWrite} {
		refuses(t, b.dial().Hello(mode), "rule 10-test.toml:2 denies to open a Ksock")
	}
}

// TestTapSeesWhatItsUserMayHear, and nothing of what was denied.
func TestTapSeesWhatItsUserMayHear(t *testing.T) {
	b := start(t, ruled(&rules.Set{Rules: append(secretive.Rules, rule(false, 5, []rules.Operation{rules.Send}, "$.Denied"))}))
	tap, k := b.startTap(100), b.open()
	k.Must(wire.OpSendMessage, 0, announcement("$.Secret", "one"))
	k.Ask(wire.OpSendMessage, 0, announcement("$.Denied", "two"))
	k.Must(wire.OpSendMessage, 0, announcement("$.Open", "three"))
	if e := event(t, tap); string(e.Name) != "$.Open" || e.Missed != 0 {
		t.Errorf("the tap was shown %s", e.Name)
	}
	no := &rules.Set{Rules: append(secretive.Rules, rule(false, 7, []rules.Operation{rules.Tap}))}
	b.on(func(l *Loop) { l.SetRules(no) })
	k.Must(wire.OpSendMessage, 0, announcement("$.Open", "four"))
	b.on(func(l *Loop) { l.SetRules(secretive) })
	k.Must(wire.OpSendMessage, 0, announcement("$.Open", "five"))
	if e := event(t, tap); string(e.Data) != "five" {
		t.Errorf("the tap was shown %q, which came while it was denied", e.Data)
	}
}

// TestLimpetsGoByNewRules: also one that has carried already.
func TestLimpetsGoByNewRules(t *testing.T) {
	b := start(t, ruled(secretive))
	limpet := b.open()
	limpet.Must(wire.OpCarry, 7, nil)
	proxy := wire.AppendProxy(nil, wire.Proxy{Of: message.Origin{Network: 9, Local: 1}, Name: "$.There"})
	limpet.Must(wire.OpBindProxy, 0, proxy)
	limpet.Must(wire.OpUnbind, 1, []byte("$.There"))
	no := &rules.Set{Rules: append(secretive.Rules, rule(false, 9, []rules.Operation{rules.Limpet}))}
	b.on(func(l *Loop) { l.SetRules(no) })
	carried := rawclient.Message(message.Header{ID: message.ID{Network: 9, Serial: 1}}, "$.There", nil)
	for op, payload := range map[wire.Op][]byte{wire.OpCarry: nil, wire.OpBindProxy: proxy, wire.OpSendToListeners: carried, wire.OpFederate: nil} {
		refuses(t, limpet.Ask(op, 0, payload), "rule 10-test.toml:9 denies to be a Limpet")
	}
}

const everything = wire.FeatureRings | wire.FeatureArena

// looks says hello with all that there is.
func (b *bench) looks() (*rawclient.Client, uint32) {
	b.t.Helper()
	c := b.dial()
	w, ok := wire.ParseWelcome(c.HelloFeatures(wire.ModeRead|wire.ModeWrite, everything).Payload)
	if !ok {
		b.t.Fatal("no welcome")
	}
	return c, w.Features & everything
}

// TestRulesKeepMemoryApart: with rules nobody is let into the memory that all share. Who looked into it already sees
// nothing of what is said from then on.
func TestRulesKeepMemoryApart(t *testing.T) {
	b := start(t, nil)
	before, features := b.looks()
	if features != everything {
		t.Fatalf("without rules: features %#x", features)
	}
	before.Bind("$.Body", false)
	before.Must(wire.OpSendMessage, 0, announcement("$.Body", numbered('a', 100_000)))
	b.next(before)
	if before.Rings.InArena != 1 {
		t.Fatal("without rules the message did not come through the arena, so this shows nothing")
	}
	b.on(func(l *Loop) { l.SetRules(secretive) })
	after, features := b.looks()
	if features != wire.FeatureRings || after.Rings.Arena != nil {
		t.Fatalf("with rules: features %#x", features)
	}
	after.Bind("$.Body", false)
	for _, name := range []string{"$.Secret", "$.Body"} {
		after.Must(wire.OpSendMessage, 0, announcement(name, numbered('s', 200_000)))
	}
	for _, c := range []*rawclient.Client{before, after} {
		if m := b.next(c); m.Name != "$.Body" || string(m.Data) != numbered('s', 200_000) {
			t.Errorf("got %s, %d bytes", m.Name, len(m.Data))
		}
	}
	if bytes.Contains(before.Rings.Arena, []byte("ssss")) {
		t.Error("the shared memory has what a client may not hear")
	}
	b.on(func(l *Loop) { l.SetRules(nil) })
	if _, features := b.looks(); features != everything {
		t.Errorf("without rules again: features %#x", features)
	}
}

// TestProgramAndUnit: the program is the file that runs, not what it is called.
func TestProgramAndUnit(t *testing.T) {
	me, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, program string
		allowed       bool
	}{{"my own program", me, true}, {"another one", "/bin/sh", false}} {
		open := rule(true, 1, anything)
		open.Programs = []string{c.program}
		b := start(t, ruled(&rules.Set{Rules: []rules.Rule{open}}))
		if got := b.dial().Hello(wire.ModeRead).Condition; (got == message.OK) != c.allowed {
			t.Errorf("%s: %v", c.what, got)
		}
	}
	cgroup := cgroupOf(uint32(os.Getpid()))
	if cgroup == "" || strings.TrimSuffix(cgroup, "/") == "" {
		t.Skip("this process has no control group below the root")
	}
	for _, unit := range []string{cgroup, "/no/such.service"} {
		open := rule(true, 1, anything)
		open.Units = []string{unit}
		b := start(t, ruled(&rules.Set{Rules: []rules.Rule{open}}))
		if got := b.dial().Hello(wire.ModeRead).Condition; (got == message.OK) != (unit == cgroup) {
			t.Errorf("%s: %v", unit, got)
		}
	}
}
