package main

import (
	"strings"
	"testing"
)

// The last line that a command has written, however it came.
func TestLastLine(t *testing.T) {
	for _, c := range []struct{ want, written string }{
		{"", ""},
		{"", "\n  \n"},
		{"one", "one"},
		{"two", "one|\n|tw|o\n"},
		{"two", "one\ntwo\n|\n|  \n"},
		{"three", "one\n|two|\n\nthree"},
		{strings.Repeat("b", mostLastLine), "a\n" + strings.Repeat("b", 5*mostLastLine) + "|\n"},
		{"?b", "a\n|\xff\xffb"},
	} {
		var w lastLine
		for part := range strings.SplitSeq(c.written, "|") {
			if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
				t.Errorf("%d, %v", n, err)
			}
		}
		if got := w.String(); got != c.want {
			t.Errorf("%q: %q and not %q", c.written, got, c.want)
		}
	}
}
