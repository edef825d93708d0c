package session

import (
	"fmt"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// crowd is an Engine that works in pieces, with somebody who hears two names and answers a third, somebody who sends, and
// a bystander.
type crowd struct {
	*testing.T
	e                          *Engine
	crowded, sender, bystander *Session
}

func newCrowd(t *testing.T) *crowd {
	c := &crowd{T: t, e: NewEngine(0, bus.New(bus.Config{MaxMessages: 1 << 20}), nil)}
	c.e.InPieces()
	for i, s := range []**Session{&c.crowded, &c.sender, &c.bystander} {
		*s = c.e.Connect(Peer{UID: uint32(i)})
		say(t, *s, wire.OpHello, 3, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
	}
	say(t, c.crowded, wire.OpBind, 0, []byte("$.Go"))
	say(t, c.crowded, wire.OpBind, 0, []byte("$.Stay"))
	say(t, c.crowded, wire.OpBind, 1, []byte("$.Q"))
	say(t, c.bystander, wire.OpBind, 0, []byte("$.Stay"))
	return c
}

// announce queues so many messages of a name.
func (c *crowd) announce(name string, n int) {
	for range n {
		c.e.bus.Send(c.sender.ksock, &message.Header{}, []byte(name), nil)
	}
}

// done forgets the results so far.
func (s *Session) done() { s.Sent(len(s.Out())) }

// An Unbind with a long queue is done at once for all to see; its client waits until the queue has been gone through, and
// each piece of that is work.
func TestUnbindInPieces(t *testing.T) {
	const go1, stay = 3 * bus.LongQueue, 2 * bus.LongQueue
	c := newCrowd(t)
	for range stay / 100 {
		c.announce("$.Go", go1/(stay/100))
		c.announce("$.Stay", 100)
	}
	left := c.e.bus.NumMessages(c.bystander.ksock)
	c.crowded.done()
	c.e.bus.Worked()
	say(t, c.crowded, wire.OpUnbind, 0, []byte("$.Go"))
	if n := c.e.bus.NumMessages(c.crowded.ksock); n != left || !c.crowded.Busy() || len(c.crowded.Out()) != 0 {
		t.Fatalf("%d messages, busy %v, %d bytes to send", n, c.crowded.Busy(), len(c.crowded.Out()))
	}
	if n := c.e.bus.Worked(); n != PartsPerPiece*stepsPerPart {
		t.Errorf("a piece is %d steps of work", n)
	}
	c.announce("$.Stay", 1)
	pieces := 1
	for ; c.crowded.Reporting(); pieces++ {
		c.crowded.Continue()
	}
	if pieces < 4 {
		t.Errorf("it was done in %d pieces", pieces)
	}
	if h := wire.ParseHeader(c.crowded.Out()); h.Op != wire.OpUnbind || h.Condition != message.OK || h.Arg != 0 || h.PayloadBytes != 0 {
		t.Errorf("the result is %+v", h)
	}
	for n := range left + 1 {
		d, ok := c.e.bus.Next(c.crowded.ksock)
		if !ok || string(d.Name) != "$.Stay" {
			t.Fatalf("message %d is %q", n, d.Name)
		}
		c.e.bus.Release(&d)
	}
}

// A client that goes in the middle of it has made its Unbind, and what it sent after that is sent.
func TestUnbindOfOneWhoGoes(t *testing.T) {
	for _, deaf := range []bool{true, false} {
		t.Run(fmt.Sprint("deaf ", deaf), func(t *testing.T) {
			c := newCrowd(t)
			for range 3 * bus.LongQueue {
				c.announce("$.Go", 1)
				c.announce("$.Stay", 1)
			}
			say(t, c.crowded, wire.OpUnbind, 0, []byte("$.Go"))
			if deaf {
				c.crowded.Deafen()
				if !c.crowded.Reporting() {
					t.Fatal("it does not go on")
				}
				for c.crowded.Reporting() {
					c.crowded.Continue()
				}
			}
			c.e.Disconnect(c.crowded)
			for c.e.bus.Sweep(1000) {
			}
			held := c.e.bus.Info().QueueBytes
			if c.e.Disconnect(c.bystander); held == 0 {
				t.Error("the bystander's messages are gone too")
			}
			for c.e.bus.Sweep(1000) {
			}
			if held := c.e.bus.Info().QueueBytes; held != 0 {
				t.Errorf("%d bytes are still charged", held)
			}
		})
	}
}

// A window shows nothing while the queue behind it is gone through, and all of it afterwards, whoever has done the work.
func TestWindowOfAPurgedQueue(t *testing.T) {
	c := newCrowd(t)
	w := &shows{}
	c.crowded.SetWindow(w)
	say(t, c.sender, wire.OpFederate, 0, nil)
	for range bus.LongQueue / statusesPerPiece {
		for range 2 * statusesPerPiece {
			c.announce("$.Stay", 1)
		}
		c.e.bus.Send(c.sender.ksock, &message.Header{Flags: message.WantAReply}, []byte("$.Q"), nil)
	}
	w.shown = nil
	say(t, c.sender, wire.OpEvict, uint32(c.crowded.ksock.ID()), []byte("$.Q"))
	c.announce("$.Stay", 1)
	c.e.Pump()
	if !c.e.bus.Purging(c.crowded.ksock) || len(w.shown) != 0 {
		t.Fatalf("purging %v, and shown %q", c.e.bus.Purging(c.crowded.ksock), w.shown)
	}
	for c.e.bus.Sweep(1000) {
	}
	c.e.Pump()
	if len(w.shown) == 0 || w.shown[0] != "$.Stay" {
		t.Errorf("shown %q", w.shown)
	}
}

const statusesPerPiece = 64

// shows is a window that has no end.
type shows struct {
	bus.Window
	shown []string
}

func (w *shows) Taken() int { return 0 }
func (w *shows) Shown() int { return len(w.shown) }
func (w *shows) Withdraw()  { w.shown = nil }
func (w *shows) Publish()   {}
func (w *shows) More(bool)  {}
func (w *shows) Want() bool { return true }
func (w *shows) Show(_ *message.Header, name, _ []byte, _ uint32, _ []byte) bool {
	w.shown = append(w.shown, string(name))
	return true
}

// What a client's only Call waits for is still to come: what is queued already is not looked through, however long the
// queue is, and no old answer is taken for the new one.
func TestFirstCallOverlooksTheQueue(t *testing.T) {
	c := newCrowd(t)
	ask := wire.AppendMessage(nil, &message.Header{ID: message.ID{Network: 9, Serial: 1}, Flags: message.WantAReply}, []byte("$.Answer"), nil)
	say(t, c.bystander, wire.OpBind, 1, []byte("$.Answer"))
	say(t, c.crowded, wire.OpSendMessage, 0, ask)
	say(t, c.bystander, wire.OpUnbind, 1, []byte("$.Answer"))
	say(t, c.bystander, wire.OpBind, 1, []byte("$.Answer"))
	say(t, c.crowded, wire.OpCall, 0, ask)
	c.e.Pump()
	if n := c.e.bus.NumMessages(c.crowded.ksock); c.crowded.Waiting() != 1 || n != 1 {
		t.Fatalf("%d wait, %d messages queued", c.crowded.Waiting(), n)
	}
	say(t, c.bystander, wire.OpUnbind, 1, []byte("$.Answer"))
	c.e.Pump()
	if c.crowded.Waiting() != 0 {
		t.Error("not answered")
	}
	newest := c.e.bus.Info().NextSerial - 1
	if d, _ := c.e.bus.Next(c.crowded.ksock); d.ID.Serial == newest {
		t.Error("answered with what was there before")
	}
}
