// Package rawclient is a client made of nothing but the protocol, for tests of the daemon: it sends the bytes it is
// told to send, also wrong ones, and shows the frames that come back as they are.
//
// Whatever goes wrong ends the test. Nothing here waits for time; a daemon that does not answer is met by the timeout
// of the test.
package rawclient

import (
	"io"
	"net"
	"testing"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Client is one connection. It is not safe for concurrent use.
type Client struct {
	*net.UnixConn
	Rings    *Rings // nil: frames go through the socket
	Features uint32 // asked for in the Hello, beside those of rings
	t        testing.TB
	seq      uint32
	in       []byte
}

// Frame is what came back.
type Frame struct {
	wire.Header
	Payload []byte
}

// Dial connects. The connection is closed when the test ends.
func Dial(t testing.TB, path string) *Client {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { conn.Close() })
	return &Client{UnixConn: conn, t: t}
}

// Open connects and says hello, as a Ksock to read and write.
func Open(t testing.TB, path string) *Client {
	t.Helper()
	c := Dial(t, path)
	if f := c.Hello(wire.ModeRead | wire.ModeWrite); f.Condition != message.OK {
		t.Fatalf("hello: %v %q", f.Condition.Name(), f.Payload)
	}
	return c
}

// Hello says hello in a mode and gives the answer.
func (c *Client) Hello(mode uint32) Frame {
	c.t.Helper()
	return c.Ask(wire.OpHello, mode, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1, Features: c.Features}))
}

// Raw writes bytes as they are.
func (c *Client) Raw(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// Append appends a request to b and gives its sequence number.
func (c *Client) Append(b []byte, op wire.Op, flags wire.Flags, arg uint32, payload []byte) ([]byte, uint32) {
	c.seq++
	return wire.AppendFrame(b, wire.Header{Op: op, Flags: flags, Seq: c.seq, Arg: arg}, payload), c.seq
}

// Put sends a request and does not wait for its result.
func (c *Client) Put(op wire.Op, arg uint32, payload []byte) (seq uint32) {
	c.t.Helper()
	b, seq := c.Append(nil, op, 0, arg, payload)
	c.Raw(b)
	return seq
}

// Ask sends a request and gives the next frame, which must be its result.
func (c *Client) Ask(op wire.Op, arg uint32, payload []byte) Frame {
	c.t.Helper()
	seq := c.Put(op, arg, payload)
	f := c.Next()
	if f.Op != op || f.Seq != seq {
		c.t.Fatalf("asked %v, number %d; got %v, number %d, %v", op, seq, f.Op, f.Seq, f.Condition.Name())
	}
	return f
}

// Must is Ask for a request that must succeed.
func (c *Client) Must(op wire.Op, arg uint32, payload []byte) Frame {
	c.t.Helper()
	f := c.Ask(op, arg, payload)
	if f.Condition != message.OK {
		c.t.Fatalf("%v: %v %q", op, f.Condition.Name(), f.Payload)
	}
	return f
}

// Next waits for the next frame.
func (c *Client) Next() Frame {
	c.t.Helper()
	f, err := c.TryNext()
	if err != nil {
		c.t.Fatalf("waiting for a frame: %v", err)
	}
	return f
}

// TryNext waits for the next frame, or gives what ended the connection: io.EOF, or a reset.
func (c *Client) TryNext() (Frame, error) {
	for {
		h, payload, n, err := wire.Split(c.in, wire.MaxResultBytes)
		if err != nil {
			return Frame{}, err
		}
		if n > 0 {
			f := Frame{h, append([]byte(nil), payload...)}
			c.in = c.in[n:]
			return f, nil
		}
		if err := c.more(); err != nil {
			return Frame{}, err
		}
	}
}

func (c *Client) more() error {
	var b [64 << 10]byte
	n, err := c.Read(b[:])
	c.in = append(c.in, b[:n]...)
	if n > 0 {
		return nil
	}
	return err
}

// Ended waits until the daemon has closed the connection, and gives the frames that still came.
func (c *Client) Ended() (last []Frame) {
	for {
		f, err := c.TryNext()
		if err != nil {
			return last
		}
		last = append(last, f)
	}
}

// Drain reads and throws away until the daemon has closed the connection.
func (c *Client) Drain() { io.Copy(io.Discard, c.UnixConn) }

// Message is the payload that sends a message.
func Message(h message.Header, name string, data []byte) []byte {
	return wire.AppendMessage(nil, &h, []byte(name), data)
}

// Parse reads the first message of a payload.
func (f Frame) Parse(t testing.TB) message.Message {
	t.Helper()
	var m message.Message
	name, data, _, ok := wire.ParseMessage(f.Payload, &m.Header)
	if !ok {
		t.Fatalf("%v, number %d, %v: no message in %q", f.Op, f.Seq, f.Condition.Name(), f.Payload)
	}
	m.Name, m.Data = string(name), data
	return m
}

// Bind binds as Listener or Replier.
func (c *Client) Bind(name string, replier bool) {
	c.t.Helper()
	arg := uint32(0)
	if replier {
		arg = 1
	}
	c.Must(wire.OpBind, arg, []byte(name))
}

// Announcement is the payload that sends an Announcement.
func Announcement(name, data string) []byte { return Message(message.Header{}, name, []byte(data)) }

// Request is the payload that sends a Request.
func Request(name, data string) []byte {
	return Message(message.Header{Flags: message.WantAReply}, name, []byte(data))
}

// ReplyTo is the payload that replies to a Request.
func ReplyTo(m message.Message, data string) []byte {
	return Message(message.Header{InReplyTo: m.ID, To: m.From}, m.Name, []byte(data))
}
