package message

import (
	"bytes"
	"strings"
	"testing"
)

// R6.13: three words and the padded name.
func TestBindEvent(t *testing.T) {
	for _, c := range []struct {
		event BindEvent
		bytes int
	}{
		{BindEvent{true, 5, "$.Fred"}, 20}, {BindEvent{false, 0xFFFFFFFF, "$.A"}, 16}, {BindEvent{true, 1, "$.Lamp.*"}, 24},
		{BindEvent{true, 1, "$." + strings.Repeat("a", 998)}, 1016},
	} {
		b := AppendBindEvent([]byte("x"), c.event)[1:]
		if got, ok := ParseBindEvent(b); len(b) != c.bytes || !ok || got != c.event {
			t.Errorf("%v: %d bytes, read as %v, %t", c.event, len(b), got, ok)
		}
	}
	want := append(native.AppendUint32(native.AppendUint32(native.AppendUint32(nil, 1), 5), 3), "$.A\x00"...)
	if got := AppendBindEvent(nil, BindEvent{true, 5, "$.A"}); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

// R11.19: the data may be anybody's, so it may be anything.
func FuzzParseBindEvent(f *testing.F) {
	good := AppendBindEvent(nil, BindEvent{true, 5, "$.Fred"})
	f.Add(good)
	f.Add(good[:12])
	f.Add(good[:11])
	f.Add(spoilt(good, 8))
	f.Add(spoilt(good, 11))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, ok := ParseBindEvent(b)
		if !ok {
			if e != (BindEvent{}) {
				t.Errorf("refused, and yet %v", e)
			}
			return
		}
		if len(e.Name) > len(b)-12 || !bytes.HasPrefix(b[12:], []byte(e.Name)) {
			t.Errorf("%x: name %q", b, e.Name)
		}
	})
}
