package loop

import (
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// What a client can do to its segment on purpose, one thing at a time. Each ends its own connection, with a reason in
// the log, and the bystanders talk on.
func TestHostileRings(t *testing.T) {
	const corrupted = "corrupted"
	set := func(offset int, change func(uint32) uint32) func(*rawclient.Client) {
		return func(c *rawclient.Client) {
			w := c.Rings.Word(offset)
			atomic.StoreUint32(w, change(atomic.LoadUint32(w)))
			c.Rings.Ring()
		}
	}
	send := func(b []byte) func(*rawclient.Client) { return func(c *rawclient.Client) { c.Write(b) } }
	// A window is looked at when the bus next looks at the queue.
	look := func(c *rawclient.Client) { c.Write(frame(wire.OpNumMessages, 9, 0, nil)) }
	long := wire.AppendHeader(nil, wire.Header{PayloadBytes: 1 << 30, Op: wire.OpSendMessage, Seq: 2})
	cases := []struct {
		name   string
		acts   []func(*rawclient.Client)
		reason string
	}{
		{"written more than there is room", []func(*rawclient.Client){
			set(rawclient.UpTail, func(v uint32) uint32 { return v + 65537 })}, corrupted},
		{"written less than before", []func(*rawclient.Client){
			set(rawclient.UpTail, func(v uint32) uint32 { return v - 1 })}, corrupted},
		{"read more than was written", []func(*rawclient.Client){
			set(rawclient.DownHead, func(uint32) uint32 { return 1 << 30 }),
			func(c *rawclient.Client) { // the daemon looks when it needs the room
				for range 300 {
					c.Write(frame(wire.OpInfo, 3, 0, nil))
				}
			}}, corrupted},
		{"claimed more than was shown", []func(*rawclient.Client){
			set(rawclient.WindowState, func(v uint32) uint32 { return v + 1 }), look}, corrupted},
		{"claimed less than before", []func(*rawclient.Client){
			set(rawclient.WindowState, func(v uint32) uint32 { return v - 1 }), look}, corrupted},
		{"shown something to itself", []func(*rawclient.Client){
			set(rawclient.WindowState, func(v uint32) uint32 { return v + 1<<16 }), look}, corrupted},
		{"bytes in the socket", []func(*rawclient.Client){
			func(c *rawclient.Client) { c.UnixConn.Write([]byte{0}) }}, "bytes in the socket"},
		{"second hello", []func(*rawclient.Client){send(hello())}, "second Hello"},
		{"payload too long", []func(*rawclient.Client){send(long)}, "announces a payload of 1073741824 bytes"},
		{"closed within a frame", []func(*rawclient.Client){
			send(long[:7]), func(c *rawclient.Client) { c.CloseWrite() }}, "within a frame"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := start(t, nil)
			by := b.bystanders(true)
			by.talk()
			bad := b.openRings()
			bad.Bind("$.Bad", false)
			by.asker.Must(wire.OpSendMessage, 0, announcement("$.Bad", "to be claimed"))
			if payload, _ := bad.Rings.TakeMessage(); payload == nil {
				t.Fatal("nothing was shown")
			}
			bad.Must(wire.OpReset, 0, nil)
			for _, act := range c.acts {
				act(bad)
			}
			bad.Drain()
			b.Await("connection ended", c.reason)
			by.alone()
			for range 20 {
				by.talk()
			}
		})
	}
}

// Frames behind a Hello that asks for rings belong into the ring, so in the socket they are a violation.
func TestChatterBehindHello(t *testing.T) {
	b := start(t, nil)
	c := b.dial()
	h := wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1, Features: wire.FeatureRings})
	c.Raw(join(frame(wire.OpHello, 1, 3, h), frame(wire.OpReset, 2, 0, nil)))
	c.Drain()
	b.Await("connection ended", "bytes in the socket")
	if n := segments(t); n != 0 {
		t.Errorf("%d segments are mapped", n)
	}
}

// What is only rude ends nothing, and disturbs nobody: the connection still works, or would if its client let it.
func TestRudeRings(t *testing.T) {
	for _, c := range []struct {
		name string
		act  func(*testing.T, *rawclient.Client, func() bool)
	}{
		{"ring without end", func(_ *testing.T, c *rawclient.Client, on func() bool) {
			for on() {
				c.Rings.Ring()
			}
		}},
		{"bell that can count no further", func(t *testing.T, c *rawclient.Client, on func() bool) {
			most := []byte{0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}
			unix.Write(c.Rings.Bell, most)
			for on() {
				c.Rings.Ring()
			}
		}},
		{"results never read", func(_ *testing.T, c *rawclient.Client, on func() bool) {
			flood := frame(wire.OpStatsReport, 3, 0, nil)
			for on() {
				c.Rings.Append(flood)
				c.Rings.Announce()
			}
		}},
		{"always asleep and without room", func(_ *testing.T, c *rawclient.Client, on func() bool) {
			for on() {
				atomic.StoreUint32(c.Rings.Word(rawclient.DownAsleep), 1)
				atomic.StoreUint32(c.Rings.Word(rawclient.UpStranded), 1)
				atomic.StoreUint32(c.Rings.Word(rawclient.WindowWant), 1<<16)
			}
		}},
		{"segment cut short and punched", func(t *testing.T, c *rawclient.Client, on func() bool) {
			fd, size := c.Rings.Segment, int64(len(c.Rings.Memory))
			for _, to := range []int64{0, 1, size - 1, size + 1, 1 << 30} {
				if err := unix.Ftruncate(fd, to); err != unix.EPERM {
					t.Errorf("to %d bytes: %v", to, err)
				}
			}
			if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE); err != unix.EPERM {
				t.Errorf("one more seal: %v", err)
			}
			for on() {
				unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, size)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := start(t, nil)
			by := b.bystanders(true)
			rude := b.openRings()
			rude.Bind("$.*", false)
			var over atomic.Bool
			done := make(chan struct{})
			go func() {
				defer close(done)
				c.act(t, rude, func() bool { runtime.Gosched(); return !over.Load() })
			}()
			for range 100 {
				by.talk()
			}
			over.Store(true)
			<-done
			rude.Close()
			by.alone()
			by.talk()
		})
	}
}

// Whoever still holds the descriptors when the socket has ended can write and ring as they like: the connection ends
// with what had been written by then, and its Ksock with it.
func TestDescriptorsOutliveTheirConnection(t *testing.T) {
	b := start(t, nil)
	by := b.bystanders(true)
	c := b.openRings()
	c.Bind("$.Gone", true)
	var over atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for flood := frame(wire.OpReset, 3, 0, nil); !over.Load(); {
			if m := c.Rings.Append(flood); m < len(flood) { // no room: begin the frame again later
				c.Rings.Tail -= uint32(m)
			}
			c.Rings.Announce()
			c.Rings.Ring()
			runtime.Gosched()
			atomic.StoreUint32(c.Rings.Word(rawclient.DownHead), atomic.LoadUint32(c.Rings.Word(rawclient.DownTail)))
		}
	}()
	for range 50 {
		by.talk()
	}
	c.Close()
	by.alone()
	if f := by.asker.Ask(wire.OpSendMessage, 0, request("$.Gone", "")); f.Condition != message.ErrNoReplier {
		t.Errorf("a Request to it: %v", f.Condition.Err())
	}
	for range 100 { // with the flood still going on
		by.talk()
	}
	over.Store(true)
	<-done
}
