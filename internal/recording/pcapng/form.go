// Package pcapng keeps events in capture files, as Wireshark and its relatives read them. docs/recordings.md tells the form
// byte by byte.
//
// A file is one section, to which interfaces are added and never a second section: tools show the packets of a second section
// under the names of the first. Losses stand in the option that tools know for them, and in no block of our own.
package pcapng

import (
	"encoding/binary"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A packet is a head and the payload of a frame Tapped. Its numbers are little-endian, whatever those of the file are.
const (
	form      = 1
	headBytes = 20

	tapBytes   = 68 // of Tapped, before the name of the program
	programLen = headBytes + 64

	// mostPacket is what tools take at most; what is longer is cut.
	mostPacket = 256 << 10
)

var le = binary.LittleEndian

// appendPacket appends the packet, whole.
func appendPacket(b []byte, e *event.Event) []byte {
	b = le.AppendUint16(b, form)
	b = le.AppendUint16(b, uint16(e.Condition))
	b = le.AppendUint32(b, uint32(e.Kind))
	b = le.AppendUint64(b, e.Serial)
	b = le.AppendUint32(b, e.Bus)
	t := e.Tap()
	return wire.AppendTapEvent(b, &t)
}

// Cuts reports whether an event is too long for a packet.
func Cuts(e *event.Event) bool {
	t := e.Tap()
	return headBytes+t.Bytes() > mostPacket
}

// parsePacket reads a packet, which may have been cut after its names began: then name and data are what is left of them. It
// gives the reason if it cannot. Name and Data point into b, which it may change.
func parsePacket(b []byte, cut bool, e *event.Event) (reason string) {
	if len(b) < headBytes+tapBytes {
		return "the packet is too short"
	}
	if le.Uint16(b) != form {
		return "a packet of a later version"
	}
	if cut {
		var ok bool
		if b, ok = mend(b); !ok {
			return "the packet was cut before its name"
		}
	}
	var t wire.TapEvent
	if !wire.ParseTapEvent(b[headBytes:], &t) {
		return "the lengths in the packet contradict each other"
	}
	*e = event.FromTap(le.Uint32(b[4:]), message.Condition(min(le.Uint16(b[2:]), 255)), &t)
	e.Serial, e.Bus = le.Uint64(b[8:]), le.Uint32(b[16:])
	return ""
}

// mend makes the lengths in a cut packet those of what is left. A trace context that is not whole is left out.
func mend(b []byte) (mended []byte, ok bool) {
	at := uint64(headBytes+tapBytes) + uint64(le.Uint32(b[programLen:]))
	if at+wire.MessageHeaderBytes > uint64(len(b)) {
		return nil, false
	}
	lengths, left := b[at+48:], uint64(len(b))-at-wire.MessageHeaderBytes
	whole := uint64(le.Uint32(lengths)) + uint64(le.Uint32(lengths[4:]))
	name := min(uint64(le.Uint32(lengths)), left)
	data := min(uint64(le.Uint32(lengths[4:])), left-name)
	le.PutUint32(lengths, uint32(name))
	le.PutUint32(lengths[4:], uint32(data))
	end := uint64(len(b)) - left + name + data
	h := message.Header{Flags: message.Flags(le.Uint32(b[at+44:]))}
	if whole == left { // nothing ever followed, and the mark is a flag of the sender's
		return b, true
	}
	if trace, _, _ := wire.CutTrace(&h, b[end:]); trace == nil && h.Flags.Has(message.TraceMark) {
		le.PutUint32(b[at+44:], uint32(h.Flags&^message.TraceMark))
		b = b[:end]
	}
	return b, true
}

// Numbers of the file format.
const (
	sectionBlock   = 0x0A0D0D0A
	interfaceBlock = 1
	packetBlock    = 6
	orderMagic     = 0x1A2B3C4D
	linkType       = 147 // for users of the format: ours

	optionEnd, optionComment   = 0, 1
	optionApplication          = 4 // of a section
	optionName, optionTickSize = 2, 9
	optionLost                 = 4 // of a packet: lost between this one and the one before it
)

// byteOrder is that of a section.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}
