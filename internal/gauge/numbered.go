package gauge

import (
	"encoding/binary"
	"fmt"
)

// Each message begins with its number, as much of it as fits, so that a consumer can tell what it has missed. The rest
// is filler that nobody looks at.

// draft is the data of messages to be sent.
type draft struct{ data []byte }

func newDraft(size int) *draft {
	d := &draft{data: make([]byte, size)}
	for i := range d.data {
		d.data[i] = 'x'
	}
	return d
}

// number makes it message n. What it returns is valid until the next call.
func (d *draft) number(n uint64) []byte {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], n)
	copy(d.data, b[:])
	return d.data
}

// check tells whether data is that of message n.
func check(data []byte, size int, n uint64) error {
	if len(data) != size {
		return fmt.Errorf("message %d has %d bytes instead of %d", n, len(data), size)
	}
	if size < 8 {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], n)
		if string(data) == string(b[:size]) {
			return nil
		}
		return fmt.Errorf("in place of message %d came one numbered % x", n, data)
	}
	if came := binary.LittleEndian.Uint64(data); came != n {
		return fmt.Errorf("in place of message %d came message %d", n, came)
	}
	return nil
}
