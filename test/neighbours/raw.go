package main

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// raw is a connection that says anything, in any number, and reads only when it is told to.
type raw struct {
	*net.UnixConn
	in  []byte
	seq uint32
	id  uint32
	fds []int // that came with the Hello
}

// dial connects and says nothing.
func dial() (*raw, error) {
	path := filepath.Join(os.Getenv("KBUS_DIR"), "bus0.sock")
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	return &raw{UnixConn: conn}, nil
}

// open connects and says Hello. It is nil if there is no place any more.
func open(features uint32) *raw {
	c, err := dial()
	if err != nil {
		return nil
	}
	c.put(wire.OpHello, wire.ModeRead|wire.ModeWrite, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1, Features: features}))
	in, rights := make([]byte, 4096), make([]byte, 256)
	n, m, _, _, err := c.ReadMsgUnix(in, rights)
	if err != nil {
		c.Close()
		return nil
	}
	c.in = append(c.in, in[:n]...)
	if messages, err := syscall.ParseSocketControlMessage(rights[:m]); err == nil && len(messages) > 0 {
		c.fds, _ = syscall.ParseUnixRights(&messages[0])
	}
	h, _, ok := c.next()
	if !ok || h.Condition != message.OK {
		c.Close()
		return nil
	}
	c.id = h.Arg
	return c
}

func (c *raw) append(b []byte, op wire.Op, arg uint32, payload []byte) []byte {
	c.seq++
	return wire.AppendFrame(b, wire.Header{Op: op, Seq: c.seq, Arg: arg}, payload)
}

// put sends a request. It gives up after a second, for the daemon need not read.
func (c *raw) put(op wire.Op, arg uint32, payload []byte) bool {
	return c.write(c.append(nil, op, arg, payload))
}

func (c *raw) write(b []byte) bool {
	c.SetWriteDeadline(time.Now().Add(time.Second))
	_, err := c.Write(b)
	return err == nil
}

// next is the next frame; ok is false at the end, or when none comes for some seconds.
func (c *raw) next() (h wire.Header, payload []byte, ok bool) {
	for {
		h, payload, n, err := wire.Split(c.in, wire.MaxResultBytes)
		if err != nil {
			return h, nil, false
		}
		if n > 0 {
			payload = append([]byte(nil), payload...)
			c.in = append(c.in[:0], c.in[n:]...)
			return h, payload, true
		}
		var b [64 << 10]byte
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		m, err := c.Read(b[:])
		if err != nil {
			return h, nil, false
		}
		c.in = append(c.in, b[:m]...)
	}
}

// do asks and waits for the result.
func (c *raw) do(op wire.Op, arg uint32, payload []byte) (message.Condition, uint32) {
	if !c.put(op, arg, payload) {
		return message.ErrBusGone, 0
	}
	for seq := c.seq; ; {
		h, _, ok := c.next()
		if !ok {
			return message.ErrBusGone, 0
		}
		if h.Op == op && h.Seq == seq {
			return h.Condition, h.Arg
		}
	}
}

// many asks the same so many times, and reads all results. It gives how many were not refused, and the last refusal.
func (c *raw) many(count int, op wire.Op, arg uint32, payload []byte) (good int, last message.Condition) {
	for done := 0; done < count; {
		some := min(count-done, 200)
		var b []byte
		for range some {
			b = c.append(b, op, arg, payload)
		}
		if !c.write(b) {
			return good, message.ErrBusGone
		}
		for range some {
			h, _, ok := c.next()
			switch {
			case !ok:
				return good, message.ErrBusGone
			case h.Condition == message.OK:
				good++
			default:
				last = h.Condition
			}
		}
		done += some
	}
	return good, last
}

func (c *raw) bind(name string, replier bool) message.Condition {
	arg := uint32(0)
	if replier {
		arg = 1
	}
	condition, _ := c.do(wire.OpBind, arg, []byte(name))
	return condition
}

// unlimited takes the limit from its queue.
func (c *raw) unlimited() { c.do(wire.OpMaxMessages, 0xFFFFFFFF, nil) }

func announce(name string, bytes int) []byte { return say(name, bytes, 0) }

func ask(name string) []byte { return say(name, 0, message.WantAReply) }

func say(name string, bytes int, flags message.Flags) []byte {
	return wire.AppendMessage(nil, &message.Header{Flags: flags}, []byte(name), make([]byte, bytes))
}
