package mirror

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus/limpet/federation/directory"
	"kbus.example/kbus/limpet/federation/leasekeeper"
	"kbus.example/kbus/limpet/federation/server"
	"kbus.example/kbus/limpet/federation/store"
	"kbus.example/kbus/limpet/federation/subject"
)

// stale is a mirror of member 1 that never learns of a change of the directory, which lies on a real server.
func stale(t *testing.T) *Mirror {
	t.Helper()
	s, err := server.Start(server.Config{Name: "directory", Listen: "127.0.0.1:0", Store: t.TempDir(), Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	nc, err := nats.Connect(s.ClientURL())
	must(t, err)
	t.Cleanup(nc.Close)
	space, err := subject.New("stale")
	must(t, err)
	names, err := store.OpenBucket(t.Context(), store.NATS{Conn: nc}, "kb_stale_names", space.Changes("names"), 1)
	must(t, err)
	leases, err := leasekeeper.Open(t.Context(), store.NATS{Conn: nc}, "stale", 1)
	must(t, err)
	return New(1, names, leases)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A member that records another's epoch may know less than the directory does. It takes nothing back: no later epoch, and
// no end of one.
func TestRecord(t *testing.T) {
	m := stale(t)
	for _, step := range []struct {
		epoch uint64
		over  bool
		want  directory.Member
	}{
		{7, false, directory.Member{Epoch: 7}},
		{6, true, directory.Member{Epoch: 7}},
		{6, false, directory.Member{Epoch: 7}},
		{7, true, directory.Member{Epoch: 7, Over: true}},
		{7, false, directory.Member{Epoch: 7, Over: true}},
		{8, false, directory.Member{Epoch: 8}},
	} {
		must(t, m.Record(t.Context(), directory.Member{ID: 2, Epoch: step.epoch, Over: step.over}))
		var got directory.Member
		e, err := m.Names.Read(t.Context(), subject.Member(2))
		must(t, err)
		must(t, json.Unmarshal(e.Value, &got))
		if got.Epoch != step.want.Epoch || got.Over != step.want.Over {
			t.Errorf("after epoch %d, over %v, the directory has epoch %d, over %v", step.epoch, step.over, got.Epoch, got.Over)
		}
	}
}
