package kbus

import (
	"context"
	"errors"
	"io"
	"testing"

	"kbus/internal/wire"
	"kbus/message"
)

// canned is a link to an other end that says what it was going to say anyway, a few bytes at a time, and hangs up.
type canned struct {
	says []byte
	turn int
}

func (c *canned) send(p []byte) (int, error) { return len(p), nil }

func (c *canned) recv(p []byte, room bool) (int, error) {
	if len(c.says) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.says[:min(len(c.says), amount(&c.turn))])
	c.says = c.says[n:]
	return n, nil
}

func (c *canned) poke()   {}
func (c *canned) hangUp() {}
func (c *canned) drop()   {}

func frame(op wire.Op, seq, arg uint32, payload []byte) []byte {
	return wire.AppendFrame(nil, wire.Header{Op: op, Seq: seq, Arg: arg}, payload)
}

func welcome() []byte {
	w := wire.Welcome{Version: wire.Version, AbsMaxMessageBytes: 1000}
	return frame(wire.OpHello, 1, 7, wire.AppendWelcome(nil, w))
}

func aMessage() []byte {
	return wire.AppendMessage(nil, &message.Header{ID: ID{Serial: 5}, Flags: WantAReply}, []byte("$.A"), []byte("data"))
}

// tryAll asks a little of everything, and gives the last error.
func tryAll(says []byte) error {
	c, err := newConn(context.Background(), &canned{says: says}, ReadWriteMode, 3)
	if err != nil {
		return err
	}
	k := &Ksock{mode: ReadWriteMode}
	k.conn.Store(c)
	k.Receive(context.Background())
	k.Send(context.Background(), Request("$.A", ""))
	k.Call(context.Background(), Request("$.A", ""))
	k.Who("$.A")
	k.List()
	k.Info()
	p := k.Pipe()
	p.Send(context.Background(), Request("$.A", ""))
	p.Flush(context.Background())
	for err == nil {
		_, err = k.Next()
	}
	return err
}

// Whatever the other end says, it is an error and no panic.
func FuzzAnswers(f *testing.F) {
	good := welcome()
	good = append(good, frame(wire.OpNextWait, 2, 2, append(aMessage(), aMessage()...))...)
	good = append(good, frame(wire.OpSendMessage, 3, 0, wire.AppendSent(nil, wire.Sent{ID: ID{Serial: 6}}))...)
	good = append(good, frame(wire.OpCall, 4, 1, aMessage())...)
	f.Add(good)
	f.Add([]byte{})
	f.Add(append(welcome(), frame(wire.OpNextWait, 2, 1<<31, aMessage())...))
	f.Add(append(welcome(), frame(wire.OpStopping, 0, 0, nil)...))
	f.Fuzz(func(t *testing.T, says []byte) {
		if err := tryAll(says); err == nil {
			t.Error("no error although the other end has hung up")
		}
	})
}

// What makes no sense ends the connection, and says why.
func TestNonsense(t *testing.T) {
	tests := []struct {
		name string
		says []byte
		text string
	}{
		{"nothing", nil, "kbus: open: the bus is gone"},
		{"text", []byte("HTTP/1.1 400 Bad Request\r\n\r\n"), "kbus: open: the bus is gone"},
		{"the answer to something else", frame(wire.OpHello, 9, 0, nil),
			"kbus: open: the bus is gone: unexpected answer: Hello, number 9"},
		{"a short welcome", frame(wire.OpHello, 1, 7, []byte("hello")), "kbus: open: unexpected answer: to hello"},
		{"another answer", append(welcome(), frame(wire.OpNext, 2, 0, nil)...),
			"kbus: next: the bus is gone"},
		{"more than was said", append(welcome(), frame(wire.OpNextWait, 2, 2, aMessage())...),
			"kbus: next: the bus is gone"},
		{"the end in order", append(welcome(), frame(wire.OpStopping, 0, 0, nil)...), "kbus: next: the bus is gone"},
	}
	for _, test := range tests {
		err := tryAll(test.says)
		if err == nil || len(err.Error()) < len(test.text) || err.Error()[:len(test.text)] != test.text {
			t.Errorf("%s: %v", test.name, err)
		}
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %T", test.name, err)
		}
	}
}
