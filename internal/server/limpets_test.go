package server

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

func TestNoLimpets(t *testing.T) {
	k := start(t, func(c *Config) { c.Limpets = NoLimpets }).open()
	for _, f := range []rawclient.Frame{
		k.Ask(wire.OpFederate, 0, nil), k.Ask(wire.OpSendToListeners, 0, announcement("$.A", "")),
		k.Ask(wire.OpCarry, 1, nil),
	} {
		if f.Condition != message.ErrNotPermitted {
			t.Errorf("%v: %v", f.Op, f.Condition)
		}
	}
}

func TestWhoMayFederate(t *testing.T) {
	own := uint32(os.Geteuid())
	for _, c := range []struct {
		setting Limpets
		uid     uint32
		want    bool
	}{
		{LimpetsOfOwner, 0, true}, {LimpetsOfOwner, own, true}, {LimpetsOfOwner, own + 1, false},
		{LimpetsOfAnyone, own + 1, true}, {NoLimpets, own, false}, {NoLimpets, 0, false},
	} {
		s := &permitted{limpets: c.setting}
		if got := s.MayJoin(session.Peer{UID: c.uid}); got != c.want {
			t.Errorf("setting %d, user %d, own %d: %v", c.setting, c.uid, own, got)
		}
	}
}

// On a bus that must have a federator there are no Repliers without one, but of each bus's own names.
func TestFederated(t *testing.T) {
	s := start(t, func(c *Config) { c.Buses, c.Federated = 2, BusSet{numbers: []int{1}} })
	for bus, want := range []message.Condition{message.OK, message.ErrNoFederation} {
		k := rawclient.Open(t, s.path(bus))
		if f := k.Ask(wire.OpBind, 1, []byte("$.A")); f.Condition != want {
			t.Errorf("bus %d: %v", bus, f.Condition)
		}
		k.Must(wire.OpBind, 1, []byte("$.KBUS.Own"))
		k.Must(wire.OpBind, 0, []byte("$.A"))
	}
}

func TestBusSet(t *testing.T) {
	for _, c := range []struct{ text, want, has, hasNot string }{
		{"none", "none", "", "0 1"}, {"all", "all", "0 255", ""}, {"3, 0,3", "0,3", "0 3", "1 2"},
	} {
		b, err := ParseBusSet(c.text)
		if err != nil || b.String() != c.want {
			t.Errorf("%q is %v, %v", c.text, b, err)
		}
		for i := range MaxBuses {
			word := strconv.Itoa(i)
			if slices.Contains(strings.Fields(c.has), word) && !b.Has(i) ||
				slices.Contains(strings.Fields(c.hasNot), word) && b.Has(i) {
				t.Errorf("%q and bus %d: %v", c.text, i, b.Has(i))
			}
		}
	}
	for _, text := range []string{"", "one", "1;2", "-1", "256", "1,", "all,1"} {
		if b, err := ParseBusSet(text); err == nil {
			t.Errorf("%q is %v", text, b)
		}
	}
}
