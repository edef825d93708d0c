// Package form is how the state that one daemon hands over to another looks as bytes. docs/handover.md has it for people.
//
// What a state is made of says so once, in a function that names its fields in their order, and that function both writes
// and reads:
//
//	func (s *OwedState) Code(c *form.Coder) {
//		form.Uint(c, &s.Requester)
//		form.Uint(c.Since(3), &s.Since) // came with form 3
//	}
//
// So the two sides cannot differ, and a new field is one line. There are no names and no types in the bytes, which is why the
// number of the form goes up with each change: a reader that does not know that number reads nothing. All that a reader is
// given is checked, and what cannot be is an error, which says where. After an error all that is read is zero.
//
// Not safe for concurrent use.
package form

import (
	"encoding/binary"
	"fmt"
)

// Coder writes a state, or reads one. A nil Coder does neither: it is for fields that the form does not have.
type Coder struct {
	form  int
	reads bool
	bytes []byte             // written and not yet put, or all that is to be read
	at    int                // of them has been read
	put   func([]byte) error // takes what is written
	err   error              // the first
	where string             // the last Mark
}

// portion is about how many bytes are put at a time.
const portion = 256 << 10

// Writer writes a state in that form. put gets the bytes, in portions, and must not keep them.
func Writer(form int, put func([]byte) error) *Coder {
	return &Coder{form: form, put: put, bytes: make([]byte, 0, portion+portion/4)}
}

// Append appends what is small and has no end of its own.
func Append(b []byte, form int, write func(*Coder)) []byte {
	c := &Coder{form: form, put: func(more []byte) error { b = append(b, more...); return nil }}
	write(c)
	c.flush()
	return b
}

// Reader reads a state that was written in that form.
func Reader(form int, state []byte) *Coder { return &Coder{form: form, reads: true, bytes: state} }

// Reads reports whether it reads, so that what was found must be made use of.
func (c *Coder) Reads() bool { return c != nil && c.reads }

// Form is that of the state.
func (c *Coder) Form() int { return c.form }

// Since gives a Coder for what came with a form: none, if the state is of an older one.
func (c *Coder) Since(form int) *Coder {
	if c == nil || c.form < form {
		return nil
	}
	return c
}

// Err is the first thing that went wrong.
func (c *Coder) Err() error { return c.err }

// Fail is for what was read and cannot be. Only the first one counts.
func (c *Coder) Fail(why string) {
	if c == nil || c.err != nil {
		return
	}
	c.err = fmt.Errorf("%s, at byte %d, in %s", why, c.at, orState(c.where))
	if c.reads {
		c.at = len(c.bytes)
	}
}

func orState(where string) string {
	if where == "" {
		return "the state"
	}
	return where
}

// Mark says what follows. A reader that finds something else there has lost its way, and says so.
func (c *Coder) Mark(what string) {
	if c == nil {
		return
	}
	found := what
	if String(c, &found); found != what {
		c.Fail(fmt.Sprintf("%q begins and should be %q", shortened(found), what))
	}
	c.where = what
}

func shortened(s string) string { return s[:min(len(s), 40)] }

// End puts what is left. For a reader it is an error if there is any more.
func (c *Coder) End() error {
	if c.Mark("end"); c.err == nil && c.reads && c.at < len(c.bytes) {
		c.Fail(fmt.Sprintf("there are %d bytes more than are known", len(c.bytes)-c.at))
	}
	if !c.reads {
		c.flush()
	}
	return c.err
}

func (c *Coder) flush() {
	if c.err == nil && len(c.bytes) > 0 {
		c.err = c.put(c.bytes)
	}
	c.bytes = c.bytes[:0]
}

// number writes a number, or reads one.
func (c *Coder) number(v uint64) uint64 {
	if !c.reads {
		c.bytes = binary.AppendUvarint(c.bytes, v)
		return v
	}
	if c.at < len(c.bytes) && c.bytes[c.at] < 0x80 { // as most are
		c.at++
		return uint64(c.bytes[c.at-1])
	}
	v, n := binary.Uvarint(c.bytes[c.at:])
	if n <= 0 {
		c.Fail(errNumber(n))
		return 0
	}
	c.at += n
	return v
}

func errNumber(n int) string {
	if n == 0 {
		return "it ends too early"
	}
	return "a number is too large"
}

// length writes a length, or reads one of things that have at least one byte each.
func (c *Coder) length(n int) int {
	if !c.reads {
		c.number(uint64(n))
		return n
	}
	v := c.number(0)
	if left := uint64(len(c.bytes) - c.at); v > left {
		c.Fail(fmt.Sprintf("a length is %d, and %d bytes are left", v, left))
		return 0
	}
	return int(v)
}

// text writes bytes, or gives those that are read, where they lie.
func (c *Coder) text(b []byte) []byte {
	n := c.length(len(b))
	if c.reads {
		c.at += n
		return c.bytes[c.at-n : c.at : c.at]
	}
	if len(b) >= portion {
		c.flush()
		if c.err == nil {
			c.err = c.put(b)
		}
		return b
	}
	if c.bytes = append(c.bytes, b...); len(c.bytes) >= portion {
		c.flush()
	}
	return b
}
