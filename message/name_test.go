package message

import (
	"regexp"
	"strings"
	"testing"
)

// R1.16-R1.20, R13.21, F1. The wildcards are good for binding and bad for sending.
func TestCheckName(t *testing.T) {
	long := func(n int) string { return "$." + strings.Repeat("a", n-2) }
	for _, c := range []struct {
		bind, send Condition
		names      []string
	}{
		{OK, OK, []string{"$.a", "$.1", "$.A.b.C3", "$.Fred.Jim.Bob", "$.KBUS.Anything", long(3), long(1000)}},
		{OK, ErrBadName, []string{"$.*", "$.%", "$.a.b.*", "$.Fred.%", long(998) + ".*"}},
		{ErrBadName, ErrBadName, []string{
			"", "$", "$.", "$x", "$$a", "Fred", ".a", "a.b", "$a.b", "*", "%", "$*", "$.a.", "$.a..b", "$..a", "$.Fred..*",
			"$..*", "$..%", "$...", "$.a*", "$.a%", "$.*.a", "$.%.a", "$.*.*", "$.*.%", "$.Fred.%%", "$.Fred.**", "$.a b",
			"$.#", "$.a+b", "$.a\x00b", "$.a\x00", " $.a", "$.a ", "$.é", "$.\xe9", "$.\xc0", "$.a\x7f",
			"$.a/b", "$.a:b", "$.a@b", "$.a[b", "$.a`b", "$.a{b", // the neighbours of digits and letters
		}},
		{ErrNameTooLong, ErrNameTooLong, []string{long(1001), strings.Repeat("?", 1001), long(999) + ".*"}}, // R1.19, R11.14
	} {
		for _, name := range c.names {
			if got := CheckBinding(name); got != c.bind {
				t.Errorf("CheckBinding(%q) = %s, want %s", name, got.Name(), c.bind.Name())
			}
			if got := CheckName([]byte(name)); got != c.send {
				t.Errorf("CheckName(%q) = %s, want %s", name, got.Name(), c.send.Name())
			}
		}
	}
}

// R1.22, R1.23.
func TestMatches(t *testing.T) {
	for _, c := range []struct{ binding, matches, not string }{
		{"$.Fred", "$.Fred", "$.fred $.Fre $.Fred.Jim $.Fredd $.F"},
		{"$.Fred.*", "$.Fred.Jim $.Fred.Jim.Bob $.Fred.1", "$.Fred $.Frederic.Jim $.Jim.Fred"},
		{"$.Fred.%", "$.Fred.Jim $.Fred.1", "$.Fred $.Fred.Jim.Bob $.Frederic"},
		{"$.*", "$.a $.a.b $.KBUS.ReplierBindEvent", ""},
		{"$.%", "$.a $.Fred", "$.a.b $.Fred.Jim.Bob"},
	} {
		for _, name := range strings.Fields(c.matches) {
			if !Matches(c.binding, name) {
				t.Errorf("%s should match %s", c.binding, name)
			}
		}
		for _, name := range strings.Fields(c.not) {
			if Matches(c.binding, name) {
				t.Errorf("%s should not match %s", c.binding, name)
			}
		}
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct{ binding, covers, not string }{
		{"$.*", "$.A $.* $.% $.A.B.*", ""},
		{"$.A.*", "$.A.B $.A.* $.A.% $.A.B.C $.A.B.*", "$.A $.AB.C $.* $.B.A"},
		{"$.A.%", "$.A.B $.A.%", "$.A $.A.* $.A.B.C $.A.B.%"},
		{"$.A", "$.A", "$.A.B $.%"},
	} {
		for _, name := range strings.Fields(c.covers) {
			if !Covers(c.binding, name) {
				t.Errorf("%s should cover %s", c.binding, name)
			}
		}
		for _, name := range strings.Fields(c.not) {
			if Covers(c.binding, name) {
				t.Errorf("%s should not cover %s", c.binding, name)
			}
		}
	}
}

// R1.27: the last byte alone decides the class, and a larger class is more specific.
func TestClassOf(t *testing.T) {
	if !(Exact > Percent && Percent > Star) {
		t.Error("classes are not in order")
	}
	for name, want := range map[string]Wildcard{
		"": Exact, "$.a": Exact, "$.*": Star, "$.a.%": Percent, "*a": Exact, "%*": Star,
	} {
		if got := ClassOf(name); got != want {
			t.Errorf("ClassOf(%q) = %d, want %d", name, got, want)
		}
	}
}

// The naive twins: what a name is, as a pattern; what matches, word by word.
var (
	exactName    = regexp.MustCompile(`^\$(\.[A-Za-z0-9_-]+)+$`)
	wildcardName = regexp.MustCompile(`^\$(\.[A-Za-z0-9_-]+)*\.[*%]$`)
)

func naiveMatches(binding, name string) bool {
	b, n := strings.Split(binding, "."), strings.Split(name, ".")
	for i, word := range b {
		switch {
		case word == "*":
			return len(n) > i
		case i >= len(n), word != "%" && word != n[i]:
			return false
		}
	}
	return len(b) == len(n)
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{
		"$.a", "$.*", "$.a.%", "$.Fred.Jim", "$..a", "$.a.", "$.a_b", "$.*.a", "$.é", "$.a.b.*", "$.%",
	} {
		f.Add(s, "$.a.b")
		f.Add("$.a.b", s)
	}
	f.Add(strings.Repeat("$.aaaaaaaa", 101), "$."+strings.Repeat("a", 998))
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, name := range []string{a, b} {
			bind, send := OK, OK
			switch {
			case len(name) > MaxNameBytes:
				bind, send = ErrNameTooLong, ErrNameTooLong
			case wildcardName.MatchString(name):
				send = ErrBadName
			case !exactName.MatchString(name) || strings.HasSuffix(name, "\n"):
				bind, send = ErrBadName, ErrBadName
			}
			if got := CheckBinding(name); got != bind {
				t.Errorf("CheckBinding(%q) = %s, want %s", name, got.Name(), bind.Name())
			}
			if got := CheckName([]byte(name)); got != send {
				t.Errorf("CheckName(%q) = %s, want %s", name, got.Name(), send.Name())
			}
		}
		if CheckBinding(a) == OK && CheckName(b) == OK {
			if got, want := Matches(a, b), naiveMatches(a, b); got != want {
				t.Errorf("Matches(%q, %q) = %t, want %t", a, b, got, want)
			}
		}
	})
}
