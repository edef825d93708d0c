package bus

import (
	"testing"

	"kbus.example/kbus/message"
)

// What is out of a queue: who is charged for it until it is freed, what becomes of its place, and what comes before what.

// takes is a window whose client takes what the test says it takes.
type takes struct {
	Window
	shown, taken int
}

func (c *takes) Taken() int {
	n := c.taken
	c.taken = 0
	c.shown -= n
	return n
}
func (c *takes) Shown() int { return c.shown }
func (c *takes) Withdraw()  { c.shown = c.taken }

// Two users throw away a queue each before anything is freed. Each gets its own charge back, and no other.
func TestEachThrowsAwayItsOwn(t *testing.T) {
	b := New(Config{})
	sender := newUser(t, b, 1000, 1)
	var users []*user
	for uid := range uint32(3) {
		u := newUser(t, b, uid, 1)
		u.bind(0, "$.All", false)
		u.bind(0, "$.Rest", false)
		users = append(users, u)
	}
	const all, rest = 2 * sweepPiece, 20 * sweepPiece // more than is freed at once, and little of a queue
	for i := range all + rest {
		name := []byte("$.All")
		if i >= all {
			name = []byte("$.Rest")
		}
		b.Send(sender.ksocks[0], &message.Header{}, name, nil)
	}
	for _, u := range users {
		if c := b.Unbind(u.ksocks[0], "$.All", false); c != message.OK {
			t.Fatal(c)
		}
	}
	for b.Sweep(1) {
	}
	for _, u := range users {
		if n := u.read(0); n != rest {
			t.Errorf("user %d reads %d messages", u.uid, n)
		}
	}
	for _, u := range users {
		if u.held() != 0 {
			t.Errorf("user %d is still charged for %d bytes", u.uid, u.held())
		}
	}
}

// Answers that are taken from the middle of a long queue leave no more holes than an eighth of it.
func TestHolesCloseUp(t *testing.T) {
	const asked = 5000
	b := New(Config{})
	k, r := newUser(t, b, 1, 1), newUser(t, b, 2, 1)
	k.bind(0, "$.News", false)
	r.bind(0, "$.R", true)
	asker, replier := k.ksocks[0], r.ksocks[0]
	var ids []message.ID
	for range asked {
		o := b.Send(asker, &message.Header{Flags: message.WantAReply}, []byte("$.R"), nil)
		d, _ := b.Next(replier)
		h := message.Header{InReplyTo: d.ID, To: d.From}
		b.Release(&d)
		b.Send(replier, &message.Header{}, []byte("$.News"), nil)
		b.Send(replier, &h, []byte("$.R"), nil)
		ids = append(ids, o.ID)
	}
	for i, id := range ids {
		d, ok := b.NextReply(asker, id)
		if !ok {
			t.Fatalf("answer %d is not there", i)
		}
		b.Release(&d)
		if q := &asker.queue; q.holes > max(glance, q.len()/8)+1 {
			t.Fatalf("after %d answers there are %d holes among %d messages", i+1, q.holes, q.len())
		}
	}
}

// An event was set aside for a Ksock, whose client then takes the message before it through its window, which the bus has
// not heard of. What comes next stands behind the event.
func TestSetAsideComesBeforeWhatIsNew(t *testing.T) {
	b := New(Config{})
	k, s := newUser(t, b, 1, 1), newUser(t, b, 2, 1)
	listener, service := k.ksocks[0], s.ksocks[0]
	s.bind(0, "$.R", true)
	o := b.Send(listener, &message.Header{Flags: message.WantAReply}, []byte("$.R"), nil)
	d, _ := b.Next(service)
	reply := message.Header{InReplyTo: o.ID, To: listener.id}
	b.Release(&d)

	k.bind(0, message.NameReplierBindEvent, false)
	k.bind(0, "$.News", false)
	if _, c := b.ReportReplierBinds(listener, 1); c != message.OK {
		t.Fatal(c)
	}
	for d, ok := b.Next(listener); ok; d, ok = b.Next(listener) {
		b.Release(&d)
	}
	b.SetMaxMessages(listener, 2) // one place is for the Reply
	b.Send(service, &message.Header{}, []byte("$.News"), nil)
	s.bind(0, "$.Aside", true)
	if !listener.HasSetAside() {
		t.Fatal("the event has found a place")
	}
	b.SetWindow(listener, &takes{shown: 1, taken: 1})
	b.Send(service, &reply, []byte("$.R"), nil)
	var got []string
	for d, ok := b.Next(listener); ok; d, ok = b.Next(listener) {
		got = append(got, string(d.Name))
		b.Release(&d)
	}
	if len(got) != 2 || got[0] != message.NameReplierBindEvent || got[1] != "$.R" {
		t.Errorf("got %q", got)
	}
}

// A Reply waits for room, since its addressee and a Listener cannot both be charged for it. When the addressee gives up, the
// Listener alone can: the sender is told.
func TestGivingUpMakesRoomForTheReply(t *testing.T) {
	const bytes = 1000
	b := New(Config{Limits: Limits{QueueBytes: 4 * (bytes + 2*perMessage)}})
	asker, service := newUser(t, b, 1, 1), newUser(t, b, 2, 1)
	k, r := asker.ksocks[0], service.ksocks[0]
	service.bind(0, "$.R", true)
	o := b.Send(k, &message.Header{Flags: message.WantAReply}, []byte("$.R"), nil)
	d, _ := b.Next(r)
	b.Release(&d)
	service.bind(0, "$.*", false)
	size := 4 * bytes
	for c := message.OK; c != message.ErrPending; size -= 50 { // the longest that the sender itself can be charged for
		reply := message.Header{InReplyTo: o.ID, To: k.id, Flags: message.AllOrWait}
		if c = b.Send(r, &reply, []byte("$.R"), make([]byte, size)).Err; c == message.OK || size < 0 {
			t.Fatalf("a Reply of %d bytes: %v", size, c)
		}
	}
	b.Due()
	b.GiveUp(k, o.ID)
	if len(b.Due()) == 0 {
		t.Error("the sender is not told")
	}
}
