package kbus

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// canned is a link to an other end that says what it was going to say anyway, a few bytes at a time, and hangs up.
type canned struct {
	says []byte
	turn int
}

func (c *canned) Send(p []byte) (int, error) { return len(p), nil }

func (c *canned) Recv(p []byte, room bool) (int, error) {
	if len(c.says) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.says[:min(len(c.says), amount(&c.turn))])
	c.says = c.says[n:]
	return n, nil
}

func (c *canned) Poke()                {}
func (c *canned) HangUp(time.Duration) {}
func (c *canned) Drop()                {}

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
	c, err := newConn(context.Background(), &canned{says: says}, ReadWriteMode, settings{readAhead: 3})
	if err != nil {
		return err
	}
	k := &Ksock{mode: ReadWriteMode}
	k.conn.Store(c)
	k.Receive(context.Background())
	k.Send(context.Background(), Request("$.A", ""))
	k.Call(context.Background(), Request("$.A", ""))
	k.Observer().Who(context.Background(), "$.A")
	k.Observer().List(context.Background())
	k.Observer().Info(context.Background())
	p := k.Pipe()
	p.Send(context.Background(), Request("$.A", ""))
	p.Flush(context.Background())
	for err == nil {
		_, err = k.Next(context.Background())
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

// One result may stand for messages that a Pipe has sent one after the other, and for no others.
func TestRunsOfResults(t *testing.T) {
	const first = 2
	tests := []struct {
		name     string
		more     []uint32 // the arguments of the results that come
		request  int      // which message is a Request, whose result stands for itself; -1: none
		accepted uint64
		lost     bool
	}{
		{"one by one", []uint32{0, 0, 0, 0}, -1, 4, false},
		{"all in one", []uint32{3}, -1, 4, false},
		{"two and two", []uint32{1, 1}, -1, 4, false},
		{"one too many", []uint32{4}, -1, 0, true},
		{"more than anybody has sent", []uint32{1<<32 - 1}, -1, 0, true},
		{"one too many, later", []uint32{1, 2}, -1, 2, true},
		{"over a Request", []uint32{3}, 2, 0, true},
	}
	for _, test := range tests {
		says, seq := welcome(), uint32(first)
		for i, more := range test.more {
			sent := wire.Sent{ID: ID{Serial: uint32(i)}, Reached: 2}
			says = append(says, frame(wire.OpSendMessage, seq, more, wire.AppendSent(nil, sent))...)
			seq += more + 1
		}
		says = append(says, frame(wire.OpReset, first+4, 0, nil)...)
		c, err := newConn(context.Background(), &canned{says: says}, ReadWriteMode, settings{readAhead: 3})
		if err != nil {
			t.Fatal(err)
		}
		k := &Ksock{mode: ReadWriteMode}
		k.conn.Store(c)
		p := k.Pipe()
		for i := range 4 {
			m := Announcement("$.A", "x")
			if i == test.request {
				m = Request("$.A", "x")
			}
			if err := p.Send(context.Background(), m); err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
		}
		totals, err := p.Flush(context.Background())
		if lost := totals.Failed > 0; lost != test.lost {
			t.Errorf("%s: %+v, %v", test.name, totals, err)
		}
		if !test.lost && (totals.Accepted != test.accepted || totals.Reached != 2*test.accepted) {
			t.Errorf("%s: %+v", test.name, totals)
		}
	}
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
