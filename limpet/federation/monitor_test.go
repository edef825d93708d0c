package federation

import (
	"encoding/json"
	"errors"
	"testing"

	"kbus/limpet/federation/directory"
	"kbus/limpet/federation/store"
	"kbus/limpet/federation/subject"
)

// A lease is ended at the revision that was seen and at no other; and with it go the claims of its epoch, at once.
func TestEvictBowl(t *testing.T) {
	s := deaf(t)
	swap := func(b *store.Store, key string, v any, revision uint64) uint64 {
		t.Helper()
		made, err := b.Swap(t.Context(), key, marshal(v), revision)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	read := func(b *store.Store, key string, v any) bool {
		t.Helper()
		e, err := b.Read(t.Context(), key)
		if err != nil && !errors.Is(err, store.ErrNone) {
			t.Fatal(err)
		}
		return err == nil && !e.Deleted && json.Unmarshal(e.Value, v) == nil
	}
	held := tenancy{Bowl: 2, Epoch: 5, Start: 1000}
	swap(s.atlas.names, subject.Bowl(2), directory.Bowl{ID: 2, Epoch: 5}, 0)
	for name, epoch := range map[string]uint64{"$.Old": 4, "$.Held": 5, "$.Next": 6} {
		c := directory.Claim{Bowl: 2, Epoch: epoch, Ksock: 1}
		c.Revision = swap(s.atlas.names, subject.Claim(name), c, 0)
		s.atlas.table.Set(name, c)
	}
	w := &ward{bowl: directory.Bowl{ID: 2, Epoch: 5}}
	first := swap(s.atlas.leases, subject.Lease(2), held, 0)
	w.see(held, first)
	held.Start = 4000
	second := swap(s.atlas.leases, subject.Lease(2), held, first)

	s.evictBowl(w)
	var got tenancy
	if !read(s.atlas.leases, subject.Lease(2), &got) || got != held || w.revision != second {
		t.Errorf("refreshed unheard: the lease is %+v, and seen at %d; want %+v, at %d", got, w.revision, held, second)
	}
	s.evictBowl(w)
	if held.Over = true; !read(s.atlas.leases, subject.Lease(2), &got) || got != held {
		t.Errorf("silent: the lease is %+v, want %+v", got, held)
	}
	var told directory.Bowl
	if !read(s.atlas.names, subject.Bowl(2), &told) || !told.Over || told.Epoch != 5 {
		t.Errorf("the others are told %+v", told)
	}
	for name, want := range map[string]bool{"$.Old": false, "$.Held": false, "$.Next": true} {
		if read(s.atlas.names, subject.Claim(name), &directory.Claim{}) != want {
			t.Errorf("the claim on %s is there: %v, want %v", name, !want, want)
		}
	}
	s.evictBowl(w) // once more, before anybody has heard
}
