package peerleases

import (
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus/limpet/federation/directory"
	"kbus.example/kbus/limpet/federation/directory/mirror"
	"kbus.example/kbus/limpet/federation/leasekeeper"
	"kbus.example/kbus/limpet/federation/server"
	"kbus.example/kbus/limpet/federation/store"
	"kbus.example/kbus/limpet/federation/subject"
)

// world is a monitor of member 1, and a directory on a real server.
type world struct {
	*testing.T
	*Monitor
}

func newWorld(t *testing.T) *world {
	log := slog.New(slog.DiscardHandler)
	w := &world{T: t}
	s, err := server.Start(server.Config{Name: "directory", Listen: "127.0.0.1:0", Store: t.TempDir(), Log: log})
	w.must(err)
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	nc, err := nats.Connect(s.ClientURL())
	w.must(err)
	t.Cleanup(nc.Close)
	space, err := subject.New("test")
	w.must(err)
	names, err := store.OpenBucket(t.Context(), store.NATS{Conn: nc}, "kb_test_names", space.Changes("names"), 1)
	w.must(err)
	leases, err := leasekeeper.Open(t.Context(), store.NATS{Conn: nc}, "test", 1)
	w.must(err)
	w.Monitor = New(mirror.New(1, names, leases), log)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) swap(b *store.Bucket, key string, value []byte, revision uint64) uint64 {
	w.Helper()
	made, err := b.Swap(w.Context(), key, value, revision)
	w.must(err)
	return made
}

// read reads a key, and reports whether it is there.
func (w *world) read(b *store.Bucket, key string, v any) bool {
	w.Helper()
	e, err := b.Read(w.Context(), key)
	if err != nil && !errors.Is(err, store.ErrNone) {
		w.Fatal(err)
	}
	return err == nil && !e.Deleted && json.Unmarshal(e.Value, v) == nil
}

// A lease is ended at the revision that was seen and at no other; and with it go the claims of its epoch, at once.
func TestEvict(t *testing.T) {
	w := newWorld(t)
	names, leases := w.mirror.Names, w.mirror.Leases
	held := leasekeeper.Record{Member: 2, Epoch: 5, Start: 1000}
	member := directory.Member{ID: 2, Epoch: 5}
	w.swap(names, subject.Member(2), directory.Marshal(member), 0)
	for name, epoch := range map[string]uint64{"$.Old": 4, "$.Held": 5, "$.Next": 6} {
		w.swap(names, subject.Claim(name), directory.Marshal(directory.Claim{Member: 2, Epoch: epoch, Ksock: 1}), 0)
	}
	caught := make(chan struct{})
	go func() { _ = w.mirror.Follow(t.Context(), func() { close(caught) }) }()
	<-caught
	p := &peer{member: member}
	first := w.swap(leases, subject.Lease(2), held.Bytes(), 0)
	p.see(held, first)
	held.Start = 4000
	second := w.swap(leases, subject.Lease(2), held.Bytes(), first)

	w.evict(t.Context(), p)
	var got leasekeeper.Record
	if !w.read(leases, subject.Lease(2), &got) || got != held || p.revision != second {
		t.Errorf("refreshed unseen: the lease is %+v, and seen at %d; want %+v, at %d", got, p.revision, held, second)
	}
	w.evict(t.Context(), p)
	if held.Over = true; !w.read(leases, subject.Lease(2), &got) || got != held {
		t.Errorf("silent: the lease is %+v, want %+v", got, held)
	}
	var recorded directory.Member
	if !w.read(names, subject.Member(2), &recorded) || !recorded.Over || recorded.Epoch != 5 {
		t.Errorf("the directory has %+v", recorded)
	}
	for name, want := range map[string]bool{"$.Old": false, "$.Held": false, "$.Next": true} {
		if w.read(names, subject.Claim(name), &directory.Claim{}) != want {
			t.Errorf("the claim on %s is there: %v, want %v", name, !want, want)
		}
	}
	w.evict(t.Context(), p) // once more, after it is over
}
