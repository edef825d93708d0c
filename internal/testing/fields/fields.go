// Package fields has tests notice a field that somebody adds to a struct: a table names those that are there, and what is
// done with each. Without it, a state that is handed over would silently lack what is new.
package fields

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Check fails unless the lists, of names with spaces between them, have all fields of a struct and no others. An embedded
// one that they do not name stands for its own fields.
func Check(t testing.TB, of any, lists ...string) {
	t.Helper()
	want := strings.Fields(strings.Join(lists, " "))
	has := flat(reflect.TypeOf(of), want)
	slices.Sort(has)
	slices.Sort(want)
	if !slices.Equal(has, want) {
		t.Errorf("%T has the fields\n%v, and listed are\n%v", of, has, want)
	}
}

func flat(t reflect.Type, named []string) (names []string) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous && !slices.Contains(named, f.Name) {
			names = append(names, flat(f.Type, named)...)
		} else {
			names = append(names, f.Name)
		}
	}
	return names
}
