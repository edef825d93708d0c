// Package wire is what two Limpets send to each other over a byte stream, to the byte as original
// Limpets do: a greeting of 8 bytes each way, and then messages. All numbers are big-endian.
//
// It is pure but for the io.Reader that a Reader reads. What comes from a network is not to be trusted, so every length
// is held against a limit before anything is allocated for it.
package wire

import (
	"encoding/binary"
	"fmt"

	"kbus.example/kbus"
)

// HeaderBytes is the length of a message's header. It is the header of kbus/message without its two pointers,
// so it is the same for every machine.
const HeaderBytes = 64

const (
	startMagic = 0x7375624B
	endMagic   = 0x4B627573
	traceMagic = 0x54726163 // in the place of the last end magic: a trace context follows, and then that
)

var big = binary.BigEndian

// Header is a message's header with the lengths of what follows it.
type Header struct {
	kbus.Header
	NameLen, DataLen uint32
}

// AppendHeader appends the 64 bytes.
func AppendHeader(b []byte, h *Header) []byte {
	for _, v := range [HeaderBytes / 4]uint32{
		startMagic,
		h.ID.Network, h.ID.Serial,
		h.InReplyTo.Network, h.InReplyTo.Serial,
		uint32(h.To), uint32(h.From),
		h.OrigFrom.Network, h.OrigFrom.Local,
		h.FinalTo.Network, h.FinalTo.Local,
		h.Extra, uint32(h.Flags),
		h.NameLen, h.DataLen,
		endMagic,
	} {
		b = big.AppendUint32(b, v)
	}
	return b
}

// ParseHeader reads the first 64 bytes of b, which must be that long. It checks the magic words and the length of
// the name; how much data is too much only its caller knows. The error is a *Garbled.
func ParseHeader(b []byte) (h Header, err error) {
	u := func(word int) uint32 { return big.Uint32(b[4*word:]) }
	h.ID = kbus.ID{Network: u(1), Serial: u(2)}
	h.InReplyTo = kbus.ID{Network: u(3), Serial: u(4)}
	h.To, h.From = kbus.KsockID(u(5)), kbus.KsockID(u(6))
	h.OrigFrom = kbus.Origin{Network: u(7), Local: u(8)}
	h.FinalTo = kbus.Origin{Network: u(9), Local: u(10)}
	h.Extra, h.Flags = u(11), kbus.Flags(u(12))
	h.NameLen, h.DataLen = u(13), u(14)
	switch {
	case u(0) != startMagic:
		return h, garbled("a message begins with %08x instead of %08x", u(0), startMagic)
	case u(15) != endMagic:
		return h, garbled("a header ends with %08x instead of %08x", u(15), endMagic)
	case h.NameLen == 0 || h.NameLen > kbus.MaxNameBytes:
		return h, garbled("a name of %d bytes; names have 1 to %d", h.NameLen, kbus.MaxNameBytes)
	}
	return h, nil
}

// Garbled is what cannot be understood. The stream is of no more use then, because it is unknown where the next
// message begins.
type Garbled struct{ what string }

func (g *Garbled) Error() string {
	return "the other end does not speak the Limpet protocol: " + g.what
}

func garbled(format string, args ...any) error { return &Garbled{fmt.Sprintf(format, args...)} }
