package loop

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

func TestMessagePasses(t *testing.T) {
	b := start(t, nil)
	listener, sender := b.open(), b.open()
	listener.Bind("$.Hamlet.*", false)
	seq := listener.Put(wire.OpNextWait, 0, nil)
	sent := sender.Must(wire.OpSendMessage, 0, announcement("$.Hamlet.Speaks", "To be"))
	if s, _ := wire.ParseSent(sent.Payload); s.Reached != 1 || s.Skipped != 0 {
		t.Errorf("reached %d, skipped %d; want 1, 0", s.Reached, s.Skipped)
	}
	got := listener.Next()
	if m := got.Parse(t); got.Seq != seq || m.Name != "$.Hamlet.Speaks" || string(m.Data) != "To be" {
		t.Errorf("got %v, number %d", m.String(), got.Seq)
	}
}

// Credentials come from the kernel (Q11).
func TestPeerIsKnown(t *testing.T) {
	b := start(t, nil)
	list, ok := wire.ParseList(b.open().Must(wire.OpList, 0, nil).Payload)
	if !ok || len(list) != 1 {
		t.Fatalf("list %v %v", list, ok)
	}
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	k := list[0]
	if int(k.PID) != os.Getpid() || int(k.UID) != os.Getuid() || k.Program != strings.TrimSpace(string(comm)) {
		t.Errorf("pid %d, uid %d, program %q", k.PID, k.UID, k.Program)
	}
}

// However the bytes of requests arrive, the results are the same.
func TestFramesInPieces(t *testing.T) {
	const long = 300_000
	for _, piece := range []int{1, 7, 16, 17, 100, 5000, 70_000, 1 << 20} {
		t.Run(fmt.Sprint(piece), func(t *testing.T) {
			b := start(t, nil)
			c := b.open()
			c.Bind("$.Long", false)
			data := bytes.Repeat([]byte("0123456789"), long/10)
			if piece < 100 {
				data = data[:1000]
			}
			var all []byte
			all, _ = c.Append(all, wire.OpSendMessage, 0, 0, announcement("$.Long", string(data)))
			all, _ = c.Append(all, wire.OpNext, 0, 0, nil)
			all, last := c.Append(all, wire.OpNumMessages, 0, 0, nil)
			for len(all) > 0 {
				n := min(piece, len(all))
				c.Raw(all[:n])
				all = all[n:]
			}
			c.Next()
			if m := c.Next().Parse(t); !bytes.Equal(m.Data, data) {
				t.Errorf("%d bytes came, %d were sent", len(m.Data), len(data))
			}
			if f := c.Next(); f.Seq != last || f.Arg != 0 {
				t.Errorf("last result is number %d with %d; want number %d with 0", f.Seq, f.Arg, last)
			}
		})
	}
}

// A pipelined flood is answered in order and in full, though its results go unread until all is written, and another
// client is served meanwhile. (That the flood has no more than its share of a turn, TestFloodWaitsItsTurn tells.)
func TestFloodIsAnsweredInFull(t *testing.T) {
	b := start(t, nil)
	flood, other := b.open(), b.open()
	const requests = 200_000
	first := flood.Put(wire.OpReset, 0, nil)
	written := make(chan struct{})
	go func() {
		defer close(written)
		var all []byte
		for range requests {
			all, _ = flood.Append(all, wire.OpMaxMessages, 0, 0, nil)
		}
		flood.Write(all)
	}()
	for range 100 {
		other.Must(wire.OpReset, 0, nil)
	}
	for i := range uint32(requests + 1) {
		if f := flood.Next(); f.Seq != first+i {
			t.Fatalf("result %d is that of request %d", first+i, f.Seq)
		}
	}
	<-written
}

// What a client sent before it closed is done, even if it never looked at a result.
func TestLastWordsCount(t *testing.T) {
	b := start(t, nil)
	listener := b.open()
	listener.Must(wire.OpMaxMessages, 5000, nil)
	listener.Bind("$.Last", false)
	const sent = 1000
	sender := b.open()
	var all []byte
	for i := range sent {
		all, _ = sender.Append(all, wire.OpSendMessage, 0, 0, announcement("$.Last", strconv.Itoa(i)))
	}
	sender.Raw(all)
	sender.Close()
	for i := range sent {
		listener.Put(wire.OpNextWait, 0, nil)
		if m := listener.Next().Parse(t); string(m.Data) != strconv.Itoa(i) {
			t.Fatalf("message %d is %q", i, m.Data)
		}
	}
}

// While a client takes no results the loop does not look at what else it asks, or it would never sleep.
func TestBusyIsNotWatched(t *testing.T) {
	const reports = 5000 // more than the socket holds
	b := start(t, nil)
	c := b.open()
	var all []byte
	for range reports {
		all, _ = c.Append(all, wire.OpStatsReport, 0, 0, nil)
	}
	c.Raw(all)
	for busy := false; !busy; {
		b.on(func(l *Loop) {
			for _, conn := range l.conns {
				if conn != nil && conn.session.Busy() && conn.blocked {
					if busy = true; conn.events != unix.EPOLLOUT {
						t.Errorf("epoll looks for %#x", conn.events)
					}
				}
			}
		})
	}
	for range reports {
		c.Next()
	}
}

// A client may close its writing side and wait until its Ksock is gone: the daemon closes then, and not earlier.
func TestHalfClose(t *testing.T) {
	b := start(t, nil)
	c := b.open()
	c.Bind("$.Mine", true)
	c.CloseWrite()
	c.Drain()
	if f := b.open().Must(wire.OpReplier, 0, []byte("$.Mine")); f.Arg != 0 {
		t.Errorf("Ksock %d still is the Replier", f.Arg)
	}
}

// A lazy result costs no packet of its own while its client waits for something, and comes with what it waits for.
func TestLazyResultTravelsAlong(t *testing.T) {
	b := start(t, nil)
	c, other := b.open(), b.open()
	c.Bind("$.Lazy", false)
	var both []byte
	both, lazy := c.Append(both, wire.OpReset, wire.Lazy, 0, nil)
	both, wait := c.Append(both, wire.OpNextWait, 0, 0, nil)
	c.Raw(both)
	other.Must(wire.OpSendMessage, 0, announcement("$.Lazy", ""))
	var packet [1000]byte
	n, err := c.Read(packet[:]) // one read: both frames
	if err != nil {
		t.Fatal(err)
	}
	first, _, at, _ := wire.Split(packet[:n], wire.MaxResultBytes)
	second, _, _, _ := wire.Split(packet[at:n], wire.MaxResultBytes)
	if first.Seq != lazy || second.Seq != wait {
		t.Errorf("one read gave numbers %d and %d; want %d and %d", first.Seq, second.Seq, lazy, wait)
	}
}

// The way of a message allocates nothing.
func TestMessagePathAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	b := start(t, nil)
	asker, replier := b.open(), b.open()
	replier.Bind("$.Q", true)
	roundTrip := conversation(t, asker, replier)
	for range 200 {
		roundTrip()
	}
	const rounds = 2000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range rounds {
		roundTrip()
	}
	runtime.ReadMemStats(&after)
	if n := after.Mallocs - before.Mallocs; n > rounds/10 {
		t.Errorf("%d allocations in %d round trips", n, rounds)
	}
}

// conversation gives a round trip, Request and Reply, whose two clients allocate nothing either.
func conversation(t *testing.T, asker, replier *rawclient.Client) func() {
	ask, _ := asker.Append(nil, wire.OpCall, 0, 0, request("$.Q", "?"))
	wait, _ := replier.Append(nil, wire.OpNextWait, 0, 0, nil)
	replier.Raw(wait)
	in, out := make([]byte, 4096), make([]byte, 0, 4096)
	answer := []byte("!")
	var m message.Header
	read := func(c *rawclient.Client) []byte {
		n, err := c.Read(in)
		if err != nil {
			t.Fatal(err)
		}
		return in[:n]
	}
	return func() {
		asker.Raw(ask)
		got := read(replier)
		for { // a lazy result may come before the message
			h, payload, n, _ := wire.Split(got, wire.MaxResultBytes)
			if h.Op != wire.OpNextWait {
				got = got[n:]
				continue
			}
			wire.ParseMessage(payload, &m)
			break
		}
		reply := message.Header{InReplyTo: m.ID, To: m.From}
		out = wire.AppendHeader(out[:0], wire.Header{Op: wire.OpSendMessage, Flags: wire.Lazy, Seq: 7,
			PayloadBytes: uint32(wire.MessageBytes(len("$.Q"), len(answer)))})
		out = wire.AppendMessage(out, &reply, qName, answer)
		out = append(out, wait...)
		replier.Raw(out)
		read(asker)
	}
}

var qName = []byte("$.Q")
