package loop

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"kbus.example/kbus/internal/testing/journal"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

func frame(op wire.Op, seq, arg uint32, payload []byte) []byte {
	return wire.AppendFrame(nil, wire.Header{Op: op, Seq: seq, Arg: arg}, payload)
}

func hello() []byte {
	return frame(wire.OpHello, 1, wire.ModeRead|wire.ModeWrite, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// Whatever a client sends, at worst its own connection ends, the log says why and whose it was, its Ksock is closed,
// and nobody else notices.
func TestHostileFrames(t *testing.T) {
	long := wire.AppendHeader(nil, wire.Header{PayloadBytes: 1 << 30, Op: wire.OpSendMessage, Seq: 2})
	cases := []struct {
		name   string
		bytes  []byte
		close  bool   // the client closes its writing side after it
		reason string // in the log
	}{
		{"nothing of ours", []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), false, "announces a payload"},
		{"zeros", make([]byte, 100), false, "protocol violation"},
		{"request before hello", frame(wire.OpNext, 1, 0, nil), false, "protocol violation"},
		{"hello of another protocol", frame(wire.OpHello, 1, 3, []byte("DBUS01234567")), false, "protocol violation"},
		{"second hello", join(hello(), hello()), false, "second Hello"},
		{"payload too long", join(hello(), long), false, "announces a payload of 1073741824 bytes"},
		{"no message to send", join(hello(), frame(wire.OpSendMessage, 2, 0, []byte("xyz"))), false, "not one message"},
		{"truncated header", join(hello(), long[:7]), true, "within a frame"},
		{"truncated payload", join(hello(), frame(wire.OpBind, 2, 0, []byte("$.Name"))[:20]), true, "within a frame"},
	}
	b := start(t, nil)
	bystander := b.open()
	bystander.Bind("$.Still", true)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			bad := b.dial()
			bad.Write(c.bytes)
			if c.close {
				bad.CloseWrite()
			}
			bad.Ended()
			line := b.Await("connection ended", c.reason)
			if !journal.HasAll(line, []string{fmt.Sprintf("pid=%d", os.Getpid()), fmt.Sprintf("uid=%d", os.Getuid())}) {
				t.Errorf("the log does not say whose connection it was: %s", line)
			}
			if f := bystander.Must(wire.OpInfo, 0, nil); f.Condition != message.OK {
				t.Errorf("the bystander got %v", f.Condition)
			}
			if i, _ := wire.ParseInfo(bystander.Must(wire.OpInfo, 0, nil).Payload); i.Ksocks != 1 {
				t.Errorf("%d Ksocks are open; want the bystander's", i.Ksocks)
			}
		})
	}
}

// Random frames with valid headers: the daemon survives, and nothing is left of any of them.
func TestRandomFrames(t *testing.T) {
	b := start(t, nil)
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		c := b.dial()
		c.Write(hello())
		for range 20 {
			payload := make([]byte, r.IntN(100))
			for i := range payload {
				payload[i] = byte(r.Uint32())
			}
			if _, err := c.Write(frame(wire.Op(r.IntN(34)+2), r.Uint32(), r.Uint32(), payload)); err != nil {
				break // ended already
			}
		}
		c.Close()
	}
	b.onlyMeLeft(t)
}

// onlyMeLeft checks that the daemon works and that all its other connections have ended.
func (b *bench) onlyMeLeft(t *testing.T) {
	t.Helper()
	c := b.open()
	for {
		i, ok := wire.ParseInfo(c.Must(wire.OpInfo, 0, nil).Payload)
		if !ok {
			t.Fatal("no Info")
		}
		if i.Connections == 1 && i.Ksocks == 1 && i.Bindings == 0 {
			return
		}
	}
}

// A client that never reads loses only its own messages: the sender is told of each, other listeners get all, and what
// fitted is there, in order, when the client reads after all.
func TestStoppedReaderLosesOnlyItsOwn(t *testing.T) {
	b := start(t, nil)
	stopped, reader, sender := b.open(), b.open(), b.open()
	stopped.Bind("$.News", false)
	reader.Bind("$.News", false)
	body := string(bytes.Repeat([]byte("x"), 1000))
	const waits = 500 // more than its socket holds
	for range waits {
		stopped.Put(wire.OpNextWait, 0, nil)
	}
	const sent = 2000
	skipped := 0
	for i := range sent {
		reader.Put(wire.OpNextWait, 0, nil)
		f := sender.Must(wire.OpSendMessage, 0, announcement("$.News", fmt.Sprint(i, " ", body)))
		s, _ := wire.ParseSent(f.Payload)
		skipped += int(s.Skipped)
		if s.Reached+s.Skipped != 2 {
			t.Fatalf("message %d: reached %d, skipped %d", i, s.Reached, s.Skipped)
		}
		if m := reader.Next().Parse(t); string(m.Data) != fmt.Sprint(i, " ", body) {
			t.Fatalf("the reader got %.10q as number %d", m.Data, i)
		}
	}
	if skipped == 0 || skipped > sent-100 {
		t.Errorf("%d messages of %d were skipped", skipped, sent)
	}
	for i := range sent - skipped {
		if i >= waits {
			stopped.Put(wire.OpNextWait, 0, nil)
		}
		if m := stopped.Next().Parse(t); string(m.Data) != fmt.Sprint(i, " ", body) {
			t.Fatalf("the stopped reader got %.10q as number %d", m.Data, i)
		}
	}
}
