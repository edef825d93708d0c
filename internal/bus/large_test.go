package bus

import (
	"testing"

	"kbus.example/kbus/message"
)

// Everything that takes very much away is done in pieces: of none is more than some thousand entries looked at, a few hundred messages
// freed, and some Statuses made, however much there is; and each message costs as much of 400 000 as of 50 000.

// large is a bus with very many messages for k, from s.
type large struct {
	*testing.T
	b      *Bus
	k, s   *Ksock
	all    []*Ksock // of k's user
	pieces int
	most   piece // in one go
	looked int   // at entries, in all
}

// piece is what is done in one go.
type piece struct{ looked, freed, statuses int } // freed in copies of 64 bytes; a message is three, or one

func newLarge(t *testing.T, ksocks int) *large {
	l := &large{T: t, b: New(Config{MaxMessages: 1 << 30})}
	l.b.InPieces(LongQueue)
	l.s, _ = l.b.Open(Owner{UID: 2})
	for range ksocks {
		k, c := l.b.Open(Owner{UID: 1})
		if c != message.OK {
			t.Fatal(c)
		}
		l.all = append(l.all, k)
	}
	l.k = l.all[0]
	return l
}

func (l *large) send(n int, name string, flags message.Flags) {
	l.Helper()
	for range n {
		if o := l.b.Send(l.s, &message.Header{Flags: flags}, []byte(name), nil); o.Err != message.OK || o.Reached == 0 {
			l.Fatalf("%+v", o)
		}
	}
}

// one does something in one go, and counts what that is.
func (l *large) one(do func()) {
	looked := l.lookedAt()
	user := l.k.account // it stays what it is when the bus forgets it
	charged, serial := user.bytes, l.b.nextSerial
	l.b.Woken()
	do()
	p := piece{looked: max(l.lookedAt()-looked, 0), freed: int(charged-user.bytes) / perCopy, statuses: int(l.b.nextSerial - serial)}
	l.pieces++
	l.most = piece{max(l.most.looked, p.looked), max(l.most.freed, p.freed), max(l.most.statuses, p.statuses)}
	l.looked += p.looked
}

func (l *large) lookedAt() (n int) {
	for _, k := range append(l.all, l.s) {
		n += k.queue.steps + k.outstanding.steps + k.unreplied.steps
	}
	return n
}

// sweep is what a loop does in its turns.
func (l *large) sweep() {
	for more := true; more; {
		l.one(func() { more = l.b.Sweep(256) })
	}
}

func TestLargeRemovals(t *testing.T) {
	for _, c := range []struct {
		what   string
		ksocks int
		do     func(l *large, n int)
	}{
		{"Unbind as Listener of half", 1, func(l *large, n int) {
			l.b.Bind(l.k, "$.A", false)
			l.b.Bind(l.k, "$.B", false)
			for range n / 10 {
				l.send(5, "$.A", 0)
				l.send(5, "$.B", 0)
			}
			l.one(func() { l.b.Unbind(l.k, "$.A", false) })
			l.sweep()
			if l.k.queue.len() != n/2 {
				l.Errorf("%d are left of %d", l.k.queue.len(), n)
			}
		}},
		{"Unbind as Replier with all unread", 1, func(l *large, n int) {
			l.b.Bind(l.k, "$.Q", true)
			l.send(n, "$.Q", message.WantAReply)
			l.one(func() { l.b.Unbind(l.k, "$.Q", true) })
			l.sweep()
		}},
		{"a close with all unread, of a Listener", 1, func(l *large, n int) {
			l.b.Bind(l.k, "$.A", false)
			l.send(n, "$.A", 0)
			l.one(func() { l.b.Close(l.k) })
			l.sweep()
		}},
		{"a close with all unread, of a Replier", 1, func(l *large, n int) {
			l.b.Bind(l.k, "$.Q", true)
			l.send(n, "$.Q", message.WantAReply)
			l.one(func() { l.b.Close(l.k) })
			l.sweep()
		}},
		{"a close with all read and nothing answered", 1, func(l *large, n int) {
			l.b.Bind(l.k, "$.Q", true)
			for range n {
				l.send(1, "$.Q", message.WantAReply)
				d, _ := l.b.Next(l.k)
				l.b.Release(&d)
			}
			l.one(func() { l.b.Close(l.k) })
			l.sweep()
			l.most.freed = 0 // what it owes is taken off its charge in one sum
		}},
		{"the death of a user with a thousand Ksocks", 1000, func(l *large, n int) {
			for _, k := range l.all {
				l.b.Bind(k, "$.A", false)
			}
			l.send(n/len(l.all), "$.A", 0)
			for _, k := range l.all {
				l.one(func() { l.b.Close(k) })
			}
			l.sweep()
		}},
		{"the end of the start of a service", 1, func(l *large, n int) {
			l.b.SetStartable([]string{"$.S"})
			l.b.config.MaxHeld = 2 * n
			for range n {
				l.b.Send(l.s, &message.Header{Flags: message.WantAReply}, []byte("$.S"), nil)
			}
			l.k.account = l.s.account // who pays for them
			l.one(func() { l.b.NotStarted("$.S", "it is broken") })
			l.sweep()
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			var each [2]float64
			for i, n := range []int{50_000, 400_000} {
				l := newLarge(t, c.ksocks)
				c.do(l, n)
				if l.most.looked > 2*LongQueue || l.most.freed > 2*LongQueue || l.most.statuses > 2*LongQueue/statusSteps {
					t.Errorf("of %d, in one go: %+v", n, l.most)
				}
				each[i] = float64(l.looked+16*l.pieces) / float64(n)
				if l.b.Owing() != 0 || l.b.Littered() {
					t.Error("something is left to do")
				}
				if open := l.s.outstanding.len(); open != 0 {
					t.Errorf("%d Requests have no answer", open)
				}
			}
			if each[1] > 1.5*each[0] {
				t.Errorf("%.2f steps for each message of few, %.2f of many", each[0], each[1])
			}
		})
	}
}
