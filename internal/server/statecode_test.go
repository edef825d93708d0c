package server

import (
	"flag"
	"os"
	"reflect"
	"testing"

	"kbus.example/kbus/internal/form"
	"kbus.example/kbus/internal/handover"
	"kbus.example/kbus/internal/server/starter"
	"kbus.example/kbus/internal/testing/fields"
	"kbus.example/kbus/message"
)

// filled is a state that has something in every field.
func filled() *State {
	s := &State{}
	fields.Fill(s, func(p any) bool {
		w, is := p.(*message.ReplayWindow)
		if is {
			w.See(70_000)
			w.See(70_003)
		}
		return is
	})
	return s
}

func stateBytes(t testing.TB, s *State) (b []byte) {
	t.Helper()
	newest, _ := handover.Forms()
	c := form.Writer(newest, func(some []byte) error { b = append(b, some...); return nil })
	s.Code(c)
	if err := c.End(); err != nil {
		t.Fatal(err)
	}
	return b
}

func stateOf(b []byte) (*State, error) {
	newest, _ := handover.Forms()
	return stateIn(newest, b)
}

// stateIn reads one of that form.
func stateIn(which int, b []byte) (*State, error) {
	s := &State{}
	c := form.Reader(which, b)
	s.Code(c)
	return s, c.End()
}

// TestEveryFieldIsCoded: whatever a state can have comes out as it went in.
func TestEveryFieldIsCoded(t *testing.T) {
	got, err := stateOf(stateBytes(t, filled()))
	if err != nil {
		t.Fatal(err)
	}
	if want := filled(); !reflect.DeepEqual(got, want) {
		t.Error("what is read is not what was written; a field has no line in a statecode.go")
	}
}

var accept = flag.Bool("accept-form", false, "record the form of the state as it is now")

// TestFormIsKept: the bytes of a form stay as they are, since there may be daemons that write them. Another field is another form.
func TestFormIsKept(t *testing.T) {
	const recorded = "testdata/form-3.state"
	if newest, _ := handover.Forms(); newest != 3 {
		t.Fatalf("form %d needs a record of its own, and form 3 a test that it is still read", newest)
	}
	now := stateBytes(t, filled())
	if *accept {
		if err := os.WriteFile(recorded, now, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := stateOf(before); err != nil || len(before) != len(now) || !reflect.DeepEqual(got, filled()) {
		t.Errorf("a state of form 3 is read otherwise than it was: %v; count up the form in internal/handover, and give what is new to c.Since of "+
			"it. Before a form has been in a version, go test ./internal/server -run Form -accept-form records it anew", err)
	}
}

// TestForm2IsRead: it has nothing of services, nor of files that are gone.
func TestForm2IsRead(t *testing.T) {
	before, err := os.ReadFile("testdata/form-2.state")
	if err != nil {
		t.Fatal(err)
	}
	want := filled()
	want.Starter = starter.State{}
	want.Files = nil
	if got, err := stateIn(2, before); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("a state of form 2 is read otherwise than it was: %v", err)
	}
}

// FuzzState: whatever the bytes are, to read them is an error or a state, and nothing worse.
func FuzzState(f *testing.F) {
	f.Add(stateBytes(f, filled()))
	f.Add(stateBytes(f, &State{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := stateOf(b)
		if err != nil {
			return
		}
		if again, err := stateOf(stateBytes(t, s)); err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("written again it is another: %v", err)
		}
	})
}
