package server

import (
	"os"
	"strings"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Who may administer: root and the server's own user, and whom the setting names.
func TestAdministration(t *testing.T) {
	own := uint32(os.Geteuid())
	never := func() []uint32 { t.Error("groups are asked for in vain"); return nil }
	in := func(gids ...uint32) func() []uint32 { return func() []uint32 { return gids } }
	for _, c := range []struct {
		setting  string
		uid, gid uint32
		groups   func() []uint32
		want     bool
	}{
		{"owner", 0, 0, never, true}, {"owner", own, 9, never, true}, {"owner", own + 1, 0, never, false},
		{"anybody", own + 1, 9, never, true}, {"group:77", own, 9, never, true},
		{"group:77", own + 1, 77, in(), true}, {"group:77", own + 1, 9, in(5, 77), true},
		{"group:77", own + 1, 9, in(5, 78), false}, {"group:root", own + 1, 0, in(), true},
	} {
		config := Default()
		if config.Administration = c.setting; len(config.Check()) > 0 {
			t.Error(config.Check())
		}
		a, err := administratorsBy("administration", config.Administration)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.has(c.uid, c.gid, c.groups); got != c.want {
			t.Errorf("administration %q, user %d, group %d: %v", c.setting, c.uid, c.gid, got)
		}
	}
	for _, bad := range []string{"", "group:", "nobody", "Owner"} {
		config := Default()
		config.Administration = bad
		if errs := config.Check(); len(errs) != 1 || errs[0].Key != "administration" {
			t.Errorf("%q: %v", bad, errs)
		}
	}
	config := Default()
	config.Dir, config.Administration = t.TempDir(), "group:no-such-group"
	if _, err := Start(config, nil); err == nil || !strings.Contains(err.Error(), "administration") {
		t.Errorf("an unknown group: %v", err)
	}
}

// A switch that is turned is logged with who has done it, and a reload puts it back. The server says by which setting
// somebody may not turn it.
func TestSwitches(t *testing.T) {
	b := start(t, nil)
	k := b.open()
	k.Must(wire.OpMaxMessageSize, 200, nil)
	b.Await("switch of the bus turned", "maximum message size", "from=409600", "to=200", "pid=", "uid=", "program=")
	k.Must(wire.OpVerbose, 1, nil)
	k.Must(wire.OpReportReplierBinds, 1, nil)
	b.Await("switch of the bus turned", "report-replier-binds")
	if err := b.Reload(b.config); err != nil {
		t.Fatal(err)
	}
	b.Await("switch of the bus put back", "maximum message size", "from=200", "to=409600")
	for op, want := range map[wire.Op]uint32{wire.OpMaxMessageSize: 409600, wire.OpVerbose: 0, wire.OpReportReplierBinds: 1} {
		ask := uint32(bus.JustAsk)
		if op == wire.OpMaxMessageSize {
			ask = 0
		}
		if got := k.Must(op, ask, nil).Arg; got != want {
			t.Errorf("%v is %d after a reload; want %d", op, got, want)
		}
	}
	if got := b.Explain(message.ErrNotAdministrator); got != `setting administration is "owner"` {
		t.Errorf("who may not is told %q", got)
	}
}

// Buses are made by administrators, of whom each may make some; root and the server's own user as many as there may be.
func TestNewBusesPerUser(t *testing.T) {
	b := start(t, func(c *Config) { c.Limits.NewBusesPerUser = 2; c.Limits.Buses = 7 })
	somebody, another := uint32(os.Geteuid()+1000), uint32(os.Geteuid()+1001)
	for i, c := range []struct {
		by   bus.Owner
		want message.Condition
	}{
		{bus.Owner{UID: somebody}, message.ErrNotAdministrator},
		{bus.Owner{UID: somebody, Administrator: true}, message.OK},
		{bus.Owner{UID: somebody, Administrator: true}, message.OK},
		{bus.Owner{UID: somebody, Administrator: true}, message.ErrUserBuses},
		{bus.Owner{UID: another, Administrator: true}, message.OK},
		{bus.Owner{UID: 0, Administrator: true}, message.OK},
		{bus.Owner{UID: 0, Administrator: true}, message.OK},
		{bus.Owner{UID: 0, Administrator: true}, message.OK},
		{bus.Owner{UID: 0, Administrator: true}, message.ErrTooManyBuses},
	} {
		if _, got := b.NewBus(c.by); got != c.want {
			t.Errorf("%d: %v; want %v", i, got.Name(), c.want.Name())
		}
	}
	for c, want := range map[message.Condition]string{
		message.ErrUserBuses: "2, setting limits.new-buses-per-user", message.ErrTooManyBuses: "7, setting limits.buses",
	} {
		if got := b.Explain(c); got != want {
			t.Errorf("%v: %q", c.Name(), got)
		}
	}
}

func TestWhoMayTap(t *testing.T) {
	for _, c := range []struct {
		setting  string
		uid, gid uint32
		want     bool
	}{
		{"owner", 0, 0, true}, {"owner", 65534, 0, false}, {"anybody", 65534, 65534, true},
		{"group:12345", 65534, 12345, true}, {"group:12345", 65534, 65534, false}, {"group:12345", 0, 0, true},
	} {
		who, err := administratorsBy("taps", c.setting)
		if err != nil {
			t.Fatal(err)
		}
		s := &permitted{tappers: who}
		if got := s.MayTap(c.uid, c.gid, func() []uint32 { return nil }); got != c.want {
			t.Errorf("%s: %d of %d: %v", c.setting, c.uid, c.gid, got)
		}
	}
}
