package form

import (
	"encoding/binary"
	"fmt"
	"slices"

	"kbus.example/kbus/message"
)

// What fields can be. Each function writes what it points to, or reads it; with a nil Coder it does nothing.

// Uint is a number that is not negative: seven bits a byte, lowest first, the eighth bit set in all but the last.
func Uint[T ~uint8 | ~uint16 | ~uint32 | ~uint64](c *Coder, v *T) {
	switch {
	case c == nil:
		return
	case !c.reads:
		c.bytes = binary.AppendUvarint(c.bytes, uint64(*v))
		return
	case c.at < len(c.bytes) && c.bytes[c.at] < 0x80: // as most are
		*v = T(c.bytes[c.at])
		c.at++
		return
	}
	n := c.number(0)
	if *v = T(n); uint64(*v) != n {
		c.Fail(fmt.Sprintf("%d is too large a number", n))
		*v = 0
	}
}

// Int is a number that may be negative: as Uint, 0, -1, 1, -2 and so on.
func Int[T ~int | ~int64](c *Coder, v *T) {
	if c == nil {
		return
	}
	n := c.number(uint64(int64(*v))<<1 ^ uint64(int64(*v)>>63))
	is := int64(n>>1) ^ -int64(n&1)
	if *v = T(is); int64(*v) != is {
		c.Fail(fmt.Sprintf("%d is too large a number", is))
		*v = 0
	}
}

// Bool is a byte, 0 or 1.
func Bool(c *Coder, v *bool) {
	if c == nil {
		return
	}
	n := uint64(0)
	if *v {
		n = 1
	}
	if n = c.number(n); n > 1 {
		c.Fail(fmt.Sprintf("%d is neither 0 nor 1", n))
	}
	*v = n == 1
}

// Bools are several.
func Bools(c *Coder, all ...*bool) {
	for _, v := range all {
		Bool(c, v)
	}
}

// String is its length and its bytes.
func String[T ~string](c *Coder, v *T) {
	if c == nil {
		return
	}
	if c.reads {
		*v = T(c.text(nil))
		return
	}
	n := c.length(len(*v))
	if c.bytes = append(c.bytes, (*v)[:n]...); len(c.bytes) >= portion {
		c.flush()
	}
}

// Bytes are as a String. Those that are read are nobody else's; none at all are nil.
func Bytes(c *Coder, v *[]byte) {
	if c == nil {
		return
	}
	b := c.text(*v)
	if c.reads {
		*v = slices.Clone(b)
		if len(b) == 0 {
			*v = nil
		}
	}
}

// Borrowed is Bytes that are not copied: what is read lies in the state, and is valid as long as that is.
func Borrowed(c *Coder, v *[]byte) {
	if c == nil {
		return
	}
	if b := c.text(*v); c.reads {
		*v = b
	}
}

// Window is the bytes that a replay window has of its own. (Were this for all that have bytes of their own, the program would get those
// methods of times, too.)
func Window(c *Coder, v *message.ReplayWindow) {
	if c == nil {
		return
	}
	if c.reads {
		if err := v.UnmarshalBinary(c.text(nil)); err != nil {
			c.Fail(err.Error())
		}
		return
	}
	b, err := v.AppendBinary(nil)
	if err != nil {
		c.Fail(err.Error())
	}
	c.text(b)
}

// room is for how many things there is room at once, on the mere word of a length: for all, unless there are hardly bytes for them.
func (c *Coder) room(n int) int { return min(n, 64+(len(c.bytes)-c.at)/64) }

// List is how many there are, and each of them. None at all is nil.
func List[T any](c *Coder, list *[]T, each func(*Coder, *T)) {
	n, reads := c.begin(len(*list))
	if reads {
		if *list = nil; n > 0 {
			*list = make([]T, 0, c.room(n))
		}
	}
	for i := 0; i < n && c.err == nil; i++ {
		if reads {
			var zero T
			*list = append(*list, zero)
		}
		each(c, &(*list)[i])
	}
}

// begin is the beginning of what has several parts: how many, and whether they are read.
func (c *Coder) begin(n int) (_ int, reads bool) {
	if c == nil {
		return 0, false
	}
	return c.length(n), c.reads
}

// Uints is a List of numbers.
func Uints[T ~uint8 | ~uint16 | ~uint32 | ~uint64](c *Coder, list *[]T) { List(c, list, Uint[T]) }

// Ints is a List of numbers that may be negative.
func Ints[T ~int | ~int64](c *Coder, list *[]T) { List(c, list, Int[T]) }

// Strings is a List of them.
func Strings(c *Coder, list *[]string) { List(c, list, String[string]) }

// Map is how many there are, and each key with its value, in any order. None at all is nil.
func Map[K comparable, V any](c *Coder, m *map[K]V, key func(*Coder, *K), value func(*Coder, *V)) {
	n, reads := c.begin(len(*m))
	if !reads {
		if n > 0 {
			for k, v := range *m {
				key(c, &k)
				value(c, &v)
			}
		}
		return
	}
	*m = nil
	if n > 0 {
		*m = make(map[K]V, c.room(n))
	}
	for i := 0; i < n && c.err == nil; i++ {
		var k K
		var v V
		key(c, &k)
		value(c, &v)
		if (*m)[k] = v; len(*m) <= i {
			c.Fail("a key is there twice")
		}
	}
}

// Maybe is whether it is there, and if so what it is.
func Maybe[T any](c *Coder, p **T, it func(*Coder, *T)) {
	if c == nil {
		return
	}
	there := *p != nil
	Bool(c, &there)
	if c.reads {
		if *p = nil; there {
			*p = new(T)
		}
	}
	if there {
		it(c, *p)
	}
}
