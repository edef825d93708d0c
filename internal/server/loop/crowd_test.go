package loop

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
)

// sleeper is a client with rings that waits for its bell, and what the loop knows of it.
type sleeper struct {
	*rawclient.Client
	conn *conn
}

func (b *bench) asleep(name string, replier bool) sleeper {
	c := b.openRings()
	c.Bind(name, replier)
	a := sleeper{Client: c}
	b.on(func(l *Loop) {
		for _, of := range l.conns {
			if of != nil && of.generation == l.generation {
				a.conn = of
			}
		}
	})
	return a
}

// rung says whether its bell has been rung since it was last asked.
func (a sleeper) rung() bool {
	var p [8]byte
	_, err := unix.Read(a.conn.rings.theirs, p[:])
	return err == nil
}

func rung(all []sleeper) (which []int) {
	for i, a := range all {
		if a.rung() {
			which = append(which, i)
		}
	}
	return which
}

// inLine is which of them some connections are.
func inLine(all []sleeper, conns []*conn) (which []int) {
	for i, a := range all {
		if slices.Contains(conns, a.conn) {
			which = append(which, i)
		}
	}
	return which
}

// put has the loop receive frames of a client in a turn of its own, while nothing else happens.
func (a sleeper) put(l *Loop, frames ...[]byte) {
	var all []byte
	for _, f := range frames {
		all, _ = a.Append(all, wire.OpSendMessage, 0, 0, f)
	}
	a.Raw(all)
	l.turn(a.conn, true)
}

// Few recipients are woken in the turn that brought them something. A crowd is woken a few at a time, oldest first, and
// what is said meanwhile wakes nobody twice; somebody who is asked meanwhile need not wait for the others.
func TestCrowdIsWokenAFewAtATime(t *testing.T) {
	const size, few = 2*crowdBells + 3, crowdBells
	b := start(t, nil)
	var crowd []sleeper
	for range size {
		crowd = append(crowd, b.asleep("$.All", false))
	}
	replier := b.asleep("$.Asked", true)
	for _, a := range crowd[:few] {
		a.Bind("$.Few", false)
	}
	sender := b.asleep("$.Unheard", false)
	b.on(func(l *Loop) {
		for _, a := range append(crowd, replier) {
			a.Doze()
			a.rung()
		}
		sender.put(l, announcement("$.Few", "few"))
		if got := rung(crowd); len(got) != few {
			t.Errorf("woken by what few hear: %d", got)
		}
		for _, a := range crowd {
			a.Doze()
		}

		sender.put(l, announcement("$.All", "0"))
		if got := rung(crowd); len(got) != 0 || l.crowd.len() == 0 {
			t.Errorf("woken in the turn itself: %d", got)
		}
		line := slices.DeleteFunc(slices.Clone(l.crowd.conns[l.crowd.first:]), func(c *conn) bool { return c == sender.conn })
		l.crowd.wakeSome(l, crowdBells)
		if got, want := rung(crowd), inLine(crowd, line[:crowdBells]); !slices.Equal(got, want) {
			t.Errorf("woken first: %d, not %d", got, want)
		}
		sender.put(l, announcement("$.All", "1"), announcement("$.All", "2"))
		if waiting := l.crowd.len(); waiting > size+1 {
			t.Errorf("%d wait to be woken", waiting)
		}
		sender.put(l, request("$.Asked", "?"))
		if !replier.rung() {
			t.Error("who is asked waits for the crowd")
		}
		l.crowd.wakeSome(l, crowdBells)
		if got, want := rung(crowd), inLine(crowd, line[crowdBells:2*crowdBells]); !slices.Equal(got, want) {
			t.Errorf("woken next: %d, not %d", got, want)
		}
		l.crowd.wakeSome(l, crowdBells)
		if got := rung(crowd); len(got) != size-2*crowdBells || l.crowd.len() > 0 {
			t.Errorf("woken last: %d", got)
		}
	})
	for i, a := range crowd {
		want := []string{"few", "0", "1", "2"}
		if i >= few {
			want = want[1:]
		}
		for _, w := range want {
			if m := a.Receive(); string(m.Data) != w {
				t.Fatalf("listener %d received %q, not %q", i, m.Data, w)
			}
		}
	}
}

// The loop does not sleep before all of a crowd are woken, and one of it that has gone is nobody to wake.
func TestCrowdIsWokenToTheLast(t *testing.T) {
	const size = 40 * crowdBells
	b := start(t, nil)
	var crowd []sleeper
	for range size {
		crowd = append(crowd, b.asleep("$.All", false))
	}
	sender := b.open()
	for _, a := range crowd {
		a.Doze()
	}
	sender.Must(wire.OpSendMessage, 0, announcement("$.All", "first"))
	for i, a := range crowd {
		if err := a.AwaitBell(); err != nil {
			t.Fatal(err)
		}
		if m := a.Receive(); string(m.Data) != "first" {
			t.Fatalf("listener %d received %q", i, m.Data)
		}
	}
	b.on(func(l *Loop) {
		sender.Put(wire.OpSendMessage, 0, announcement("$.All", "last"))
		for _, c := range l.conns {
			if c != nil && c.session != nil && c.rings == nil {
				l.turn(c, true)
			}
		}
		if l.crowd.len() == 0 {
			t.Error("nobody waits")
		}
		if some := l.crowd.some(); some != size/(2*crowdBells) {
			t.Errorf("%d of a large crowd are woken in a turn", some)
		}
		l.end(crowd[size-1].conn, errStopped)
	})
	crowd[size-1].Ended()
	for i, a := range crowd[:size-1] {
		if m := a.Receive(); string(m.Data) != "last" {
			t.Fatalf("listener %d received %q", i, m.Data)
		}
	}
}
