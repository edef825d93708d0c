package loop

import (
	"bytes"
	"fmt"
	"testing"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// wholeLog fails unless all of the log is free.
func (b *bench) wholeLog() {
	b.t.Helper()
	b.on(func(l *Loop) {
		l.makeRoom()
		if log := l.bodies.arena; log.Free() != log.Bytes() {
			b.t.Errorf("%d bytes of the log are free, of %d", log.Free(), log.Bytes())
		}
	})
}

// numbered is a body that tells its number in every byte.
func numbered(n, size int) string { return string(bytes.Repeat([]byte{byte(n)}, size)) }

// next takes the next message by whatever way the daemon chooses.
func (b *bench) next(c *rawclient.Client) message.Message {
	b.t.Helper()
	if c.Rings != nil {
		return c.Receive()
	}
	return c.Must(wire.OpNextWait, 0, nil).Parse(b.t)
}

// Whoever listens, with an arena, with rings only or over the socket, gets the same messages of all sizes, small ones
// between large ones; and nothing stays in the arena.
func TestLogCarriesEverything(t *testing.T) {
	for _, size := range []int64{256 << 10, 16 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			b := start(t, func(c *Config) { c.ArenaBytes = size })
			listeners := []*rawclient.Client{b.openLog(), b.openLog(), b.openRings(), b.open()}
			for _, l := range listeners {
				l.Bind("$.Body", false)
			}
			senders := []*rawclient.Client{b.openLog(), b.openRings(), b.open()}
			sizes := []int{0, 1, 1000, 4096, 8191, 16 << 10, 32 << 10, 65536, 100_000, 300_000, 409_000}
			for n := range 100 {
				size := sizes[n%len(sizes)]
				senders[n%len(senders)].Must(wire.OpSendMessage, 0, announcement("$.Body", numbered(n, size)))
				if n%3 > 0 {
					continue // so that several are in the queues
				}
				for i := max(n-2, 0); i <= n; i++ {
					for at, l := range listeners {
						if m := b.next(l); string(m.Data) != numbered(i, sizes[i%len(sizes)]) {
							t.Fatalf("message %d: listener %d got %d bytes, or others than were sent", i, at, len(m.Data))
						}
					}
				}
			}
			if listeners[0].Rings.InArena == 0 {
				t.Error("nothing came through the log")
			}
			b.wholeLog()
		})
	}
}

// Takes that are never released keep their part of the arena, a bounded one, and nobody waits for them: the one who
// keeps them gets its messages by other ways, and all others theirs. With its connection they end.
func TestBorrowsWithoutEnd(t *testing.T) {
	b := start(t, func(c *Config) { c.ArenaBytes = 1 << 20 })
	by := b.bystanders(true)
	keeper, listener, sender := b.openLog(), b.openLog(), b.openLog()
	keeper.Rings.Keep = true
	for _, l := range []*rawclient.Client{keeper, listener} {
		l.Bind("$.Kept", false)
	}
	for n := range 100 {
		sender.Must(wire.OpSendMessage, 0, announcement("$.Kept", numbered(n, 60_000)))
		for _, l := range []*rawclient.Client{keeper, listener} {
			if m := b.next(l); string(m.Data) != numbered(n, 60_000) {
				t.Fatalf("message %d: %d bytes, or others than were sent", n, len(m.Data))
			}
		}
		by.talk()
	}
	if n := keeper.Rings.InArena; n == 0 || n > (1<<20)/4/60_000 {
		t.Errorf("%d messages of the log were shown to one who keeps them; it may hold a quarter", n)
	}
	if n := listener.Rings.InArena; n != 100 {
		t.Errorf("of 100 messages the log had %d for the other", n)
	}
	b.on(func(l *Loop) {
		l.makeRoom()
		if l.bodies.arena.Free() == l.bodies.arena.Bytes() {
			t.Error("the log forgot what is kept")
		}
	})
	keeper.Close()
	listener.Close()
	sender.Close()
	by.alone()
	b.wholeLog()
}

// A Listener that reads nothing fills its queue with more than the log can hold. The others go on through the log, and
// when it does read it gets all of it, in order.
func TestSlowListenerAndTheLog(t *testing.T) {
	b := start(t, func(c *Config) { c.ArenaBytes = 1 << 20 })
	slow, fast, sender := b.openLog(), b.openLog(), b.openLog()
	slow.Must(wire.OpMaxMessages, 500, nil)
	for _, l := range []*rawclient.Client{slow, fast} {
		l.Bind("$.Slow", false)
	}
	const messages = 300
	size := func(n int) int { return 40_000 + n%7*1000 }
	for n := range messages {
		sender.Must(wire.OpSendMessage, 0, announcement("$.Slow", numbered(n, size(n))))
		if m := b.next(fast); string(m.Data) != numbered(n, size(n)) {
			t.Fatalf("message %d: the fast one got %d bytes, or others than were sent", n, len(m.Data))
		}
	}
	if n := fast.Rings.InArena; n < messages*3/4 {
		t.Errorf("the slow one kept the log from the fast one: it had %d of %d messages for it", n, messages)
	}
	for n := range messages {
		if m := b.next(slow); string(m.Data) != numbered(n, size(n)) {
			t.Fatalf("message %d: the slow one got %d bytes, or others than were sent", n, len(m.Data))
		}
	}
	b.wholeLog()
}

// Whoever dies with messages of the log unread, taken and half sent leaves nothing in it.
func TestDeathWithTheLog(t *testing.T) {
	b := start(t, nil)
	by := b.bystanders(true)
	for n := range 50 {
		c := b.openLog()
		c.Rings.Keep = n%2 == 0
		c.Bind("$.Dead", false)
		for range 5 {
			by.asker.Must(wire.OpSendMessage, 0, announcement("$.Dead", numbered(n, 50_000)))
		}
		c.Rings.TakeMessage()
		part := frame(wire.OpSendMessage, 1, 0, announcement("$.Dead", numbered(n, 50_000)))
		c.Rings.Append(part[:20_000+n*100])
		c.Rings.Announce()
		c.Close()
		by.talk()
	}
	by.alone()
	b.wholeLog()
}
