package pair_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/pair"
)

// joined joins two buses, and gives the Limpets on them.
func joined(t *testing.T, a, b *kbus.Bus, change func(listener, connector *pair.Options)) (listener, connector *limpet) {
	t.Helper()
	address := socketIn(t)
	l, c := options(a, 1, address), options(b, 2, address)
	l.Listen, l.Legacy, c.Legacy = true, true, true
	if change != nil {
		change(&l, &c)
	}
	listener = run(t, l)
	listener.log.await("listening")
	connector = run(t, c)
	listener.log.await("joined")
	connector.log.await("joined")
	return listener, connector
}

func secure(dir string) func(l, c *pair.Options) {
	return func(l, c *pair.Options) {
		l.Legacy, l.Credentials = false, pair.InDirectory(dir, l.ID)
		c.Legacy, c.Credentials = false, pair.InDirectory(dir, c.ID)
	}
}

// A Request and its Reply through TLS over TCP; and the message that ends a Limpet.
func TestPair(t *testing.T) {
	a, b := newBus(t), newBus(t)
	dir := certificates(t, 1, 2)
	var first *limpet
	l := options(a, 1, "127.0.0.1:0")
	l.Listen, l.Credentials, l.StopOn = true, pair.InDirectory(dir, 1), "$.Stop.Now"
	first = run(t, l)
	_, address, _ := strings.Cut(first.log.await("listening"), "address=")
	c := options(b, 2, address)
	c.Credentials = pair.InDirectory(dir, 2)
	second := run(t, c)
	first.log.await("joined", "peer=2", "security=TLS")
	second.log.await("joined", "peer=1", "security=TLS")

	asker := open(t, a)
	watchRepliers(t, asker)
	answering(t, open(t, b), "$.Q", "yes")
	next(t, asker, binds("$.Q", true))
	request := kbus.Request("$.Q", "?") // whose trace context comes back, as answering hands it on
	request.Trace = &kbus.Trace{Parent: "parent", State: "state"}
	m, err := asker.Call(t.Context(), request)
	must(t, err)
	if string(m.Data) != "yes" || m.OrigFrom.Network != 2 || m.Trace == nil || *m.Trace != *request.Trace {
		t.Errorf("%v in trace %v", m, m.Trace)
	}

	_, err = asker.Send(t.Context(), kbus.Announcement("$.Stop.Now", ""))
	must(t, err)
	must(t, first.ended())
	second.log.await("not joined")
	next(t, asker, binds("$.Q", false))
	must(t, second.stop())
}

// The loss of the link: a Status for what is open, no proxy left; and all is well again when it is back.
func TestLinkLost(t *testing.T) {
	a, b := newBus(t), newBus(t)
	dir := certificates(t, 1, 2)
	listener, connector := joined(t, a, b, secure(dir))
	asker, replier := open(t, a), open(t, b)
	watchRepliers(t, asker)
	must(t, replier.Bind(t.Context(), "$.Q", kbus.Replier))
	next(t, asker, binds("$.Q", true))
	_, err := asker.Send(t.Context(), kbus.Request("$.Q", "?"))
	must(t, err)
	request := next(t, replier, (*kbus.Message).WantsUsToReply)
	must(t, connector.stop())
	statuses := 0
	for unbound := false; !unbound || statuses == 0; {
		m := next(t, asker, func(*kbus.Message) bool { return true })
		unbound = unbound || binds("$.Q", false)(m)
		if m.IsReply() {
			if !errors.Is(kbus.StatusOf(m), kbus.ErrIgnored) {
				t.Errorf("%v", m)
			}
			statuses++
		}
	}
	late, err := request.Reply([]byte("late"))
	must(t, err)
	if _, err := replier.Send(t.Context(), late); !errors.Is(err, kbus.ErrAddresseeGone) {
		t.Errorf("a late Reply: %v", err)
	}
	listener.log.await("parted", "closed the link")
}

// The socket is gone when the Limpet is, also if somebody connects just then.
func TestSocketGoneWithVisitor(t *testing.T) {
	bus, address := newBus(t), socketIn(t)
	for range 300 {
		o := options(bus, 1, address)
		o.Listen, o.Legacy = true, true
		l := run(t, o)
		l.log.await("listening")
		connection := make(chan struct{})
		go func() {
			defer close(connection)
			if conn, err := net.Dial("unix", address); err == nil {
				_ = conn.Close()
			}
		}()
		must(t, l.stop())
		if _, err := os.Stat(address); !os.IsNotExist(err) {
			t.Fatal("the socket is left")
		}
		<-connection
	}
}

// B28: only who listens takes the socket away, and a socket that a killed Limpet has left is no hindrance.
func TestSocketFile(t *testing.T) {
	address := socketIn(t)
	old, err := net.ListenUnix("unix", &net.UnixAddr{Name: address})
	must(t, err)
	old.SetUnlinkOnClose(false)
	must(t, old.Close())
	a, b := newBus(t), newBus(t)
	listener, connector := joined(t, a, b, func(l, c *pair.Options) { l.Address, c.Address = address, address })
	must(t, connector.stop())
	if _, err := os.Stat(address); err != nil {
		t.Error("who connects has taken the socket away")
	}
	second := options(a, 3, address)
	second.Listen, second.Legacy = true, true
	if err := run(t, second).ended(); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("where somebody listens: %v", err)
	}
	must(t, listener.stop())
	if _, err := os.Stat(address); !os.IsNotExist(err) {
		t.Error("the socket is left")
	}
	must(t, os.WriteFile(address, nil, 0o600))
	if err := run(t, second).ended(); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("where a file lies: %v", err)
	}
}

// A socket that was cleaned away, and made again by another Limpet, is the other's.
func TestSocketOfAnother(t *testing.T) {
	address := socketIn(t)
	listening := func(id uint32) *limpet {
		o := options(newBus(t), id, address)
		o.Listen, o.Legacy = true, true
		l := run(t, o)
		l.log.await("listening")
		return l
	}
	first := listening(1)
	must(t, os.Remove(address))
	second := listening(2)
	must(t, first.stop())
	conn, err := net.Dial("unix", address)
	must(t, err)
	must(t, conn.Close())
	must(t, second.stop())
	if _, err := os.Stat(address); !os.IsNotExist(err) {
		t.Error("the socket is left")
	}
}

// A Unix socket can have a name that is no file.
func TestAbstractAddress(t *testing.T) {
	o := options(newBus(t), 1, "@"+strings.TrimPrefix(socketIn(t), "/"))
	o.Listen, o.Legacy = true, true
	l := run(t, o)
	l.log.await("listening")
	must(t, l.stop())
}

// The same Limpet again takes the place of its old link; another is refused.
func TestSecondPeer(t *testing.T) {
	a, b := newBus(t), newBus(t)
	var address string
	listener, connector := joined(t, a, b, func(l, _ *pair.Options) { address = l.Address })
	third := options(b, 3, address)
	third.Legacy, third.Once = true, true
	if err := run(t, third).ended(); err == nil || !strings.Contains(err.Error(), "hung up without a greeting") {
		t.Errorf("a third one: %v", err)
	}
	listener.log.await("refused", "network id 3 has come while we are joined with 2")
	third.ID = 2
	run(t, third)
	listener.log.await("parted", "the same Limpet has connected anew", "it is started twice")
	listener.log.await("joined", "peer=2")
	must(t, connector.stop())
}

// Without the bus there is nothing to join, and that is told at once; a bus that goes later is waited for.
func TestBusLost(t *testing.T) {
	a, b := newBus(t), newBus(t)
	gone := kbus.NewBus()
	must(t, gone.Close())
	if err := run(t, func() pair.Options { o := options(gone, 1, socketIn(t)); o.Legacy = true; return o }()).ended(); !errors.Is(err, kbus.ErrBusGone) {
		t.Errorf("%v", err)
	}
	buses := make(chan *kbus.Bus, 1)
	listener, connector := joined(t, a, b, func(_, c *pair.Options) {
		bus := b
		c.Open = func(context.Context) (*kbus.Ksock, error) {
			select {
			case bus = <-buses:
			default:
			}
			return bus.Open(t.Context())
		}
	})
	asker := open(t, a)
	watchRepliers(t, asker)
	answering(t, open(t, b), "$.Q", "yes")
	next(t, asker, binds("$.Q", true))
	must(t, b.Close())
	next(t, asker, binds("$.Q", false))
	connector.log.await("parted", "bus is gone")
	fresh := newBus(t)
	answering(t, open(t, fresh), "$.Q", "again")
	buses <- fresh
	next(t, asker, binds("$.Q", true))
	m, err := asker.Call(t.Context(), kbus.Request("$.Q", "?"))
	if err != nil || string(m.Data) != "again" {
		t.Errorf("%v, %v", m, err)
	}
	must(t, connector.stop())
	must(t, listener.stop())
}

// With Once the end of the link is the end.
func TestOnce(t *testing.T) {
	a, b := newBus(t), newBus(t)
	listener, connector := joined(t, a, b, func(l, c *pair.Options) { l.Once, c.Once = true, true })
	must(t, b.Close())
	if err := connector.ended(); !errors.Is(err, kbus.ErrBusGone) {
		t.Errorf("%v", err)
	}
	if err := listener.ended(); err == nil || !strings.Contains(err.Error(), "closed the link") {
		t.Errorf("%v", err)
	}
	o := options(a, 3, socketIn(t))
	o.Legacy, o.Once = true, true
	if err := run(t, o).ended(); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("nobody there: %v", err)
	}
}
