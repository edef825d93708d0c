package choose

import (
	"fmt"
	"strings"
	"testing"

	"kbus.example/kbus/internal/testing/sample"
	"kbus.example/kbus/message"
)

// The choices of the talk of a lamp, by the serials of its events; an event comes every quarter of a second.
func TestChoice(t *testing.T) {
	moment := func(text string) (m Moment) {
		if err := m.Set(text); err != nil || m.String() != text {
			t.Fatal(text, m.String(), err)
		}
		return m
	}
	for _, c := range []struct {
		choice Choice
		want   string
	}{
		{Choice{}, "1 2 3 4 5 6 7 8 9 10"},
		{Choice{Patterns: []string{"$.Lamp.*"}}, "2 3 4 5 8 10"}, // the last is a Status,
		{Choice{Patterns: []string{"$.Lamp", "$.Door.%"}}, "6"},
		{Choice{Ksock: 1}, "1 2 3 4 5 8 9"}, // Requests that it must answer are sent to it, too
		{Choice{Ksock: 2}, "3 5 6 7 8 10"},
		{Choice{OnlyFailures: true}, "6 7 10"},
		{Choice{From: moment("500ms")}, "3 4 5 6 7 8 9 10"},
		{Choice{To: moment("500ms")}, "1 2"},
		{Choice{From: moment("2027-01-15T08:00:01.000000007Z"), To: moment("1s")}, "4"},
		{Choice{From: moment("1h0m0s")}, ""},
	} {
		var got []string
		past := false
		for _, e := range sample.Talk() {
			if c.choice.Wants(&e) {
				got = append(got, fmt.Sprint(e.Serial))
				if past {
					t.Errorf("%+v: %d is past", c.choice, e.Serial)
				}
			}
			past = past || c.choice.Past(&e)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%+v: %s, want %s", c.choice, s, c.want)
		}
	}
	var m Moment
	for _, text := range []string{"", "-3s", "soon", "2027-01-15"} {
		if err := m.Set(text); err == nil {
			t.Errorf("%q is a moment", text)
		}
	}
	if name, fault := (&Choice{Patterns: []string{"$.A", "$..B"}}).Check(); name != "$..B" || fault != message.ErrBadName {
		t.Error(name, fault)
	}
}
