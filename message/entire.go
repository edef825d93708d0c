package message

import (
	"encoding/binary"
)

// The entire form is a message as one run of bytes, laid out as the original's 64-bit structure: a header
// of 88 bytes with both pointers 0, the name with 1-4 bytes of padding, the data with 0-3, and a second end guard. It
// is what a device reads and writes, and what the size limits count on every front end. Numbers are in host byte
// order, and every host that we build for is little-endian or says so here: binary.NativeEndian.

const (
	HeaderBytes = 88
	StartGuard  = 0x7375624B // "Kbus" in little-endian memory
	EndGuard    = 0x4B627573 // "subK"
)

var native = binary.NativeEndian

// PaddedName is the room that a name of n bytes takes in the entire form.
func PaddedName(n uint32) uint64 { return 4 * ((uint64(n) + 4) / 4) }

// PaddedData is the room that n bytes of data take in the entire form.
func PaddedData(n uint32) uint64 { return 4 * ((uint64(n) + 3) / 4) }

// EntireLen is the length in bytes of the entire form, in 64 bits so that no length wraps.
func EntireLen(nameLen, dataLen uint32) uint64 {
	return HeaderBytes + PaddedName(nameLen) + PaddedData(dataLen) + 4
}

// RawHeader is the 88-byte header as a program writes it, before anything has been checked.
type RawHeader struct {
	Header
	StartGuard, EndGuard uint32
	NameLen, DataLen     uint32
	NamePtr, DataPtr     uint64 // both 0 in the entire form
}

// ParseHeader reads the 88 bytes of b. It checks nothing; b must be at least HeaderBytes long.
func ParseHeader(b []byte) (r RawHeader) {
	u := func(at int) uint32 { return native.Uint32(b[at:]) }
	r.StartGuard = u(0)
	r.ID = ID{u(4), u(8)}
	r.InReplyTo = ID{u(12), u(16)}
	r.To, r.From = KsockID(u(20)), KsockID(u(24))
	r.OrigFrom = Origin{u(28), u(32)}
	r.FinalTo = Origin{u(36), u(40)}
	r.Extra, r.Flags = u(44), Flags(u(48))
	r.NameLen, r.DataLen = u(52), u(56)
	r.NamePtr, r.DataPtr = native.Uint64(b[64:]), native.Uint64(b[72:])
	r.EndGuard = u(80)
	return r
}

// Check finds the first thing that is wrong with a header, in the order that programs of the original rely on: guards and
// empty name, length of the name, pointers, flags, and last the length of the entire form against a limit in bytes.
func (r *RawHeader) Check(maxMessageBytes uint32) Condition {
	switch {
	case r.StartGuard != StartGuard, r.EndGuard != EndGuard, r.NameLen == 0:
		return ErrMalformed
	case r.NameLen > MaxNameBytes:
		return ErrNameTooLong
	case r.NamePtr == 0 && r.DataPtr != 0,
		r.NamePtr != 0 && r.DataPtr == 0 && r.DataLen != 0,
		r.DataLen == 0 && r.DataPtr != 0:
		return ErrMalformed
	}
	return CheckLimits(r.Flags, r.NameLen, r.DataLen, maxMessageBytes)
}

// CheckLimits has those checks that also concern messages that never had a byte form: the flags that exclude each other,
// and the length.
func CheckLimits(f Flags, nameLen, dataLen, maxMessageBytes uint32) Condition {
	switch {
	case f.Has(AllOrWait | AllOrFail):
		return ErrWaitAndFail
	case EntireLen(nameLen, dataLen) > uint64(maxMessageBytes):
		return ErrMessageTooLong
	}
	return OK
}

// AppendEntire appends the entire form, with zero padding, and returns the extended slice.
func AppendEntire(b []byte, h *Header, name, data []byte) []byte {
	total := int(EntireLen(uint32(len(name)), uint32(len(data))))
	at := len(b)
	b = append(b, make([]byte, total)...)
	m := b[at:]
	for _, f := range [...]struct {
		at int
		v  uint32
	}{
		{0, StartGuard},
		{4, h.ID.Network}, {8, h.ID.Serial},
		{12, h.InReplyTo.Network}, {16, h.InReplyTo.Serial},
		{20, uint32(h.To)}, {24, uint32(h.From)},
		{28, h.OrigFrom.Network}, {32, h.OrigFrom.Local},
		{36, h.FinalTo.Network}, {40, h.FinalTo.Local},
		{44, h.Extra}, {48, uint32(h.Flags)},
		{52, uint32(len(name))}, {56, uint32(len(data))},
		{80, EndGuard}, {total - 4, EndGuard},
	} {
		native.PutUint32(m[f.at:], f.v)
	}
	copy(m[HeaderBytes:], name)
	copy(m[HeaderBytes+PaddedName(uint32(len(name))):], data)
	return b
}

// ParseEntire reads an entire message of exactly len(b) bytes and checks it as write and SEND do together:
// ErrMalformed, ErrNameTooLong, ErrWaitAndFail, ErrMessageTooLong, ErrBadName, ErrAfterEnd. Name and Data of the
// result point into b.
func ParseEntire(b []byte, maxMessageBytes uint32) (h Header, name, data []byte, c Condition) {
	if len(b) < HeaderBytes {
		return h, nil, nil, ErrIncomplete
	}
	r := ParseHeader(b)
	if c = r.Check(maxMessageBytes); c != OK {
		return h, nil, nil, c
	}
	total := EntireLen(r.NameLen, r.DataLen)
	switch {
	case r.NamePtr != 0:
		return h, nil, nil, ErrMalformed
	case uint64(len(b)) < total:
		return h, nil, nil, ErrIncomplete
	case uint64(len(b)) > total:
		return h, nil, nil, ErrAfterEnd
	case native.Uint32(b[total-4:]) != EndGuard:
		return h, nil, nil, ErrMalformed
	}
	name = b[HeaderBytes : HeaderBytes+r.NameLen]
	if c = CheckName(name); c != OK {
		return h, nil, nil, c
	}
	at := HeaderBytes + PaddedName(r.NameLen)
	return r.Header, name, b[at : at+uint64(r.DataLen)], OK
}
