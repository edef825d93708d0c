package pair_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/pair"
	"kbus.example/kbus/limpet/wire"
)

// still passes streams on until it is told to hold everything back.
type still struct {
	socket  net.Listener
	held    chan struct{}
	streams sync.WaitGroup
}

func newStill(t *testing.T, to string) *still {
	socket, err := net.Listen("unix", to+".still")
	must(t, err)
	s := &still{socket: socket, held: make(chan struct{})}
	var conns sync.Map
	s.streams.Go(func() {
		for {
			down, err := socket.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("unix", to)
			if err != nil {
				down.Close()
				continue
			}
			conns.Store(down, nil)
			conns.Store(up, nil)
			s.streams.Go(func() { s.pass(up, down) })
			s.streams.Go(func() { s.pass(down, up) })
		}
	})
	t.Cleanup(func() {
		socket.Close()
		conns.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
		s.streams.Wait()
	})
	return s
}

func (s *still) pass(to, from net.Conn) {
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		select {
		case <-s.held:
			return // and closes nothing
		default:
		}
		if err != nil {
			to.Close()
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			from.Close()
			return
		}
	}
}

// A way that holds everything back, and is not cut, is noticed at both ends; who waits for an answer is told.
func TestStandsStill(t *testing.T) {
	pair.Hurry(t, 400*time.Millisecond, time.Minute)
	dir := certificates(t, 1, 2)
	for _, kind := range []string{"plain", "TLS"} {
		a, b := newBus(t), newBus(t)
		l, c := options(a, 1, socketIn(t)), options(b, 2, "")
		l.Listen, l.Legacy, c.Legacy, c.Longest = true, true, true, time.Hour
		if kind == "TLS" {
			secure(dir)(&l, &c)
		}
		listener := run(t, l)
		listener.log.await("listening")
		way := newStill(t, l.Address)
		c.Address = l.Address + ".still"
		connector := run(t, c)
		asker := open(t, b)
		watchRepliers(t, asker)
		answering(t, open(t, a), "$.Known", "") // an answer from there has the first pulse before it
		next(t, asker, binds("$.Known", true))
		_, err := asker.Call(t.Context(), kbus.Request("$.Known", ""))
		must(t, err)
		must(t, open(t, a).Bind(connector.t.Context(), "$.Q", kbus.Replier))
		next(t, asker, binds("$.Q", true))
		_, err = asker.Send(t.Context(), kbus.Request("$.Q", "?"))
		must(t, err)
		close(way.held)
		m := next(t, asker, (*kbus.Message).IsReply)
		if kbus.StatusOf(m) == nil {
			t.Errorf("%s: %v", kind, m)
		}
		connector.log.await("parted", "no sign of life")
		listener.log.await("parted", "no sign of life")
		must(t, connector.stop())
		must(t, listener.stop())
	}
}

// original is a Limpet at the other end that gives no pulse. It has greeted.
func original(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", address)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = conn.Write(wire.AppendHello(nil, 2))
	must(t, err)
	_, err = io.ReadFull(conn, make([]byte, wire.HelloBytes))
	must(t, err)
	return conn
}

// An original Limpet is not missed, and gets no pulse when it has connected. One that gives pulses gets them.
func TestOriginalGivesNoPulse(t *testing.T) {
	pair.Hurry(t, 50*time.Millisecond, time.Minute)
	bus, address := newBus(t), socketIn(t)
	l := options(bus, 1, address)
	l.Listen, l.Legacy = true, true
	listener := run(t, l)
	listener.log.await("listening")
	conn := original(t, address)
	listener.log.await("joined")
	watcher := open(t, bus)
	_, err := watcher.Send(t.Context(), kbus.Announcement("$.First", ""))
	must(t, err)
	from := wire.NewReader(conn, 1000)
	var m kbus.Message
	must(t, from.Read(&m))
	if m.Name != "$.First" {
		t.Fatalf("it gets %v", &m)
	}
	heartbeat := kbus.Message{Header: kbus.Header{InReplyTo: kbus.ID{Network: 2}}, Name: "$.KBUS.Limpet.Pulse"}
	_, err = conn.Write(wire.AppendMessage(nil, &heartbeat))
	must(t, err)
	for range 2 {
		must(t, from.Read(&m))
		if m.Name != heartbeat.Name || m.InReplyTo != (kbus.ID{Network: 1}) {
			t.Fatalf("it gets %v", &m)
		}
	}
	listener.log.await("parted", "no sign of life") // it has stopped giving them
}

// Who reads nothing of what is sent is given up, and the bus is rid of what waited for it.
func TestReadsNothing(t *testing.T) {
	pair.Hurry(t, time.Minute, 50*time.Millisecond)
	bus, address := newBus(t), socketIn(t)
	l := options(bus, 1, address)
	l.Listen, l.Legacy = true, true
	listener := run(t, l)
	listener.log.await("listening")
	original(t, address)
	listener.log.await("joined")
	sender := open(t, bus)
	for range 100 {
		_, err := sender.Send(t.Context(), kbus.Announcement("$.Much", make([]byte, 50_000)))
		must(t, err)
	}
	listener.log.await("parted", "reads nothing")
}

// Who connects and shows nothing keeps out nobody who does, however many they are, and whatever they say first.
func TestIdleConnections(t *testing.T) {
	dir := certificates(t, 1, 2)
	for _, sends := range []string{"", "\x16", "H"} {
		a, b := newBus(t), newBus(t)
		l, c := options(a, 1, socketIn(t)), options(b, 2, "")
		secure(dir)(&l, &c)
		l.Listen, l.Legacy, c.Address = true, true, l.Address
		listener := run(t, l)
		listener.log.await("listening")
		var first net.Conn
		for range pair.MaxPending + 50 {
			conn, err := net.Dial("unix", l.Address)
			must(t, err)
			defer conn.Close()
			_, _ = conn.Write([]byte(sends))
			if first == nil {
				first = conn
			}
		}
		connector := run(t, c)
		connector.log.await("joined")
		listener.log.await("joined")
		if _, err := first.Read(make([]byte, 1)); err == nil {
			t.Error("who came first is answered")
		}
		must(t, connector.stop())
		must(t, listener.stop())
	}
}

// More names than the other end may offer have no Replier here, and the log says why; when some go there is room for
// others that come.
func TestTooManyNames(t *testing.T) {
	a, b := newBus(t), newBus(t)
	listener, _ := joined(t, a, b, func(l, _ *pair.Options) { l.MaxNames = 2 })
	watcher, far := open(t, a), open(t, b)
	watchRepliers(t, watcher)
	for _, name := range []string{"$.One", "$.Two", "$.Three"} {
		must(t, far.Bind(t.Context(), name, kbus.Replier))
	}
	listener.log.await("more names than it may", "most=2")
	if k, err := watcher.File().Replier(t.Context(), "$.Three"); err != nil || k != 0 {
		t.Errorf("%d, %v", k, err)
	}
	must(t, far.Unbind(t.Context(), "$.One", kbus.Replier))
	must(t, far.Bind(t.Context(), "$.Four", kbus.Replier))
	next(t, watcher, binds("$.Four", true))
}
