package store

import (
	"errors"
	"testing"
)

// Any replica tells of a key what the leader tells.
func TestGlance(t *testing.T) {
	b, err := OpenBucket(t.Context(), NATS{Conn: connected(t)}, "rack", "rack.out.>", 1)
	must(t, err)
	same := func(when string) {
		t.Helper()
		glance, err := b.Glance(t.Context(), "key")
		read, want := b.Read(t.Context(), "key")
		if !errors.Is(err, want) || glance.Key != read.Key || string(glance.Value) != string(read.Value) ||
			glance.Revision != read.Revision || glance.Deleted != read.Deleted {
			t.Errorf("%s it glances %+v, %v and reads %+v, %v", when, glance, err, read, want)
		}
	}
	same("before it is there")
	first, err := b.Swap(t.Context(), "key", []byte("value"), 0)
	must(t, err)
	same("when it is there")
	must(t, b.Delete(t.Context(), "key", first))
	same("when it is deleted")
}
