package bus

import (
	"math/rand/v2"
	"testing"

	"kbus.example/kbus/message"
)

// The algebra of shares (F43), with two and three users.

// user is one uid on a bus, with some Ksocks of its own.
type user struct {
	t      *testing.T
	b      *Bus
	uid    uint32
	ksocks []*Ksock
}

func newUser(t *testing.T, b *Bus, uid uint32, ksocks int) *user {
	u := &user{t: t, b: b, uid: uid}
	for range ksocks {
		k, c := b.Open(Owner{UID: uid})
		if c != message.OK {
			t.Fatal(c)
		}
		b.SetMaxMessages(k, 1<<32-1)
		u.ksocks = append(u.ksocks, k)
	}
	return u
}

func (u *user) bind(k int, name string, replier bool) {
	if c := u.b.Bind(u.ksocks[k], name, replier); c != message.OK {
		u.t.Fatal(c)
	}
}

func (u *user) held() int64 { return u.ksocks[0].account.bytes }

func (u *user) read(k int) (n int) {
	for d, ok := u.b.Next(u.ksocks[k]); ok; d, ok = u.b.Next(u.ksocks[k]) {
		u.b.Release(&d)
		n++
	}
	return n
}

// Users who never read take one after the other half of what is left, to the message; and give all back.
func TestEachMayTakeHalfOfWhatIsLeft(t *testing.T) {
	const all, bytes = 1 << 20, 100
	b := New(Config{Limits: Limits{QueueBytes: all}})
	sender := newUser(t, b, 1000, 1)
	var users []*user
	left := int64(all)
	for uid := range uint32(4) {
		u := newUser(t, b, uid, 2)
		users = append(users, u)
		name := string([]byte{'$', '.', byte('A' + uid)})
		u.bind(0, name, false)
		u.bind(1, name, false)
		for o := (Outcome{}); o.Skipped == 0; {
			o = b.Send(sender.ksocks[0], &message.Header{}, []byte(name), make([]byte, bytes))
		}
		if h, one := u.held(), charge(3, bytes)+2*perCopy; h > left/2 || h <= left/2-one {
			t.Errorf("user %d holds %d of %d", uid, h, left)
		}
		left -= u.held()
	}
	if b.Info().QueueBytes != all-left {
		t.Errorf("%d bytes held, want %d", b.Info().QueueBytes, all-left)
	}
	for _, u := range users {
		for _, k := range u.ksocks {
			b.Close(k)
		}
	}
	for b.Sweep(1) {
	}
	if n := b.Info().QueueBytes; n != 0 {
		t.Errorf("%d bytes are left", n)
	}
}

// Somebody reads nothing, with any number of Ksocks and bindings, and whatever is sent to all: two others, or one with
// itself, lose no message, no Request and no Reply.
func TestWhoReadsNothingCostsOthersNothing(t *testing.T) {
	for _, pair := range [][2]uint32{{2, 3}, {2, 2}} {
		r := rand.New(rand.NewPCG(1, uint64(pair[1])))
		b := New(Config{Limits: Limits{QueueBytes: 400_000, UserQueueBytes: 150_000}})
		idle := newUser(t, b, 1, 20)
		for k := range idle.ksocks {
			idle.bind(k, "$.*", false)
			idle.bind(k, "$.News", false)
		}
		asker, replier := newUser(t, b, pair[0], 1), newUser(t, b, pair[1], 1)
		asker.bind(0, "$.News", false)
		replier.bind(0, "$.Q", true)
		a, q := asker.ksocks[0], replier.ksocks[0]
		for i := range 3000 {
			data := make([]byte, r.IntN(30_000))
			if o := b.Send(q, &message.Header{}, []byte("$.News"), data); o.Err != message.OK || o.Reached < 1 {
				t.Fatalf("announcement %d: %+v", i, o)
			}
			if n := asker.read(0); n != 1 {
				t.Fatalf("%d announcements heard", n)
			}
			h := message.Header{Flags: message.WantAReply}
			o := b.Send(a, &h, []byte("$.Q"), data)
			d, ok := b.Next(q)
			if o.Err != message.OK || !ok {
				t.Fatalf("request %d: %+v, %v", i, o, ok)
			}
			h = message.Header{InReplyTo: d.ID, To: d.From}
			b.Release(&d)
			if o := b.Send(q, &h, []byte("$.Q"), data); o.Err != message.OK {
				t.Fatalf("reply %d: %+v", i, o)
			}
			if d, ok = b.NextReply(a, o.ID); !ok {
				t.Fatalf("no reply %d", i)
			}
			b.Release(&d)
		}
		if idle.held() < 100_000 || idle.held() > 150_000 {
			t.Errorf("who reads nothing holds %d bytes", idle.held())
		}
	}
}

// An expected Reply fits, though its addressee's user can be charged nothing more and others hold all that there is. Far
// beyond the limit it becomes a Status, so that nobody can have all memory filled with Replies that it does not read.
func TestExpectedRepliesFit(t *testing.T) {
	b := New(Config{Limits: Limits{QueueBytes: 4 << 20, UserQueueBytes: 2 << 20}})
	u, s := newUser(t, b, 1, 2), newUser(t, b, 2, 1)
	s.bind(0, "$.Q", true)
	u.bind(1, "$.News", false)
	const asked = 400
	for range asked {
		h := message.Header{Flags: message.WantAReply}
		if o := b.Send(u.ksocks[0], &h, []byte("$.Q"), nil); o.Err != message.OK {
			t.Fatalf("%+v", o)
		}
	}
	for o := (Outcome{}); o.Skipped == 0; {
		o = b.Send(s.ksocks[0], &message.Header{}, []byte("$.News"), make([]byte, 10_000))
	}
	data := make([]byte, 400_000)
	replies := 0
	for i := range asked {
		d, _ := b.Next(s.ksocks[0])
		h := message.Header{InReplyTo: d.ID, To: d.From}
		b.Release(&d)
		o := b.Send(s.ksocks[0], &h, []byte("$.Q"), data)
		if o.Err != message.OK || o.Reached == 0 && i < 100 {
			t.Fatalf("reply %d: %+v", i, o)
		}
		replies += int(o.Reached)
	}
	if most := int64(2<<20 + beyond); u.held() > most+asked*400 || u.held() < most-500_000 {
		t.Errorf("%d bytes held, want about %d", u.held(), most)
	}
	statuses := 0
	for d, ok := b.Next(u.ksocks[0]); ok; d, ok = b.Next(u.ksocks[0]) {
		if string(d.Name) == message.NameErrorSending {
			statuses++
		}
		b.Release(&d)
	}
	if statuses == 0 || replies+statuses != asked || u.ksocks[0].outstanding.len() != 0 || s.ksocks[0].unreplied.len() != 0 {
		t.Errorf("%d Replies and %d Statuses to %d Requests", replies, statuses, asked)
	}
}

// peeped is a window that counts how often it is looked at.
type peeped struct {
	Window
	looks *int
}

func (p peeped) Taken() int { *p.looks++; return 0 }
func (peeped) Shown() int   { return 0 }
func (peeped) Withdraw()    {}

// A message for very many windows of users who cannot be charged has each of them looked at a few times, and not once
// for each of the others.
func TestFullWindowsAreLookedAtOnce(t *testing.T) {
	const crowd = 200
	b := New(Config{Limits: Limits{UserQueueBytes: 20_000}})
	full, sender := newUser(t, b, 1, crowd), newUser(t, b, 2, 1)
	looks := 0
	for i, k := range full.ksocks {
		b.SetWindow(k, peeped{looks: &looks})
		full.bind(i, "$.All", false)
	}
	for range 10 {
		looks = 0
		b.Send(sender.ksocks[0], &message.Header{}, []byte("$.All"), nil)
	}
	if looks > 4*crowd {
		t.Errorf("%d looks at %d windows", looks, crowd)
	}
}

// Where users have no limit of their own, that of the bus bounds their Replies.
func TestRepliesAreBoundedByTheBus(t *testing.T) {
	b := New(Config{Limits: Limits{QueueBytes: 4 << 20}})
	u, s := newUser(t, b, 1, 1), newUser(t, b, 2, 1)
	s.bind(0, "$.Q", true)
	for range 200 {
		h := message.Header{Flags: message.WantAReply}
		b.Send(u.ksocks[0], &h, []byte("$.Q"), nil)
	}
	for range 200 {
		d, _ := b.Next(s.ksocks[0])
		h := message.Header{InReplyTo: d.ID, To: d.From}
		b.Release(&d)
		b.Send(s.ksocks[0], &h, []byte("$.Q"), make([]byte, 400_000))
	}
	if most := int64(4<<20 + beyond + 100_000); u.held() > most {
		t.Errorf("%d bytes held, more than %d", u.held(), most)
	}
}
