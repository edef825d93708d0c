// Package wire is the socket protocol between a client and the daemon, as docs/protocol.md tells it: frames, and what
// each kind of frame carries. It is pure: bytes in, values out, and back. It knows nothing of sockets and nothing of
// what a request does.
//
// A frame is a header of 16 bytes and a payload. The length comes first, so a reader can cut a stream into frames
// without knowing any operation, and all numbers are little-endian, whatever the machine: a client may then be written
// with nothing but byte shifts. Nothing is padded or aligned, because frames are copied, never mapped.
//
// Parsing never copies: names, data and texts of a parsed frame point into it and live as long as its bytes do.
package wire

import (
	"encoding/binary"
	"fmt"
	"slices"

	"kbus.example/kbus/message"
)

// HeaderBytes is the length of a frame without its payload.
const HeaderBytes = 16

// Version is the only version of the protocol so far.
const Version = 1

// Flags are the flags of a frame. All other bits are 0.
type Flags uint8

// Lazy, on a request, says that its result need not be sent on its own: it may travel with the next thing that this
// client is sent. It spares a write and a wake-up.
const Lazy Flags = 1

// Header is the first 16 bytes of a frame: payload length, operation, flags, condition, sequence, argument.
type Header struct {
	PayloadBytes uint32            // length of the payload
	Op           Op                // what is asked, or was asked
	Flags        Flags             // of a request; 0 in a result
	Condition    message.Condition // of a result; 0 in a request. Two bytes in the frame: what is over 255 reads as 255
	Seq          uint32            // chosen by the client, echoed in the result; 0 in an event
	Arg          uint32            // the one number that most operations need
}

var le = binary.LittleEndian

// AppendHeader appends the 16 bytes of h. The payload, h.PayloadBytes long, must follow.
func AppendHeader(b []byte, h Header) []byte {
	b = slices.Grow(b, HeaderBytes)
	at := len(b)
	b = b[:at+HeaderBytes]
	PutHeader(b[at:], h)
	return b
}

// PutHeader writes the 16 bytes of h to the beginning of b.
func PutHeader(b []byte, h Header) {
	_ = b[HeaderBytes-1]
	le.PutUint32(b, h.PayloadBytes)
	b[4], b[5] = byte(h.Op), byte(h.Flags)
	le.PutUint16(b[6:], uint16(h.Condition))
	le.PutUint32(b[8:], h.Seq)
	le.PutUint32(b[12:], h.Arg)
}

// ParseHeader reads the first 16 bytes of b, which must be there. It checks nothing.
func ParseHeader(b []byte) Header {
	_ = b[HeaderBytes-1]
	return Header{
		PayloadBytes: le.Uint32(b),
		Op:           Op(b[4]),
		Flags:        Flags(b[5]),
		Condition:    message.Condition(min(le.Uint16(b[6:]), 255)),
		Seq:          le.Uint32(b[8:]),
		Arg:          le.Uint32(b[12:]),
	}
}

// AppendFrame appends a whole frame; h.PayloadBytes is taken from payload.
func AppendFrame(b []byte, h Header, payload []byte) []byte {
	h.PayloadBytes = uint32(len(payload))
	return append(AppendHeader(b, h), payload...)
}

// Slack is what a request's payload may be longer than the longest message of the bus.
const Slack = 4096

// MaxRequestBytes is the longest payload that the daemon takes, on a bus whose absolute maximum message size is
// absMaxMessageBytes. The size of a message counts its 88-byte header (Q10), so every message that the bus may take
// fits, and one a little too long still gets the condition that says so instead of the end of the connection.
func MaxRequestBytes(absMaxMessageBytes uint32) uint32 {
	return uint32(min(uint64(absMaxMessageBytes)+Slack, 1<<31-1))
}

// MaxResultBytes is the longest payload that a client needs to take: only reports on very large buses come near.
const MaxResultBytes = 1<<31 - 1

// Oversized is the error for a frame that announces a longer payload than the reader takes. There is no way to go on
// after it: without reading all of that, the stream cannot be cut into frames any more.
type Oversized struct {
	Header          Header
	MaxPayloadBytes uint32
}

// Error says how long it was and how long it may be.
func (o *Oversized) Error() string {
	return fmt.Sprintf("frame of operation %v announces a payload of %d bytes; the limit is %d",
		o.Header.Op, o.Header.PayloadBytes, o.MaxPayloadBytes)
}

// Split cuts the first frame off b, the bytes read so far. n is the length of the whole frame; payload points into b.
// n is 0 while the frame is not complete; then, if at least HeaderBytes are there, h.PayloadBytes tells how much it
// will be in the end. The error is an *Oversized, known as soon as the header is there.
func Split(b []byte, maxPayloadBytes uint32) (h Header, payload []byte, n int, err error) {
	if len(b) < HeaderBytes {
		return Header{}, nil, 0, nil
	}
	h = ParseHeader(b)
	if h.PayloadBytes > maxPayloadBytes {
		return h, nil, 0, &Oversized{h, maxPayloadBytes}
	}
	if uint64(len(b)-HeaderBytes) < uint64(h.PayloadBytes) {
		return h, nil, 0, nil
	}
	n = HeaderBytes + int(h.PayloadBytes)
	return h, b[HeaderBytes:n:n], n, nil
}
