// Package wire is what two Limpets say to each other over a byte stream, to the byte as in part 9.2 and 9.3 of the
// specification: a greeting of 8 bytes each way, and then messages. All numbers are big-endian.
//
// It is pure but for the io.Reader that a Reader reads. What comes from a network is not to be trusted, so every length
// is held against a limit before anything is allocated for it.
package wire

import (
	"encoding/binary"
	"fmt"

	"kbus"
)

// HeaderBytes is the length of a message's header (R9.8). It is the header of kbus/message without its two pointers,
// so it is the same for every machine (R9.9).
const HeaderBytes = 64

const (
	startGuard = 0x7375624B
	endGuard   = 0x4B627573
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
		startGuard,
		h.ID.Network, h.ID.Serial,
		h.InReplyTo.Network, h.InReplyTo.Serial,
		h.To, h.From,
		h.OrigFrom.Network, h.OrigFrom.Local,
		h.FinalTo.Network, h.FinalTo.Local,
		h.Extra, uint32(h.Flags),
		h.NameLen, h.DataLen,
		endGuard,
	} {
		b = big.AppendUint32(b, v)
	}
	return b
}

// ParseHeader reads the first 64 bytes of b, which must be that long. It checks the guards (R9.11) and the length of
// the name (B20); how much data is too much only its caller knows. The error is a *Garbled.
func ParseHeader(b []byte) (h Header, err error) {
	u := func(word int) uint32 { return big.Uint32(b[4*word:]) }
	h.ID = kbus.ID{Network: u(1), Serial: u(2)}
	h.InReplyTo = kbus.ID{Network: u(3), Serial: u(4)}
	h.To, h.From = u(5), u(6)
	h.OrigFrom = kbus.Origin{Network: u(7), Local: u(8)}
	h.FinalTo = kbus.Origin{Network: u(9), Local: u(10)}
	h.Extra, h.Flags = u(11), kbus.Flags(u(12))
	h.NameLen, h.DataLen = u(13), u(14)
	switch {
	case u(0) != startGuard:
		return h, garbled("a message begins with %08x instead of %08x", u(0), startGuard)
	case u(15) != endGuard:
		return h, garbled("a header ends with %08x instead of %08x", u(15), endGuard)
	case h.NameLen == 0 || h.NameLen > kbus.MaxNameBytes:
		return h, garbled("a name of %d bytes; names have 1 to %d", h.NameLen, kbus.MaxNameBytes)
	}
	return h, nil
}

// Garbled is what cannot be understood. The stream is of no more use then, because nobody can tell where the next
// message begins.
type Garbled struct{ what string }

func (g *Garbled) Error() string {
	return "the other end does not speak the Limpet protocol: " + g.what
}

func garbled(format string, args ...any) error { return &Garbled{fmt.Sprintf(format, args...)} }
