package bus

import (
	"bytes"
	"testing"

	"kbus.example/kbus/message"
)

// At most an eighth of a buffer is left over.
func TestStoreClasses(t *testing.T) {
	for n := range 1<<20 + 1 {
		c := class(n)
		if size := classBytes(c); size < n || n > 32 && (size-n)*8 >= size || c > largestClass {
			t.Fatalf("%d bytes take %d, in class %d", n, size, c)
		}
		if c > smallestClass && classBytes(c-1) >= n {
			t.Fatalf("%d bytes would fit into %d, too", n, classBytes(c-1))
		}
	}
	if class(1<<20+1) <= largestClass {
		t.Error("there is no largest class")
	}
}

// A store that is free is used again for a message of about that size, and no more are kept than keptBytes.
func TestStoreReuse(t *testing.T) {
	b := New(Config{MaxMessageBytes: 8 << 20})
	make := func(n int) *stored {
		m := b.store.keep(&message.Header{}, []byte("$.A"), make([]byte, n))
		m.refs = 1
		return m
	}
	small, large := make(100), make(5000)
	b.release(small)
	b.release(large)
	if m := make(5117); m != large || len(m.data()) != 5117 {
		t.Error("a store of 5120 bytes is not used again for 5120")
	}
	if m := make(5118); m == small || m == large {
		t.Error("a store is used again for what it cannot hold")
	}
	if make(94) != small {
		t.Error("a store of 104 bytes is not used again for 97")
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

// What goes to the garbage collector is counted, so that somebody can have it give memory back: also data that had to move
// out of where the Keeper has it, whose message is kept for reuse.
func TestLeftCountsWhatWasMovedOut(t *testing.T) {
	const size = 300_000
	k := &roomy{}
	b := New(Config{Keeper: k})
	s, _ := b.Open(Owner{UID: 1})
	l, _ := b.Open(Owner{UID: 2})
	b.Bind(l, "$.Large", false)
	m := &message.Header{}
	for range 10 {
		if o := b.Send(s, m, []byte("$.Large"), make([]byte, size)); o.Err != message.OK || o.Reached != 1 {
			t.Fatal(o)
		}
	}
	for held := -1; k.held != held; { // in pieces
		held = k.held
		if b.MoveOut(1); held-k.held > mostMovedOut+size {
			t.Errorf("%d bytes are moved in one go", held-k.held)
		}
	}
	b.Close(l)
	for b.Sweep(1000) {
	}
	if k.held != 0 {
		t.Errorf("the Keeper holds %d bytes for nobody", k.held)
	}
	if n := b.Left(1); n < 10*size {
		t.Errorf("%d bytes are said to be left to the garbage collector, %d are", n, 10*size)
	}
}

// roomy is a Keeper that keeps everything.
type roomy struct{ held int }

func (r *roomy) Keep(data []byte, _ int) []byte { r.held += len(data); return bytes.Clone(data) }
func (r *roomy) Release(kept []byte)            { r.held -= len(kept) }

// What was read belongs to its reader until Release, whoever closes and whatever is sent meanwhile.
func TestDeliveryIsTheReaders(t *testing.T) {
	b := New(Config{})
	s, _ := b.Open(Owner{UID: 1})
	l, _ := b.Open(Owner{UID: 2})
	b.Bind(l, "$.A", false)
	send := func(data string) { b.Send(s, &message.Header{}, []byte("$.A"), []byte(data)) }
	send("first")
	d, _ := b.Next(l)
	if n := b.Info().QueueBytes; n != 0 {
		t.Errorf("%d bytes of a queue charged for what is read", n)
	}
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

// shelf keeps the data of all messages, and counts what it has.
type shelf struct{ has int }

func (s *shelf) Keep(data []byte, _ int) []byte { s.has++; return bytes.Clone(data) }
func (s *shelf) Release([]byte)                 { s.has-- }

// A message of which only-once has swallowed every copy is not kept.
func TestSwallowedIsFreed(t *testing.T) {
	s := &shelf{}
	b := New(Config{Keeper: s})
	l, _ := b.Open(Owner{})
	sender, _ := b.Open(Owner{})
	b.Bind(l, "$.A", false)
	b.OnlyOnce(l, 1)
	for i, want := range []uint32{1, 0} {
		h := message.Header{ID: message.ID{Network: 5, Serial: 1}}
		if o := b.Send(sender, &h, []byte("$.A"), []byte("data")); o.Err != message.OK || o.Reached != want {
			t.Errorf("time %d: %+v", i, o)
		}
	}
	if d, ok := b.Next(l); ok {
		b.Release(&d)
	}
	if s.has != 0 {
		t.Errorf("%d bodies are kept", s.has)
	}
}
