package federation

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/nats-io/nats.go"

	"kbus/limpet/federation/directory"
	"kbus/limpet/federation/office"
	"kbus/limpet/federation/store"
	"kbus/limpet/federation/subject"
)

// deaf is a session of bowl 1 that has begun nothing, and never hears of a change of the directory.
func deaf(t *testing.T) *session {
	t.Helper()
	nc, err := nats.Connect(newHall(t).url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	b, err := New(nc, Config{ID: 1, Federation: "deaf", Names: []string{"$.*"}, Replicas: 1, Log: slog.New(slog.DiscardHandler)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &atlas{Bowl: b, table: directory.New()}
	a.names, err = store.OpenBucket(t.Context(), nc, b.bucket("names"), b.space.Changes("names"), 1)
	if err != nil {
		t.Fatal(err)
	}
	a.leases, err = office.Open(t.Context(), nc, b.Federation, 1)
	if err != nil {
		t.Fatal(err)
	}
	return &session{Bowl: b, atlas: a, ctx: t.Context()}
}

// Who tells of a bowl may know less than the directory does. It takes nothing back: no later epoch, and no end of one.
func TestLateNewsOfBowl(t *testing.T) {
	s := deaf(t)
	for _, step := range []struct {
		epoch uint64
		over  bool
		want  directory.Bowl
	}{
		{7, false, directory.Bowl{Epoch: 7}},
		{6, true, directory.Bowl{Epoch: 7}},
		{6, false, directory.Bowl{Epoch: 7}},
		{7, true, directory.Bowl{Epoch: 7, Over: true}},
		{7, false, directory.Bowl{Epoch: 7, Over: true}},
		{8, false, directory.Bowl{Epoch: 8}},
	} {
		if err := s.tellOfBowl(t.Context(), 2, step.epoch, step.over); err != nil {
			t.Fatalf("telling of epoch %d: %v", step.epoch, err)
		}
		var got directory.Bowl
		e, err := s.atlas.names.Read(t.Context(), subject.Bowl(2))
		if err != nil || json.Unmarshal(e.Value, &got) != nil {
			t.Fatal(err)
		}
		if got.Epoch != step.want.Epoch || got.Over != step.want.Over {
			t.Errorf("after epoch %d, over %v, the directory has epoch %d, over %v", step.epoch, step.over, got.Epoch, got.Over)
		}
	}
}
