package cli

import (
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// A time that is negative, or has no unit, is refused, and leaves what was there.
func TestSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{"0": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "-1s": -1, "5": -1, "": -1, "soon": -1, "3000000h": -1} {
		var d time.Duration
		f := pflag.NewFlagSet("", pflag.ContinueOnError)
		SpanVar(f, &d, "for", time.Minute, "")
		switch err := f.Parse([]string{"--for", text}); {
		case want < 0 && (err == nil || d != time.Minute):
			t.Errorf("%q is %v, %v", text, d, err)
		case want >= 0 && (err != nil || d != want):
			t.Errorf("%q is %v, %v; want %v", text, d, err, want)
		}
	}
	if s := new(span); s.String() != "0" { // so that the help shows no default
		t.Errorf("%q", s)
	}
}
