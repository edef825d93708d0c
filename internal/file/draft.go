package file

import (
	"encoding/binary"

	"kbus.example/kbus/message"
)

// A draft is the message being written. It is a sequence of parts; each is checked at the moment its last byte
// arrives (R3.59), so what a write returns depends only on the bytes written so far and never on how they were cut.
//
// Parts of length zero are passed through when the next byte arrives, not before (R8.7): a message without data waits
// in DATA after its name's padding. Only the stats report can tell, but it must.

// part is a stretch of a message as it is written. Its order is the order in the message.
type part uint8

const (
	headerPart part = iota
	namePart        // entire form only, as are all that follow
	namePadPart
	dataPart
	dataPadPart
	finalPart // the second end guard
	noPart    // the message is complete
)

// String gives the word of the stats report. A complete entire message shows as FINAL (F18).
func (p part) String() string {
	return [...]string{"HDR", "NAME", "NPAD", "DATA", "DPAD", "FINAL", "FINAL"}[p]
}

// native is the byte order of the header and of every ioctl argument (R2.1).
var native = binary.NativeEndian

type draft struct {
	started bool // a message is being written, perhaps of no bytes yet (R3.58)
	buf     []byte
	part    part
	at      uint64 // bytes of the current part that have been written
	header  message.RawHeader
}

// drop forgets the message.
func (d *draft) drop() { *d = draft{buf: emptied(d.buf)} }

// pointy reports whether the header points at name and data (R2.4). It is known once the header is complete.
func (d *draft) pointy() bool { return d.header.NamePtr != 0 }

// complete reports whether SEND may take the message.
func (d *draft) complete() bool {
	return d.part == noPart || d.part == namePart && d.pointy()
}

// partBytes is the length of the current part.
func (d *draft) partBytes() uint64 {
	name, data := uint64(d.header.NameLen), uint64(d.header.DataLen)
	switch d.part {
	case headerPart:
		return message.HeaderBytes
	case namePart:
		return name
	case namePadPart:
		return message.PaddedName(d.header.NameLen) - name
	case dataPart:
		return data
	case dataPadPart:
		return message.PaddedData(d.header.DataLen) - data
	}
	return 4
}

// nameCheck is the rule for names of the Ksock that writes.
type nameCheck = func(name []byte) message.Condition

// write appends p, checking each part as it is completed. After a condition other than OK the caller drops the draft.
func (d *draft) write(p []byte, maxMessageBytes uint32, checkName nameCheck) message.Condition {
	d.started = true
	for len(p) > 0 {
		if d.complete() {
			return message.ErrAfterEnd // R3.60
		}
		n := min(uint64(len(p)), d.partBytes()-d.at)
		d.buf = append(d.buf, p[:n]...)
		d.at += n
		if n > 0 && d.at == d.partBytes() {
			if c := d.check(maxMessageBytes, checkName); c != message.OK {
				return c
			}
			d.part, d.at = d.part+1, 0
		} else if n == 0 {
			d.part++ // of length zero
		}
		p = p[n:]
	}
	return message.OK
}

// check looks at the part that has just become complete: R2.11, R2.14, R2.15. Padding may be anything (R2.9).
func (d *draft) check(maxMessageBytes uint32, checkName nameCheck) message.Condition {
	switch d.part {
	case headerPart:
		d.header = message.ParseHeader(d.buf)
		return d.header.Check(maxMessageBytes)
	case namePart:
		return checkName(d.name())
	case finalPart:
		if native.Uint32(d.buf[len(d.buf)-4:]) != message.EndGuard {
			return message.ErrMalformed
		}
	}
	return message.OK
}

// name and data are those of an entire message; valid when their parts are complete, until the draft is dropped.
func (d *draft) name() []byte {
	return d.buf[message.HeaderBytes:][:d.header.NameLen]
}

func (d *draft) data() []byte {
	return d.buf[message.HeaderBytes+message.PaddedName(d.header.NameLen):][:d.header.DataLen]
}
