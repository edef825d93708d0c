package scope

import (
	"strings"
	"testing"
)

// What is under $.KBUS is never shared, whatever the bindings cover.
func TestCovers(t *testing.T) {
	for _, c := range []struct {
		scope Scope
		name  string
		want  bool
	}{
		{Scope{"$.*"}, "$.A.B", true},
		{Scope{"$.*"}, "$.A.*", true},
		{Scope{"$.*"}, "$.KBUS.ReplierBindEvent", false},
		{Scope{"$.A.%"}, "$.A.B", true},
		{Scope{"$.A.%"}, "$.A.B.C", false},
		{Scope{"$.A.%"}, "$.A.*", false},
		{Scope{"$.A", "$.B.*"}, "$.B.C", true},
		{Scope{"$.A", "$.B.*"}, "$.C", false},
		{nil, "$.A", false},
	} {
		if got := c.scope.Covers(c.name); got != c.want {
			t.Errorf("%v covers %s: %v, want %v", c.scope, c.name, got, c.want)
		}
	}
	if !(Scope{"$.*"}).Everything() || !(Scope{"$.A", "$.*"}).Everything() || (Scope{"$.A.*"}).Everything() {
		t.Error("everything is not what $.* covers")
	}
}

func TestCheck(t *testing.T) {
	if err := (Scope{"$.*", "$.A"}).Check(); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"A", "$.KBUS.Mine", ""} {
		if err := (Scope{"$.A", name}).Check(); err == nil || !strings.Contains(err.Error(), "cannot share") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
