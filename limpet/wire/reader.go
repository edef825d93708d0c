package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// Reader reads messages. It reads exactly as much as a message has, so give it something that is buffered.
type Reader struct {
	from    io.Reader
	maxData uint32
	scratch [HeaderBytes]byte
	name    [kbus.MaxNameBytes + 4]byte
}

// NewReader makes a Reader that takes no more than maxData bytes of data in a message.
func NewReader(from io.Reader, maxData uint32) *Reader { return &Reader{from: from, maxData: maxData} }

// MaxSkippedBytes is how much too long data may be and still be read past. A longer one is not
// meant seriously.
const MaxSkippedBytes = 64 << 20

// TooLong is a message with more data than the Reader takes. It has been read past: the message is there without its
// data, and the next one can be read.
type TooLong struct{ Bytes, Max uint32 }

func (t *TooLong) Error() string {
	return fmt.Sprintf("%d bytes of data; this bus takes no more than %d", t.Bytes, t.Max)
}

// Is makes it kbus.ErrMessageTooLong.
func (t *TooLong) Is(target error) bool { return target == kbus.ErrMessageTooLong }

// Read reads the next message into m, whose Data it overwrites or replaces. It allocates nothing as long as the data
// fits and the name is that of the message before. The error is io.EOF at the end between two messages,
// io.ErrUnexpectedEOF within one, a *TooLong, a *Garbled, or the error of the stream.
func (r *Reader) Read(m *kbus.Message) error {
	if _, err := io.ReadFull(r.from, r.scratch[:]); err != nil {
		return err
	}
	h, err := ParseHeader(r.scratch[:])
	if err != nil {
		return err
	}
	if uint64(h.DataLen) > uint64(max(r.maxData, MaxSkippedBytes)) {
		return garbled("a message with %d bytes of data", h.DataLen)
	}
	name := r.name[:h.NameLen+namePadding(h.NameLen)]
	if err := r.rest(name); err != nil {
		return err
	}
	m.Header = h.Header
	if name = name[:h.NameLen]; m.Name != string(name) {
		m.Name = string(name)
	}
	return r.readData(m, h.DataLen)
}

func (r *Reader) readData(m *kbus.Message, n uint32) error {
	m.Data = m.Data[:0]
	tooLong := n > r.maxData
	if tooLong {
		if _, err := io.CopyN(io.Discard, r.from, int64(n)); err != nil {
			return inside(err)
		}
	} else {
		if uint32(cap(m.Data)) < n {
			m.Data = make([]byte, n)
		}
		m.Data = m.Data[:n]
		if err := r.rest(m.Data); err != nil {
			return err
		}
	}
	end := r.scratch[:dataPadding(n)+4]
	if err := r.rest(end); err != nil {
		return err
	}
	m.Trace = nil
	switch magic := big.Uint32(end[len(end)-4:]); magic {
	case endMagic:
	case traceMagic:
		if err := r.readTrace(m); err != nil {
			return err
		}
	default:
		return garbled("a message ends with %08x instead of %08x", magic, endMagic)
	}
	if tooLong {
		return &TooLong{n, r.maxData}
	}
	if isBindEvent(m.Name, m.Data) {
		eventToHost(m.Data)
	}
	return nil
}

// readTrace reads a trace context, and the end behind it.
func (r *Reader) readTrace(m *kbus.Message) error {
	var b [message.MaxTraceBytes]byte
	const lengths = 4
	if err := r.rest(b[:lengths]); err != nil {
		return err
	}
	n := lengths + int(binary.LittleEndian.Uint16(b[:])) + int(binary.LittleEndian.Uint16(b[2:]))
	if n > len(b) {
		return garbled("a trace context of %d bytes", n)
	}
	if err := r.rest(b[lengths:n]); err != nil {
		return err
	}
	if c, why := message.TraceFault(b[:n]); c != message.OK {
		return garbled("a trace context: %s", why)
	}
	m.Trace = message.TraceOf(b[:n])
	end := r.scratch[:4]
	if err := r.rest(end); err != nil {
		return err
	}
	if magic := big.Uint32(end); magic != endMagic {
		return garbled("a trace context ends with %08x instead of %08x", magic, endMagic)
	}
	return nil
}

// rest reads what belongs to a message that has begun.
func (r *Reader) rest(b []byte) error {
	_, err := io.ReadFull(r.from, b)
	return inside(err)
}

// inside makes an end of the stream what it is within a message.
func inside(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
