package bus

import (
	"bytes"
	"testing"

	"kbus/message"
)

// A store that is free is used again for a message of about that size, and no more are kept than keptBytes.
func TestStoreReuse(t *testing.T) {
	b := New(Config{MaxMessageBytes: 8 << 20})
	make := func(n int) *stored {
		m := b.store.keep(&message.Header{}, []byte("$.A"), make([]byte, n), nil)
		m.refs = 1
		return m
	}
	small, large := make(100), make(5000)
	b.release(small)
	b.release(large)
	if m := make(8189); m != large || len(m.data()) != 8189 {
		t.Error("a store of 8192 bytes is not used again for 8192")
	}
	if m := make(8190); m == small || m == large {
		t.Error("a store is used again for what it cannot hold")
	}
	if make(0) != small {
		t.Error("a store of 128 bytes is not used again for 3")
	}
	if b.store.kept != 0 {
		t.Errorf("%d bytes said to be kept, none is", b.store.kept)
	}

	b.release(make(1 << 20)) // over the largest class, with its name
	if b.store.kept != 0 {
		t.Error("a large store is kept")
	}
	var all []*stored
	for range 2*keptBytes/(1<<20) + 1 {
		all = append(all, make(1<<20-3))
	}
	for _, m := range all {
		b.release(m)
	}
	if b.store.kept != keptBytes {
		t.Errorf("%d bytes kept, want %d", b.store.kept, keptBytes)
	}
}

// What was read belongs to its reader until Release, whoever closes and whatever is sent meanwhile.
func TestDeliveryIsTheReaders(t *testing.T) {
	b := New(Config{})
	s, _ := b.Open(Owner{UID: 1})
	l, _ := b.Open(Owner{UID: 2})
	b.Bind(l, "$.A", false)
	send := func(data string) { b.Send(s, &message.Header{}, []byte("$.A"), []byte(data)) }
	send("first")
	d, _ := b.Next(l)
	held := b.Info().QueueBytes
	send("second")
	b.Close(l)
	b.Close(s)
	other, _ := b.Open(Owner{UID: 3})
	b.Bind(other, "$.*", false)
	b.Send(other, &message.Header{}, []byte("$.B"), bytes.Repeat([]byte("x"), 50))
	b.Close(other)
	if string(d.Name) != "$.A" || string(d.Data) != "first" || d.From != s.ID() {
		t.Errorf("read %q %q from %d, now", d.Name, d.Data, d.From)
	}
	if i := b.Info(); i.QueueBytes != held || held == 0 {
		t.Errorf("%d bytes charged for what is read and not released, want %d", i.QueueBytes, held)
	}
	b.Release(&d)
	if i := b.Info(); i.QueueBytes != 0 || len(b.accounts.users) != 0 {
		t.Errorf("%d bytes of %d users charged after all is released", i.QueueBytes, len(b.accounts.users))
	}
}

// R1.7 After 2^32 opens a new Ksock may be given an id that an old one still has. The newest is the one that messages
// find, and when it closes the old one is found again.
func TestKsocksOfOneID(t *testing.T) {
	b := New(Config{})
	old, _ := b.Open(Owner{})
	b.nextKsock = 0xFFFFFFFF
	b.Open(Owner{})
	young, _ := b.Open(Owner{})
	if old.ID() != 1 || young.ID() != 1 {
		t.Fatalf("ids %d and %d, want 1 and 1", old.ID(), young.ID())
	}
	if b.ksocks[1] != young {
		t.Error("the old Ksock is found")
	}
	b.Close(young)
	if b.ksocks[1] != old {
		t.Error("the old Ksock is not found again")
	}
	b.nextKsock = 1
	youngest, _ := b.Open(Owner{})
	b.Close(old)
	b.Close(old) // once more has no effect
	if b.ksocks[1] != youngest {
		t.Error("the young Ksock is not found any more when the old one has closed")
	}
	b.Close(youngest)
	if b.ksocks[1] != nil || b.Info().Ksocks != 1 {
		t.Errorf("a closed Ksock is found, or counted: %d", b.Info().Ksocks)
	}
}
