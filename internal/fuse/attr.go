package fuse

import "golang.org/x/sys/unix"

// Node numbers: the root of a FUSE mount is 1. A CUSE device has no nodes, and its OPEN says 0.
const Root = 1

// Attr is what stat(2) tells of a file.
type Attr struct {
	Node     uint64
	Mode     uint32 // with the type
	Links    uint32
	UID, GID uint32
	Rdev     uint32
	Seconds  uint64 // of all three times

	// Fleeting keeps the kernel from remembering what the name leads to: it asks at each look-up.
	Fleeting bool
}

// rememberedSeconds is how long the kernel need not ask again. Files change through the kernel only, so it could be for
// ever.
const rememberedSeconds = 3600

const blockBytes = 4096

func (a *Attr) append(b []byte) []byte {
	b = native.AppendUint64(b, a.Node)
	b = append(b, make([]byte, 16)...) // size and blocks
	for range 3 {
		b = native.AppendUint64(b, a.Seconds)
	}
	b = append(b, make([]byte, 12)...) // nanoseconds
	for _, w := range [...]uint32{a.Mode, a.Links, a.UID, a.GID, a.Rdev, blockBytes, 0} {
		b = native.AppendUint32(b, w)
	}
	return b
}

func (a *Attr) remembered() uint64 {
	if a.Fleeting {
		return 0
	}
	return rememberedSeconds
}

// appendAttr is the reply to GETATTR and SETATTR.
func (a *Attr) appendAttr(b []byte) []byte {
	b = native.AppendUint64(b, a.remembered())
	b = native.AppendUint64(b, 0)
	return a.append(b)
}

// appendEntry is the reply to LOOKUP.
func (a *Attr) appendEntry(b []byte) []byte {
	b = native.AppendUint64(b, a.Node)
	b = native.AppendUint64(b, 0) // generation
	b = native.AppendUint64(b, a.remembered())
	b = native.AppendUint64(b, a.remembered())
	b = native.AppendUint64(b, 0) // nanoseconds of both
	return a.append(b)
}

// Entry is one name in a directory.
type Entry struct {
	Node uint64
	Mode uint32
	Name string
}

// appendEntries appends what of a directory fits, from the entry that offset says on.
func appendEntries(b []byte, most int, all []Entry, offset uint64) []byte {
	for i := offset; i < uint64(len(all)); i++ {
		e := &all[i]
		padded := (24 + len(e.Name) + 7) &^ 7
		if len(b)+padded > most {
			break
		}
		end := len(b) + padded
		b = native.AppendUint64(b, e.Node)
		b = native.AppendUint64(b, i+1)
		b = native.AppendUint32(b, uint32(len(e.Name)))
		b = native.AppendUint32(b, e.Mode&unix.S_IFMT>>12)
		b = append(b, e.Name...)
		for len(b) < end {
			b = append(b, 0)
		}
	}
	return b
}
