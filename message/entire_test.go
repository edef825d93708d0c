package message

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// R2.5, R2.6, R2.7, and F3: no length wraps.
func TestLengths(t *testing.T) {
	for _, c := range []struct {
		name, data uint32
		want       uint64
	}{
		{6, 0, 100}, {6, 7, 108}, {3, 0, 96}, {4, 0, 100}, {1000, 0, 1096}, {6, 1, 104}, {6, 4, 104}, {6, 5, 108},
		{3, 0xFFFFFFFC, 96 + 0xFFFFFFFC}, {3, 0xFFFFFFFD, 96 + 0x100000000}, {3, 0xFFFFFFFF, 96 + 0x100000000},
	} {
		if got := EntireLen(c.name, c.data); got != c.want {
			t.Errorf("EntireLen(%d, %d) = %d, want %d", c.name, c.data, got, c.want)
		}
	}
	for n := range uint32(20) {
		name, data := PaddedName(n), PaddedData(n)
		if name%4 != 0 || name < uint64(n)+1 || name > uint64(n)+4 {
			t.Errorf("PaddedName(%d) = %d", n, name)
		}
		if data%4 != 0 || data < uint64(n) || data > uint64(n)+3 {
			t.Errorf("PaddedData(%d) = %d", n, data)
		}
	}
}

// R2.1, R2.2: every field lies where the 64-bit structure has it, on every platform (Q10).
func TestLayout(t *testing.T) {
	h := Header{
		ID: ID{1, 2}, InReplyTo: ID{3, 4}, To: 5, From: 6, OrigFrom: Origin{7, 8}, FinalTo: Origin{9, 10},
		Extra: 11, Flags: 12,
	}
	b := AppendEntire([]byte("before"), &h, []byte("$.Fred"), []byte("abcde"))
	b, found := bytes.CutPrefix(b, []byte("before"))
	if !found || len(b) != 108 {
		t.Fatalf("%q", b)
	}
	words := map[int]uint32{0: StartGuard, 52: 6, 56: 5, 80: EndGuard, 104: EndGuard}
	for i := range 12 {
		words[4+4*i] = uint32(i + 1)
	}
	for at := 0; at < 88; at += 4 { // what is not named is padding or a null pointer: 0 (R2.3)
		if got := native.Uint32(b[at:]); got != words[at] {
			t.Errorf("word at %d: %#x, want %#x", at, got, words[at])
		}
	}
	if got, want := string(b[88:]), "$.Fred\x00\x00abcde\x00\x00\x00"; !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q and a guard", got, want)
	}
	if u := binary.LittleEndian.Uint32; u([]byte("Kbus")) != StartGuard || u([]byte("subK")) != EndGuard {
		t.Error("guards")
	}
	if r := ParseHeader(b); r.Header != h || r.NameLen != 6 || r.DataLen != 5 || r.NamePtr != 0 || r.DataPtr != 0 {
		t.Errorf("%+v", r)
	}
	got, name, data, c := ParseEntire(b, 108)
	if c != OK || got != h || string(name) != "$.Fred" || string(data) != "abcde" {
		t.Errorf("%v %q %q %v", got, name, data, c.Err())
	}
}

// R2.11: each check, and that of two faults the earlier one is told.
func TestHeaderChecks(t *testing.T) {
	good := RawHeader{StartGuard: StartGuard, EndGuard: EndGuard, NameLen: 6, DataLen: 5}
	if c := good.Check(108); c != OK {
		t.Fatal(c)
	}
	faults := []struct {
		name  string
		spoil func(*RawHeader)
		want  Condition
	}{
		{"start guard", func(r *RawHeader) { r.StartGuard++ }, ErrMalformed},
		{"end guard", func(r *RawHeader) { r.EndGuard++ }, ErrMalformed},
		{"name length 0", func(r *RawHeader) { r.NameLen = 0 }, ErrMalformed},
		{"name too long", func(r *RawHeader) { r.NameLen = 1001 }, ErrNameTooLong},
		{"data pointer alone", func(r *RawHeader) { r.DataPtr = 1 }, ErrMalformed},
		{"no data pointer", func(r *RawHeader) { r.NamePtr, r.DataPtr = 1, 0 }, ErrMalformed},
		{"data pointer, no data", func(r *RawHeader) { r.NamePtr, r.DataPtr, r.DataLen = 1, 1, 0 }, ErrMalformed},
		{"wait and fail", func(r *RawHeader) { r.Flags = AllOrWait | AllOrFail }, ErrWaitAndFail},
		{"too long", func(r *RawHeader) { r.DataLen = max(r.DataLen, 9) }, ErrMessageTooLong},
	}
	for i, first := range faults {
		r := good
		first.spoil(&r)
		if got := r.Check(108); got != first.want {
			t.Errorf("%s: %s, want %s", first.name, got.Name(), first.want.Name())
		}
		for _, second := range faults[i+1:] {
			if strings.Contains(first.name, "pointer") && strings.Contains(second.name, "pointer") {
				continue // they exclude each other
			}
			r := good
			second.spoil(&r)
			first.spoil(&r)
			if got := r.Check(108); got != first.want {
				t.Errorf("%s and %s: %s, want %s", first.name, second.name, got.Name(), first.want.Name())
			}
		}
	}
	if r := good; r.Check(107) != ErrMessageTooLong {
		t.Error("one byte over the maximum")
	}
	r := good
	r.DataLen = 0xFFFFFFFF // F3
	if r.Check(0xFFFFFFFF) != ErrMessageTooLong {
		t.Error("a length that wraps")
	}
	for _, short := range []uint32{1, 2} { // R2.14
		r := good
		if r.NameLen = short; r.Check(108) != OK {
			t.Errorf("a name of %d bytes is for the name check to refuse", short)
		}
	}
	r = good
	r.NamePtr, r.DataPtr = 1, 1
	if r.Check(108) != OK || r.Check(107) != ErrMessageTooLong { // R2.12
		t.Error("a pointy message counts as if it were entire")
	}
}

func TestParseEntireRefuses(t *testing.T) {
	good := AppendEntire(nil, &Header{}, []byte("$.Fred"), []byte("abcde"))
	for _, c := range []struct {
		name string
		b    []byte
		want Condition
	}{
		{"nothing", nil, ErrIncomplete},
		{"part of the header", good[:87], ErrIncomplete},
		{"the header", good[:88], ErrIncomplete},
		{"all but one byte", good[:107], ErrIncomplete},
		{"one byte more", append(bytes.Clone(good), 0), ErrAfterEnd},
		{"final guard", spoilt(good, 104), ErrMalformed},
		{"start guard", spoilt(good, 0), ErrMalformed},
		{"a pointer", spoilt(good, 64), ErrMalformed},
		{"name", spoilt(good, 91), ErrBadName},
		{"wildcard", AppendEntire(nil, &Header{}, []byte("$.Fred.*"), nil), ErrBadName},
		{"size", AppendEntire(nil, &Header{}, []byte("$.Fred"), make([]byte, 9)), ErrMessageTooLong},
	} {
		if _, _, _, got := ParseEntire(c.b, 108); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got.Name(), c.want.Name())
		}
	}
	for _, at := range []int{60, 84, 94, 95, 101, 103} { // R2.3, R2.9
		if _, _, _, got := ParseEntire(spoilt(good, at), 108); got != OK {
			t.Errorf("byte %d is padding: %s", at, got.Name())
		}
	}
}

func spoilt(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 0x80
	return b
}

// Whatever the bytes, ParseEntire does not panic; what it accepts is as long as it says and, laid out again, is the
// same but for the padding.
func FuzzParseEntire(f *testing.F) {
	good := AppendEntire(nil, &Header{ID: ID{3, 4}, Flags: Urgent}, []byte("$.Fred"), []byte("abcde"))
	f.Add(good)
	f.Add(good[:88])
	f.Add(AppendEntire(nil, &Header{}, []byte("$.a"), nil))
	for _, at := range []int{0, 52, 55, 56, 59, 64, 72, 80, 94, 104} {
		f.Add(spoilt(good, at))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, name, data, c := ParseEntire(b, fuzzMaxBytes)
		if c != OK {
			if name != nil || data != nil || !reflect.ValueOf(h).IsZero() {
				t.Fatalf("%s, and yet a message", c.Name())
			}
			return
		}
		if len(b) > fuzzMaxBytes || CheckName(name) != OK {
			t.Fatalf("%d bytes, name %q", len(b), name)
		}
		again := AppendEntire(nil, &h, name, data)
		if len(again) != len(b) {
			t.Fatalf("%d bytes, laid out again %d", len(b), len(again))
		}
		h2, name2, data2, c2 := ParseEntire(again, fuzzMaxBytes)
		if c2 != OK || fmt.Sprint(h, name, data) != fmt.Sprint(h2, name2, data2) {
			t.Fatalf("%v %q %q, then %v %q %q %s", h, name, data, h2, name2, data2, c2.Name())
		}
	})
}

// fuzzMaxBytes keeps the fuzzer's messages small, in bytes.
const fuzzMaxBytes = 4096
