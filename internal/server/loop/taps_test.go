package loop

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// startTap is a tap on bus 0 that shows so much of the data.
func (b *bench) startTap(dataBytes uint32) *rawclient.Client {
	b.t.Helper()
	c := b.dial()
	c.Hello(0)
	if f := c.Ask(wire.OpTap, 0, wire.AppendTapFilter(nil, wire.TapFilter{DataBytes: dataBytes, Kinds: wire.TapAnnouncements})); f.Condition != message.OK {
		b.t.Fatal(f.Condition)
	}
	return c
}

// Who cannot be charged the room of one more tap is told so, and keeps the connection; a tap that ends gives its room back.
func TestTapsAreCharged(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.UserBufferBytes = session.TapBytes*5/2 + 1 })
	tap := func() (*rawclient.Client, rawclient.Frame) {
		c := s.dial()
		c.Hello(0)
		return c, c.Ask(wire.OpTap, 0, wire.AppendTapFilter(nil, wire.TapFilter{}))
	}
	first, _ := tap()
	if _, f := tap(); f.Condition != message.OK {
		t.Fatalf("the second: %v %s", f.Condition, f.Payload)
	}
	third, f := tap()
	if f.Condition != message.ErrNoMemory || !strings.Contains(string(f.Payload), "user-buffer-bytes") {
		t.Fatalf("the third: %v %s", f.Condition, f.Payload)
	}
	if f := first.Ask(wire.OpTap, 0, wire.AppendTapFilter(nil, wire.TapFilter{Ksock: 1})); f.Condition != message.OK { // its room is its own
		t.Errorf("another filter: %v %s", f.Condition, f.Payload)
	}
	first.Close()
	for f.Condition != message.OK {
		if f = third.Ask(wire.OpTap, 0, wire.AppendTapFilter(nil, wire.TapFilter{})); f.Condition != message.OK && f.Condition != message.ErrNoMemory {
			t.Fatalf("%v %s", f.Condition, f.Payload)
		}
	}
}

// A tap that reads is shown everything, also when the bus has nothing else to do. One that stands still loses; what it sees
// and what it is told to have lost is all there was, and its neighbours notice nothing.
func TestTaps(t *testing.T) {
	const messages, bytes = 300, 20000
	s := start(t, nil)
	reads, stands := s.startTap(bytes), s.startTap(bytes)
	listener, sender := s.open(), s.open()
	listener.Bind("$.A", false)
	data := strings.Repeat("x", bytes)
	last := uint32(0)
	for range messages {
		sent, ok := wire.ParseSent(sender.Must(wire.OpSendMessage, 0, announcement("$.A", data)).Payload)
		if !ok || sent.Reached != 1 || sent.Skipped != 0 {
			t.Fatalf("%+v", sent)
		}
		if m := listener.Must(wire.OpNext, 1, nil).Parse(t); m.ID != sent.ID {
			t.Fatalf("got %v, sent %v", m.ID, sent.ID)
		}
		e := event(t, reads)
		if e.Missed > 0 || e.Header.ID != sent.ID || string(e.Data) != data || e.Reached != 1 || e.Boot == 0 || e.Wall == 0 || e.PID == 0 {
			t.Fatalf("%+v", e)
		}
		last = sent.ID.Serial
	}
	seen, lost := uint64(0), uint64(0)
	for before := uint32(0); seen+lost < messages; {
		e := event(t, stands)
		lost += e.Missed
		if len(e.Name) == 0 {
			continue
		}
		seen++
		if serial := e.Header.ID.Serial; before > 0 && uint64(serial) != uint64(before)+1+e.Missed || serial > last {
			t.Fatalf("message %d after %d, %d lost", serial, before, e.Missed)
		} else {
			before = serial
		}
	}
	if lost == 0 || seen == 0 || seen+lost != messages {
		t.Errorf("%d seen, %d lost", seen, lost)
	}
}

func event(t *testing.T, c *rawclient.Client) (e wire.TapEvent) {
	t.Helper()
	f := c.Next()
	if f.Op != wire.OpTapped || !wire.ParseTapEvent(f.Payload, &e) {
		t.Fatalf("%+v", f.Header)
	}
	return e
}

// The clock of taps is that of the kernel, and never goes back.
func TestTapClock(t *testing.T) {
	kernel := func() int64 {
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
			t.Fatal(err)
		}
		return now.Nano()
	}
	c := &tapClock{began: time.Now().Add(-time.Hour)}
	last := int64(0)
	for i := range 1000 {
		if i == 500 { // as after a sleep of the machine
			c.apart -= 2 * mostJump
			c.boot -= int64(time.Hour)
		}
		before, wall := kernel(), time.Now().UnixNano()
		boot, now := c.read()
		if boot < before || boot > kernel()+int64(time.Second) || boot < last || now < wall {
			t.Fatalf("%d after %d, when the kernel said %d; wall %d, after %d", boot, last, before, now, wall)
		}
		last = boot
	}
}
