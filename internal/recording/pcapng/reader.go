package pcapng

import (
	"encoding/binary"
	"errors"
	"io"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/recording/input"
)

// Reader reads files of either byte order and of several sections. It passes over blocks and options that it does not know,
// and over packets of other link types: a file may be merged with the capture of a network.
type Reader struct {
	in         *input.Input
	order      byteOrder
	interfaces []bool // whether its packets are ours
	end        int64  // of the last whole block
	err        error  // for good
}

const (
	mostBlock      = 16 << 20 // what other tools take, too
	mostInterfaces = 1 << 16
)

// NewReader reads r in small pieces.
func NewReader(r io.Reader) *Reader { return &Reader{in: input.New(r)} }

// Next reads the next event; its Name and Data are valid until the next Next. At the end the error is io.EOF, and for a file
// that cannot be read on an *input.Broken.
func (r *Reader) Next(e *event.Event) error {
	for r.err == nil {
		var found bool
		if found, r.err = r.block(e); found {
			return nil
		}
	}
	return r.err
}

// block reads one block, and reports whether it was an event.
func (r *Reader) block(e *event.Event) (found bool, err error) {
	at := r.in.At()
	broken := func(reason string) (bool, error) { return false, &input.Broken{Offset: at, Reason: reason} }
	kind, length, reason, err := r.head()
	switch {
	case errors.Is(err, io.EOF) && r.order != nil && r.in.At() == at:
		return false, io.EOF
	case err != nil:
		return false, input.Fault(at, "a block", err)
	case reason != "":
		return broken(reason)
	}
	body := int64(length) - (r.in.At() - at) - 4
	if kind != interfaceBlock && kind != packetBlock {
		if err := r.in.Skip(body); err != nil {
			return false, input.Fault(at, "a block", err)
		}
		body = 0
	} else if length > mostBlock {
		return broken("a block that is too long")
	}
	b, err := r.in.Take(int(body) + 4)
	if err != nil {
		return false, input.Fault(at, "a block", err)
	}
	if r.order.Uint32(b[body:]) != length {
		return broken("a block whose two lengths differ")
	}
	switch b = b[:body]; kind {
	case interfaceBlock:
		reason = r.addInterface(b)
	case packetBlock:
		found, reason = r.packet(b, e)
	}
	if reason != "" {
		return broken(reason)
	}
	r.end = r.in.At()
	return found, nil
}

// head reads the beginning of a block, and of a section also the order of the bytes.
func (r *Reader) head() (kind, length uint32, reason string, err error) {
	b, err := r.in.Take(8)
	if err != nil {
		return 0, 0, "", err
	}
	head, least := [8]byte(b), uint32(12)
	if binary.BigEndian.Uint32(head[:]) == sectionBlock { // the same in both orders
		magic, err := r.in.Take(4)
		if err != nil {
			return 0, 0, "", err
		}
		if r.order = orderOf(magic); r.order == nil {
			return 0, 0, "a section without a byte order", nil
		}
		r.interfaces, least = r.interfaces[:0], 16
	}
	if r.order == nil {
		return 0, 0, "not a capture file of this kind", nil
	}
	kind, length = r.order.Uint32(head[:]), r.order.Uint32(head[4:])
	if length%4 != 0 || length < least {
		return 0, 0, "a block whose length cannot be", nil
	}
	return kind, length, "", nil
}

func orderOf(magic []byte) byteOrder {
	switch uint32(orderMagic) {
	case binary.LittleEndian.Uint32(magic):
		return binary.LittleEndian
	case binary.BigEndian.Uint32(magic):
		return binary.BigEndian
	}
	return nil
}

func (r *Reader) addInterface(b []byte) (reason string) {
	switch {
	case len(b) < 8:
		return "an interface that is too short"
	case len(r.interfaces) == mostInterfaces:
		return "too many interfaces"
	}
	r.interfaces = append(r.interfaces, r.order.Uint16(b) == linkType)
	return ""
}

func (r *Reader) packet(b []byte, e *event.Event) (found bool, reason string) {
	if len(b) < 20 {
		return false, "a packet that is too short"
	}
	id, captured, reported := r.order.Uint32(b), r.order.Uint32(b[12:]), r.order.Uint32(b[16:])
	switch {
	case uint64(id) >= uint64(len(r.interfaces)):
		return false, "a packet of an interface that is not there"
	case uint64(captured) > uint64(len(b)-20):
		return false, "a packet that is longer than its block"
	case !r.interfaces[id]:
		return false, ""
	}
	reason = parsePacket(b[20:20+captured:20+captured], captured < reported, e)
	return reason == "", reason
}
