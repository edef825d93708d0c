package play

import (
	"slices"
	"testing"
)

func TestFold(t *testing.T) {
	for _, c := range []struct {
		text    string
		columns int
		want    []string
	}{
		{"", 10, []string{""}},
		{"one two", 10, []string{"one two"}},
		{"one two three", 10, []string{"one two", "  three"}},
		{"one two three four", 10, []string{"one two", "  three", "  four"}},
		{"exactly 10", 10, []string{"exactly 10"}},
		{"longerthanthat no", 10, []string{"longerthanthat", "  no"}},
		{"  two  spaces", 20, []string{"  two  spaces"}},
		{"lines\nof a caption", 20, []string{"lines of a caption"}},
		{"│ is one column", 15, []string{"│ is one column"}},
	} {
		if got := fold(c.text, c.columns, "  "); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

// TestScriptIsPerformable: no actor listens for more than is in the script, or speaks before its Ksock is open.
func TestScriptIsPerformable(t *testing.T) {
	for _, piece := range []piece{introduction, bowls} {
		performable(t, piece)
	}
}

func performable(t *testing.T, piece piece) {
	open := map[*part]bool{}
	for _, s := range piece.scenes {
		for _, b := range s.beats {
			for _, c := range b.cues {
				if c.Do != openBus && !open[b.who] {
					t.Errorf("%s: %s is to %s without a Ksock", s.title, b.who.name, c.Do)
				}
				switch c.Do {
				case openBus:
					open[b.who] = true
				case closeBus:
					open[b.who] = false
				}
			}
		}
	}
	for _, p := range piece.cast {
		if open[p] {
			t.Errorf("%s is still on stage at the end", p.name)
		}
	}
}
