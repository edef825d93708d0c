package loop

import (
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A long message that lies in a ring whole is handled where it lies: its header and name are copied and then judged, as
// everything that a client can still write to, and its data is copied once, by the bus, to where its readers find it.
//
// One that has not come whole is waited for if the ring can hold it, so that its pieces need not be put together
// elsewhere. One that goes over the end of the ring, or does not fit it, goes the way of all other frames.

// longFrom is from which payload on that is worth the trouble.
const longFrom = 8 << 10

// requestWorth is how many bytes of a long request use up as much of a connection's share as a short request.
const requestWorth = 4 << 10

// beginning is that of a message, copied from a ring.
type beginning [wire.HeaderBytes + wire.MessageHeaderBytes + message.MaxNameBytes]byte

// nextFrame says what became of the next frame in a ring.
type nextFrame uint8

const (
	ordinary nextFrame = iota // it is for receive
	handled                   // look again
	awaited                   // the rest of it is on its way
)

// handleLong handles the next frame in the ring if that is a long message. most is how much of the ring an ordinary
// frame should be received of, so that what follows it can still be handled here.
func (l *Loop) handleLong(c *conn, share *int) (next nextFrame, most int, err error) {
	reader := c.rings.reader
	first, second, err := reader.Peek()
	most = len(first) + len(second)
	if err != nil || len(first) < wire.HeaderBytes {
		return ordinary, most, nil // receive finds the same error
	}
	head := &l.beginning
	copied := copy(head[:], first)
	h := wire.ParseHeader(head[:])
	if h.PayloadBytes < longFrom || h.PayloadBytes > l.maxPayload || h.Op != wire.OpSendMessage && h.Op != wire.OpCall {
		return ordinary, most, nil
	}
	whole := wire.HeaderBytes + int(h.PayloadBytes)
	switch {
	case whole > most && whole <= reader.Size() && !c.rings.closed:
		if reader.DozeFor(most) {
			return awaited, 0, nil
		}
		return handled, 0, nil // more has come
	case whole > len(first):
		return ordinary, min(whole, most), nil
	}
	nameLen, dataLen := wire.SplitLengths(head[wire.HeaderBytes:])
	begin := wire.HeaderBytes + wire.MessageHeaderBytes + int(nameLen)
	if nameLen > message.MaxNameBytes || begin > copied || begin+int(dataLen) != whole || dataLen == 0 {
		return ordinary, most, nil // it is in some way wrong
	}
	*share -= 1 + whole/requestWorth
	unsent := len(c.session.Out())
	err = c.session.HandleBody(h, head[wire.HeaderBytes:begin], first[begin:whole])
	*share -= l.bus.Worked() / workPerRequest
	l.noteOutcome(c, unsent)
	if reader.Consume(whole) {
		c.rings.wake(c.fd)
	}
	return handled, 0, err
}
