package loop

import (
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// What a user costs others in the turns of the loop.

const stranger = 4242

// opensAs is a Ksock of another user.
func (b *bench) opensAs(uid uint32) *rawclient.Client {
	c := b.open()
	b.on(func(l *Loop) { // the newest connection
		for _, c := range l.conns {
			if c != nil && c.generation == l.generation {
				l.accounts.disconnect(c.user)
				c.user = l.accounts.user(uid)
				l.accounts.connect(c.user)
			}
		}
	})
	return c
}

func say(c *rawclient.Client, messages int, data string) func() {
	return func() {
		var all []byte
		for range messages {
			all, _ = c.Append(all, wire.OpSendMessage, 0, 0, announcement("$.Turn", data))
		}
		c.Raw(all)
	}
}

// Requests that are each more than a user's part of a turn are paid for by its next turns.
func TestDearRequestsAreDebts(t *testing.T) {
	b := start(t, nil)
	listener := b.hears("$.Turn")
	listener.Bind("$.Dear", false)
	for range 40 {
		l := b.hears("$.Dear")
		for range maxSameInTest {
			l.Bind("$.Dear", false)
		}
	}
	many, one := b.open(), b.opensAs(stranger)
	const work = 640 / workPerRequest // of one of them, in requests
	const turns, flood = 20, 60
	heard := b.order(listener, flood+turns*rivalPerTurn, func() {
		var all []byte
		for range flood {
			all, _ = many.Append(all, wire.OpSendMessage, 0, 0, announcement("$.Dear", "dear"))
		}
		many.Raw(all)
	}, say(one, turns*rivalPerTurn, "one"))
	dear, left := 0, turns*rivalPerTurn
	for _, h := range heard {
		switch {
		case h == "one":
			left--
		case left > 0:
			dear++
		}
	}
	if most := 4 + turns*rivalPerTurn/work; dear > most {
		t.Errorf("%d requests, each %d times a part, in %d turns; %d are paid for", dear, work/rivalPerTurn, turns, most)
	}
}

// Those who wait for their turns are not in the way: another user's request is handled in the next turn, or in that
// after it, however many they are.
func TestWhoWaitsIsNotInTheWay(t *testing.T) {
	const crowd, each = 300, 2000
	b := start(t, nil)
	var say []func()
	for range crowd {
		c := b.open()
		say = append(say, func() {
			var all []byte
			for range each {
				all, _ = c.Append(all, wire.OpReset, 0, 0, nil)
			}
			c.Raw(all)
		})
	}
	one := b.opensAs(stranger)
	b.on(func(l *Loop) {
		for _, say := range say {
			say()
		}
	})
	var began, asked uint64
	b.on(func(l *Loop) { began = l.turns })
	for now := began; now < began+100; { // all of them have been seen, and put off
		b.on(func(l *Loop) { now = l.turns })
	}
	b.on(func(l *Loop) {
		asked = l.turns
		var ready [2 * crowd]unix.EpollEvent
		if n, _ := unix.EpollWait(l.epoll, ready[:], 0); n > crowd/10 {
			t.Errorf("epoll goes through %d of those who wait", n)
		}
		one.Put(wire.OpReset, 0, nil)
	})
	one.Next()
	b.on(func(l *Loop) {
		if late := l.accounts.users[stranger].turn - asked; late > 2 {
			t.Errorf("handled %d turns later", late)
		}
	})
}

// The ends of many connections are spread over as many turns as their user has parts for.
func TestEndsTakeTurns(t *testing.T) {
	const crowd = 40
	b := start(t, nil)
	var all []*rawclient.Client
	for range crowd {
		all = append(all, b.open())
	}
	one := b.opensAs(stranger)
	b.on(func(*Loop) {
		for _, c := range all {
			c.Close()
		}
		one.Put(wire.OpInfo, 0, nil)
	})
	i, ok := wire.ParseInfo(one.Next().Payload)
	if !ok {
		t.Fatal("no information")
	}
	if ended := crowd + 1 - int(i.Connections); ended > userPerTurn/endWork {
		t.Errorf("%d have ended before another user's turn", ended)
	}
}

// So are beginnings.
func TestBeginningsTakeTurns(t *testing.T) {
	b := start(t, nil)
	b.opensAs(stranger)
	b.on(func(l *Loop) {
		before := l.accounts.all.connections
		for range acceptsPerTurn {
			b.dial()
		}
		l.turns += mostDebt
		l.acceptSome(true)
		if n := l.accounts.all.connections - before; n > userPerTurn/acceptWork {
			t.Errorf("%d were let in at once", n)
		}
		if !l.listener.closed || l.listener.opens < l.turns+doorTurns {
			t.Errorf("the door is closed: %v; turn %d, it opens in turn %d", l.listener.closed, l.turns, l.listener.opens)
		}
	})
	for in := false; !in; { // with nothing else to do they all come in
		b.on(func(l *Loop) { in = l.accounts.all.connections >= acceptsPerTurn })
	}
}

// And rings are the most of a beginning.
func TestRingsAreADebt(t *testing.T) {
	b := start(t, nil)
	b.opensAs(stranger)
	b.open()
	b.on(func(l *Loop) {
		for _, c := range l.conns {
			if c == nil || c.generation != l.generation {
				continue
			}
			before := l.left(c.user)
			if l.grant(c.session, wire.FeatureRings) == 0 {
				t.Fatal("no rings")
			}
			if spent := before - l.left(c.user); spent < ringsWork {
				t.Errorf("%d", spent)
			}
			l.dropRings(c)
		}
	})
}

// A report is made in pieces that each cost their user a part of a turn and more, when others want something too.
func TestReportsAreDebts(t *testing.T) {
	const ksocks = 800
	b := start(t, nil)
	one := b.open()
	b.opensAs(stranger)
	b.on(func(l *Loop) {
		for range ksocks {
			if _, c := l.bus.Open(bus.Owner{UID: stranger}); c != message.OK {
				t.Error(c)
			}
		}
	})
	var began, passed uint64
	b.on(func(l *Loop) {
		l.rivals.met = l.turns
		began = l.turns
		one.Put(wire.OpList, 0, nil)
	})
	one.Next()
	b.on(func(l *Loop) { passed = l.turns - began })
	if pieces := uint64(ksocks / session.PartsPerPiece); passed < pieces*5/4 {
		t.Errorf("%d pieces in %d turns", pieces, passed)
	}
}
