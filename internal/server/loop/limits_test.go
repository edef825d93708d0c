package loop

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Who asks for one connection too many is refused, by the name of the limit, and the log knows. There is room for
// somebody to look at the bus all the same.
func TestConnectionLimits(t *testing.T) {
	for _, c := range []struct {
		limit  string
		set    func(*Limits)
		want   message.Condition
		spare  int
		logged string
	}{
		{"user-connections", func(l *Limits) { l.UserConnections = 3 }, message.ErrUserConnections, spareUserConnections,
			"limit=user-connections"},
		{"connections", func(l *Limits) { l.Connections = 3; l.UserConnections = 0 }, message.ErrBusConnections,
			spareConnections, "limit=connections"},
	} {
		t.Run(c.limit, func(t *testing.T) {
			b := start(t, func(config *Config) { c.set(&config.Limits) })
			first := b.open()
			b.open()
			b.open()
			tooMany := b.dial()
			if f := tooMany.Hello(3); f.Condition != c.want {
				t.Errorf("hello gave %v; want %v", f.Condition.Name(), c.want.Name())
			}
			tooMany.Ended()
			b.Await("refused", c.logged, "pid=", "uid=")
			observer := b.dial()
			if f := observer.Hello(0); f.Condition != message.OK {
				t.Errorf("an observer's hello gave %v", f.Condition.Name())
			}
			// Connections that say nothing come up against the descriptors that are left.
			for range c.spare - 1 {
				b.dial()
			}
			mute := b.dial()
			f := mute.Next()
			if f.Op != wire.OpHello || f.Seq != 0 || f.Condition != c.want {
				t.Errorf("a mute connection got %v, number %d, %v", f.Op, f.Seq, f.Condition.Name())
			}
			if want := "3, setting limits." + c.limit; !strings.HasPrefix(string(f.Payload), want) {
				t.Errorf("a mute connection is told %q; want %q", f.Payload, want)
			}
			mute.Ended()
			b.Await("connection refused", c.logged, "pid=", "uid=")
			first.Close()
			observer.Close()
			for { // the daemon has to see both closes first
				again := b.dial()
				again.Write(hello())
				if f, err := again.TryNext(); err == nil && f.Condition == message.OK {
					break
				}
				again.Close()
			}
			b.Await("accepting connections again")
		})
	}
}

// Several users, none of whom is over its own limit, leave places to those who have few, and to root.
func TestConnectionsAreShared(t *testing.T) {
	a := accounts{limits: Limits{Connections: 1000, UserConnections: 400}, users: map[uint32]*account{}}
	taken := map[uint32]int{}
	for _, uid := range []uint32{1, 2, 3, 4, 5, 6} {
		u := a.user(uid)
		for a.mayConnect(u) == message.OK {
			a.connect(u)
		}
		taken[uid] = u.connections
	}
	if taken[1] != 416 || taken[2] != 416 || taken[3] < 90 || taken[4] < 50 || taken[5] < 25 || taken[6] < 12 {
		t.Errorf("six users took %v, one after the other", taken)
	}
	root, left := a.user(0), 1064-a.all.connections
	for range left {
		if c := a.mayConnect(root); c != message.OK {
			t.Fatalf("root is refused with %v, and has %d of the last %d", c.Name(), root.connections, left)
		}
		a.connect(root)
	}
	if c := a.mayConnect(root); left < 10 || c != message.ErrBusConnections {
		t.Errorf("there were %d for root, and then %v", left, c.Name())
	}
}

// Limits on what Ksocks hold are refused by the bus; the log knows of the first time.
func TestBusLimitsAreLogged(t *testing.T) {
	big := string(bytes.Repeat([]byte("x"), 2000))
	for _, c := range []struct {
		limit string
		set   func(*Limits)
		want  message.Condition
		ask   func(*rawclient.Client, int) rawclient.Frame
	}{
		{"user-bindings", func(l *Limits) { l.UserBindings = 2 }, message.ErrUserBindings, bindOne},
		{"bindings", func(l *Limits) { l.Bindings = 2 }, message.ErrBusBindings, bindOne},
		{"user-wildcards", func(l *Limits) { l.UserWildcards = 2 }, message.ErrUserWildcards, bindWild},
		{"user-queue-bytes", func(l *Limits) { l.UserQueueBytes = 5000 }, message.ErrUserQueueBytes, sendBig(big)},
		{"queue-bytes", func(l *Limits) { l.QueueBytes = 5000 }, message.ErrBusQueueBytes, sendBig(big)},
	} {
		t.Run(c.limit, func(t *testing.T) {
			b := start(t, func(config *Config) { c.set(&config.Limits) })
			client := b.open()
			client.Bind("$.Big", false)
			refused := 0
			for i := range 10 {
				if f := c.ask(client, i); f.Condition == c.want {
					refused++
				} else if f.Condition != message.OK {
					t.Fatalf("got %v", f.Condition.Name())
				}
			}
			if refused == 0 {
				t.Error("nothing was refused")
			}
			b.Await("refused", "limit="+c.limit, "pid=", "uid=")
			if n := b.Count("refused", "limit="+c.limit); n != 1 {
				t.Errorf("the log tells it %d times", n)
			}
		})
	}
}

func bindOne(c *rawclient.Client, i int) rawclient.Frame {
	return c.Ask(wire.OpBind, 0, fmt.Appendf(nil, "$.N%d", i))
}

func bindWild(c *rawclient.Client, i int) rawclient.Frame {
	return c.Ask(wire.OpBind, 0, fmt.Appendf(nil, "$.N%d.*", i))
}

func sendBig(data string) func(*rawclient.Client, int) rawclient.Frame {
	return func(c *rawclient.Client, _ int) rawclient.Frame {
		h := message.Header{Flags: message.AllOrWait} // one that does not fit waits, at its sender's expense
		return c.Ask(wire.OpSendMessage, 0, wire.AppendMessage(nil, &h, []byte("$.Big"), []byte(data)))
	}
}

// Half a frame is charged to its user as it comes. Who wants more than the limit loses the connection that asked for
// it; others, also of the same user, go on.
func TestBufferLimit(t *testing.T) {
	for _, c := range []struct {
		limit string
		set   func(*Limits)
	}{
		{"user-buffer-bytes", func(l *Limits) { l.UserBufferBytes = 500_000 }},
		{"buffer-bytes", func(l *Limits) { l.BufferBytes = 1_000_000 }}, // of which one user has half
	} {
		t.Run(c.limit, func(t *testing.T) {
			b := start(t, func(config *Config) { c.set(&config.Limits) })
			whole := frame(wire.OpSendMessage, 9, 0, announcement("$.Big", string(make([]byte, 400_000))))
			part, rest := whole[:300_000], whole[300_000:]
			first, second, bystander := b.open(), b.open(), b.open()
			first.Raw(part)
			second.Write(part) // its connection may end before all is written
			last := second.Next()
			if last.Op != wire.OpSendMessage || last.Seq != 9 || last.Condition != message.ErrNoMemory ||
				!strings.Contains(string(last.Payload), "00000, setting limits."+c.limit) {
				t.Errorf("the last word is %v: %q", last.Header, last.Payload)
			}
			second.Ended()
			b.Await("connection ended", "limit "+c.limit+" reached", "pid=", "uid=")
			bystander.Must(wire.OpReset, 0, nil)
			first.Raw(rest)
			if f := first.Next(); f.Condition != message.OK {
				t.Errorf("the first got %v", f.Condition.Name())
			}
			b.on(func(l *Loop) {
				if l.accounts.all.buffered != 0 || len(l.accounts.users) != 1 {
					t.Errorf("%d bytes still charged, %d users", l.accounts.all.buffered, len(l.accounts.users))
				}
			})
		})
	}
}

// The limit of all buffers is for all users together, of which each has at most half of what the others leave; and each has its own
// beside it.
func TestBuffersOfSeveralUsers(t *testing.T) {
	a := accounts{limits: Limits{BufferBytes: 160, UserBufferBytes: 70}, users: map[uint32]*account{}}
	one, other, third := a.user(1), a.user(2), a.user(3)
	for i, c := range []struct {
		user *account
		more int64
		want string
	}{
		{one, 71, "user-buffer-bytes"}, {one, 60, ""}, {other, 51, "buffer-bytes"}, {other, 50, ""}, {third, 26, "buffer-bytes"}, {third, 25, ""},
		{other, 1, "buffer-bytes"}, {one, -60, ""}, {other, 17, ""}, {other, 1, "buffer-bytes"}, {third, -25, ""}, {other, 4, "user-buffer-bytes"}, {other, 3, ""},
		{other, -70, ""}, {one, 70, ""},
	} {
		if got := a.buffer(c.user, c.more); got != c.want {
			t.Errorf("%d: user %d, %d more: %q; want %q", i, c.user.uid, c.more, got, c.want)
		}
	}
}

// Clients of one user that flood the bus with small requests, all at once, are never thrown out for what waits of them:
// when much of what may be kept is, the rest is left in their sockets.
func TestFloodsMeetNoBufferLimit(t *testing.T) {
	const crowd, each = 20, 4000 // 64 KB of each
	b := start(t, func(c *Config) { c.Limits.UserBufferBytes = 400_000 })
	var all []*rawclient.Client
	for range crowd {
		all = append(all, b.open())
	}
	b.on(func(*Loop) {
		for _, c := range all {
			var flood []byte
			for range each {
				flood, _ = c.Append(flood, wire.OpReset, 0, 0, nil)
			}
			c.Raw(flood)
		}
	})
	for _, c := range all {
		for range each {
			c.Next()
		}
	}
}

// A message that is written in pieces and not sent yet is charged as half a frame is.
func TestDraftIsCharged(t *testing.T) {
	b := start(t, func(config *Config) { config.Limits.UserBufferBytes = 500_000 })
	entire := message.AppendEntire(nil, &message.Header{}, []byte("$.Big"), make([]byte, 400_000))
	first, second := b.open(), b.open()
	first.Must(wire.OpWrite, 0, entire[:300_000])
	second.Must(wire.OpWrite, 0, entire[:100_000])
	second.Put(wire.OpWrite, 0, entire[100_000:300_000])
	second.Ended()
	b.Await("connection ended", "limit user-buffer-bytes reached", "pid=", "uid=")
	first.Must(wire.OpWrite, 0, entire[300_000:])
	first.Must(wire.OpSend, 0, nil)
}

// Everything that is charged is given back with the connection.
func TestNothingIsLeft(t *testing.T) {
	b := start(t, nil)
	for i := range 200 {
		c := b.open()
		c.Bind(fmt.Sprintf("$.N%d", i), true)
		c.Put(wire.OpNextWait, 0, nil)
		c.Raw(hello()[:10+i%6]) // an unfinished frame
		c.Close()
	}
	b.onlyMeLeft(t)
	b.buried()
	b.on(func(l *Loop) {
		open := 0
		for _, c := range l.conns {
			if c != nil {
				open++
			}
		}
		if a := l.accounts.all; a.buffered != 0 || a.connections != open {
			t.Errorf("%d bytes charged; %d connections charged, %d open", a.buffered, a.connections, open)
		}
	})
}

// When there is not even the reserve descriptor, the loop waits without spinning and comes back by itself.
func TestNoReserveDescriptor(t *testing.T) {
	b := start(t, nil)
	b.open().Must(wire.OpReset, 0, nil) // everything that opens late is open
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	none := unix.Rlimit{Cur: 3, Max: before.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	err = unix.Connect(fd, &unix.SockaddrUnix{Name: b.socket})
	for waiting := false; err == nil && !waiting; {
		b.on(func(l *Loop) { waiting = l.listener.reserve < 0 })
	}
	if e := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil || e != nil {
		t.Fatal(err, e)
	}
	if _, err := unix.Write(fd, hello()); err != nil {
		t.Fatal(err)
	}
	var answer [100]byte
	n, err := unix.Read(fd, answer[:])
	h, _, _, _ := wire.Split(answer[:max(n, 0)], wire.MaxResultBytes)
	if h.Op != wire.OpHello || h.Condition != message.OK {
		t.Errorf("read %d bytes, %v: %v, %v", n, err, h.Op, h.Condition)
	}
	b.on(func(l *Loop) {
		if l.listener.reserve < 0 {
			t.Error("there is no reserve again")
		}
	})
}
