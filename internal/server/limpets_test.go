package server

import (
	"os"
	"testing"

	"kbus/internal/server/rawclient"
	"kbus/internal/session"
	"kbus/internal/wire"
	"kbus/message"
)

func TestNoLimpets(t *testing.T) {
	k := start(t, func(c *Config) { c.Limpets = NoLimpets }).open()
	for _, f := range []rawclient.Frame{
		k.Ask(wire.OpFederate, 0, nil), k.Ask(wire.OpSendToListeners, 0, announcement("$.A", "")),
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
		s := &Server{config: Config{Limpets: c.setting}}
		if got := s.mayFederate(session.Peer{UID: c.uid}); got != c.want {
			t.Errorf("setting %d, user %d, own %d: %v", c.setting, c.uid, own, got)
		}
	}
}
