package loop

import (
	"fmt"
	"slices"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
)

// Whose turn it is. The loop is held while the clients write, so that it finds all of it at once; the queue of a Listener
// tells in which order it did things.

// order has clients write what they have to say, in that order, while the loop stands still, and gives what the listener
// then hears.
func (b *bench) order(listener *rawclient.Client, messages int, say ...func()) (heard []string) {
	b.on(func(*Loop) {
		for _, say := range say {
			say()
		}
	})
	for range messages {
		listener.Put(wire.OpNextWait, 0, nil)
		heard = append(heard, string(listener.Next().Parse(b.t).Data))
	}
	return heard
}

func (b *bench) hears(name string) *rawclient.Client {
	l := b.open()
	l.Must(wire.OpMaxMessages, 1<<20, nil)
	l.Bind(name, false)
	return l
}

// A flood has its share of a turn, and no more: who comes just behind it is served after that.
func TestFloodWaitsItsTurn(t *testing.T) {
	const flood = 10 * requestsPerTurn
	for _, c := range []struct {
		name    string
		bundles int // Listeners of what the flood sends, 16 copies each
		most    int // messages of the flood before the other's
	}{
		{"requests", 0, requestsPerTurn},
		{"work", 40, requestsPerTurn * workPerRequest / 640},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := start(t, nil)
			listener := b.hears("$.Turn")
			for range c.bundles {
				l := b.hears("$.Turn")
				for range maxSameInTest {
					l.Bind("$.Turn", false)
				}
			}
			many, one := b.open(), b.open()
			heard := b.order(listener, flood+1, func() {
				var all []byte
				for i := range flood {
					all, _ = many.Append(all, wire.OpSendMessage, 0, 0, announcement("$.Turn", fmt.Sprint(i)))
				}
				many.Raw(all)
			}, func() { one.Put(wire.OpSendMessage, 0, announcement("$.Turn", "one")) })
			if at := slices.Index(heard, "one"); at < 1 || at > c.most+1 {
				t.Errorf("after %d messages of the flood; its share is %d", at, c.most)
			}
		})
	}
}

// The connections of one user, however many, have no more of a turn than two alone; and all of them get their turns.
func TestManyConnectionsOfOneUser(t *testing.T) {
	const crowd, each = 30, 2 * requestsPerTurn
	b := start(t, nil)
	listener := b.hears("$.Turn")
	one := b.open()
	b.on(func(l *Loop) { // the newest connection is another user's
		for _, c := range l.conns {
			if c != nil && c.generation == l.generation {
				l.accounts.disconnect(c.user)
				c.user = l.accounts.user(4242)
				l.accounts.connect(c.user)
			}
		}
	})
	var say []func()
	for i := range crowd {
		c := b.open()
		say = append(say, func() {
			var all []byte
			for range each {
				all, _ = c.Append(all, wire.OpSendMessage, 0, 0, announcement("$.Turn", fmt.Sprint(i)))
			}
			c.Raw(all)
		})
	}
	say = append(say, func() { one.Put(wire.OpSendMessage, 0, announcement("$.Turn", "one")) })
	heard := b.order(listener, crowd*each+1, say...)
	if at := slices.Index(heard, "one"); at < 1 || at > userPerTurn {
		t.Errorf("after %d messages of the crowd; its share is %d", at, userPerTurn)
	}
	for i := range crowd {
		if at := slices.Index(heard, fmt.Sprint(i)); at < 0 || at > (crowd+2)*requestsPerTurn {
			t.Errorf("connection %d had its first turn after %d messages of the others", i, at)
		}
	}
}

// Whoever is put off has its turn though everybody else has done, and its own bell has been heard.
func TestPutOffAlone(t *testing.T) {
	b := start(t, nil)
	b.on(func(l *Loop) { l.accounts.connect(l.accounts.user(4242)) }) // another user, who says nothing
	var all []*rawclient.Client
	for range 1 + userPerTurn/requestsPerTurn {
		all = append(all, b.openRings())
	}
	b.on(func(*Loop) {
		for _, c := range all {
			var share []byte
			for range requestsPerTurn {
				share, _ = c.Append(share, wire.OpReset, 0, 0, nil)
			}
			c.Raw(share)
		}
	})
	for _, c := range all {
		for range requestsPerTurn {
			c.Next()
		}
	}
}

// A piece of a report is work, and counts as so many requests of its user.
func TestReportsUseUpAShare(t *testing.T) {
	const piece = session.PartsPerPiece * 8 / workPerRequest
	b := start(t, nil)
	c := b.open()
	b.opensAs(stranger) // alone nobody counts
	for i := range 3 * session.PartsPerPiece {
		c.Bind(fmt.Sprintf("$.N%d", i), false)
	}
	b.on(func(l *Loop) {
		for _, conn := range l.conns {
			if conn == nil || conn.user.uid == stranger {
				continue
			}
			if err := conn.session.Handle(wire.Header{Op: wire.OpBindingsReport}, nil); err != nil || !conn.session.Reporting() {
				t.Errorf("%v, or the report is complete", err)
			}
			l.bus.Worked()
			before := l.left(conn.user)
			l.turn(conn, false)
			if used := before - conn.user.left; used < piece {
				t.Errorf("a piece of a report counts as %d requests; want %d", used, piece)
			}
		}
	})
	if f := c.Next(); f.Op != wire.OpBindingsReport {
		t.Errorf("got %v", f.Op)
	}
}

const maxSameInTest = 15 // with the first: as often as a Ksock may bind a name

// counting is a window that counts how often the bus looks at it.
type counting struct {
	bus.Window
	looks int
}

func (w *counting) Taken() int { w.looks++; return 0 }
func (w *counting) Shown() int { return 0 }
func (w *counting) Withdraw()  {}

// Nobody is made reports who has gone; what was sent before that is delivered.
func TestNoReportsForTheDead(t *testing.T) {
	b := start(t, nil)
	listener := b.hears("$.Last")
	w := &counting{}
	watched := b.open()
	b.on(func(l *Loop) {
		for k := range l.bus.Ksocks() {
			l.bus.SetWindow(k, w) // of the newest
			break
		}
	})
	const reports = 500
	dead := b.open()
	heard := b.order(listener, 1, func() {
		w.looks = 0
		var all []byte
		for range reports {
			for _, op := range []wire.Op{wire.OpStatsReport, wire.OpList, wire.OpInfo} {
				all, _ = dead.Append(all, op, 0, 0, nil)
			}
		}
		all, _ = dead.Append(all, wire.OpSendMessage, 0, 0, announcement("$.Last", "word"))
		dead.Raw(all)
		dead.Close()
	})
	b.on(func(*Loop) {
		if w.looks > reports/10 {
			t.Errorf("a Ksock was looked at %d times", w.looks)
		}
	})
	if heard[0] != "word" {
		t.Errorf("heard %q", heard)
	}
	watched.Close()
}
