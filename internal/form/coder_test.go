package form

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"kbus.example/kbus/message"
)

// all has a field of each kind.
type all struct {
	small  uint8
	large  uint64
	signed int64
	flag   bool
	name   string
	data   []byte
	lent   []byte
	list   []all
	uints  []uint32
	ints   []int
	words  []string
	known  map[message.ID]int
	maybe  *all
	window message.ReplayWindow
	head   message.Header
	late   []byte // since form 3
}

func (s *all) Code(c *Coder) {
	c.Mark("all")
	Uint(c, &s.small)
	Uint(c, &s.large)
	Int(c, &s.signed)
	Bool(c, &s.flag)
	String(c, &s.name)
	Bytes(c, &s.data)
	Borrowed(c, &s.lent)
	List(c, &s.list, func(c *Coder, s *all) { s.Code(c) })
	Uints(c, &s.uints)
	Ints(c, &s.ints)
	Strings(c, &s.words)
	Map(c, &s.known, ID, Int)
	Maybe(c, &s.maybe, func(c *Coder, s *all) { s.Code(c) })
	Window(c, &s.window)
	Header(c, &s.head)
	Bytes(c.Since(3), &s.late)
}

func some() *all {
	s := &all{
		small: 255, large: math.MaxUint64, signed: math.MinInt64, flag: true, name: "name", data: []byte{1, 0, 2}, lent: bytes.Repeat([]byte("lent"), portion),
		list: []all{{small: 1}, {lent: []byte{}}}, uints: []uint32{0, 1 << 31}, ints: []int{-1, 5, -70000}, words: []string{"", "two"},
		known: map[message.ID]int{{Network: 1, Serial: 2}: -3, {Serial: 9}: 4}, maybe: &all{signed: -1, lent: []byte{}}, late: []byte("late"),
		head: message.Header{ID: message.ID{Network: 1, Serial: 2}, InReplyTo: message.ID{Network: 3, Serial: 4}, To: 5, From: 6,
			OrigFrom: message.Origin{Network: 7, Local: 8}, FinalTo: message.Origin{Network: 9, Local: 10}, Extra: 11, Flags: 12},
	}
	s.list[0].lent = []byte{}
	s.window.See(70000)
	return s
}

// written is a state as bytes.
func written(t testing.TB, form int, s *all) (b []byte) {
	t.Helper()
	c := Writer(form, func(some []byte) error { b = append(b, some...); return nil })
	s.Code(c)
	if err := c.End(); err != nil {
		t.Fatal(err)
	}
	return b
}

func read(form int, b []byte) (s all, err error) {
	c := Reader(form, b)
	s.Code(c)
	return s, c.End()
}

// TestThereAndBack: what is written is what is read.
func TestThereAndBack(t *testing.T) {
	s := some()
	got, err := read(3, written(t, 3, s))
	if err != nil || !reflect.DeepEqual(&got, s) {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestForms: a field that came with a form is not in an older one, and none of the two is taken for the other.
func TestForms(t *testing.T) {
	s := some()
	older, newer := written(t, 2, s), written(t, 3, s)
	if len(newer)-len(older) != (1+len("late"))+3 { // once in s, and empty in the three within
		t.Errorf("%d and %d bytes", len(older), len(newer))
	}
	got, err := read(2, older)
	if err != nil || got.late != nil || got.name != "name" {
		t.Errorf("the older form: %q, %v", got.late, err)
	}
	for form, b := range map[int][]byte{2: newer, 3: older} {
		if _, err := read(form, b); err == nil {
			t.Errorf("the other is taken for form %d", form)
		}
	}
}

// TestCutOff: a part of a state is none, wherever it ends.
func TestCutOff(t *testing.T) {
	s := some()
	s.lent = []byte{}
	b := written(t, 3, s)
	for n := range b {
		if _, err := read(3, b[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for all", n, len(b))
		}
	}
}

// TestMoreThanAll: what comes behind the end is no part of a state.
func TestMoreThanAll(t *testing.T) {
	if _, err := read(3, append(written(t, 3, some()), 0)); err == nil || !strings.Contains(err.Error(), "there are 1 bytes more than are known") {
		t.Error(err)
	}
}

// TestBadValues: what cannot be is an error, which says where.
func TestBadValues(t *testing.T) {
	large := uint64(math.MaxUint64)
	for says, c := range map[string]struct {
		b    []byte
		read func(*Coder)
	}{
		"256 is too large a number, at byte 2, in the state": {[]byte{0x80, 2}, func(c *Coder) { Uint(c, new(uint8)) }},
		"4294967296 is too large a number":                   {Append(nil, 1, func(c *Coder) { n := uint64(1 << 32); Uint(c, &n) }), func(c *Coder) { Uint(c, new(uint32)) }},
		"a number is too large":                              {bytes.Repeat([]byte{0xFF}, 12), func(c *Coder) { Uint(c, new(uint64)) }},
		"2 is neither 0 nor 1":                               {[]byte{2}, func(c *Coder) { Bool(c, new(bool)) }},
		"a length is 18446744073709551615, and 0 bytes":      {Append(nil, 1, func(c *Coder) { Uint(c, &large) }), func(c *Coder) { Bytes(c, new([]byte)) }},
		"a length is 3, and 2 bytes are left":                {[]byte{3, 1, 1}, func(c *Coder) { Uints(c, new([]uint8)) }},
		"a key is there twice":                               {[]byte{2, 1, 0, 1, 0}, func(c *Coder) { Map(c, new(map[uint8]uint8), Uint, Uint) }},
		"1 bytes are no replay window":                       {[]byte{1, 5}, func(c *Coder) { Window(c, &message.ReplayWindow{}) }},
		`"one" begins and should be "two"`:                   {[]byte("\x03one"), func(c *Coder) { c.Mark("two") }},
		"it ends too early, at byte 4, in one":               {[]byte("\x03one"), func(c *Coder) { c.Mark("one"); Bool(c, new(bool)) }},
		"I say so":                                           {nil, func(c *Coder) { c.Fail("I say so"); c.Fail("or so") }},
	} {
		r := Reader(1, c.b)
		c.read(r)
		if err := r.End(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("it says %v, not %q", err, says)
		}
	}
}

// TestNothingAfterAnError: who reads on finds nothing, and who writes on writes nothing.
func TestNothingAfterAnError(t *testing.T) {
	r := Reader(1, []byte{2, 1, 1, 1})
	Bool(r, new(bool))
	n, data := uint32(7), []byte{1}
	Uint(r, &n)
	Bytes(r, &data)
	if n != 0 || data != nil {
		t.Errorf("after an error: %d, %v", n, data)
	}
	full, calls := errors.New("full"), 0
	w := Writer(1, func([]byte) error { calls++; return full })
	for range 10 {
		data := make([]byte, portion)
		Bytes(w, &data)
	}
	if err := w.End(); err != full || calls != 1 {
		t.Errorf("%v, after %d calls", err, calls)
	}
}

// TestCopies: Bytes are the reader's own, and Borrowed lie where they lay.
func TestCopies(t *testing.T) {
	b := []byte{1, 'a', 1, 'b'}
	var own, lent []byte
	r := Reader(1, b)
	Bytes(r, &own)
	Borrowed(r, &lent)
	b[1], b[3] = 'x', 'x'
	if string(own) != "a" || string(lent) != "x" || cap(lent) != 1 {
		t.Errorf("%q, %q with room for %d", own, lent, cap(lent))
	}
}

// FuzzReader: whatever is read ends in an error or in what is written again as it was.
func FuzzReader(f *testing.F) {
	s := some()
	s.lent = []byte("lent")
	for form := range 2 {
		f.Add(form+2, written(f, form+2, s))
	}
	f.Fuzz(func(t *testing.T, form int, b []byte) {
		form = 2 + form&1
		got, err := read(form, b)
		if err != nil {
			return
		}
		again, err := read(form, written(t, form, &got))
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("again: %+v, %v", again, err)
		}
	})
}
