package services

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// world is a Keeper whose clock stands until it is turned on.
type world struct {
	*testing.T
	Keeper
	now time.Time
}

var (
	door = &Service{Names: []string{"$.Door.Lock", "$.Door.Open"}, Exec: []string{"/door"}, Deadline: 5 * time.Second}
	lamp = &Service{Names: []string{"$.Lamp"}, Unit: "lamp.service", Deadline: 2 * time.Second}
)

func newWorld(t *testing.T, all ...*Service) *world {
	w := &world{T: t, now: time.Unix(1000, 0)}
	w.Use(&Set{all}, w.now)
	return w
}

func (w *world) wanted(name string)         { w.Wanted(0, name, w.now) }
func (w *world) ended(how string, e Ending) { w.Ended(door, how, e, w.now) }
func (w *world) after(d time.Duration)      { w.now = w.now.Add(d); w.Tick(w.now) }
func (w *world) state(i int) Status         { return w.Report(w.now)[i] }
func (w *world) is(want ...string) *world {
	w.Helper()
	var got []string
	for _, a := range w.Actions() {
		switch a.Deed {
		case NotStarted:
			got = append(got, fmt.Sprintf("not %s: %s", a.Name, a.Why))
		default:
			got = append(got, fmt.Sprintf("%s %v", [...]string{Start: "start", End: "end", Kill: "kill"}[a.Deed], a.Service))
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		w.Fatalf("to do is\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	return w
}

func TestStartedOnce(t *testing.T) {
	w := newWorld(t, door, lamp)
	w.wanted("$.Door.Lock")
	w.is("start /door")
	w.Began(door, 77)
	w.wanted("$.Door.Open")
	w.is()
	if s := w.state(0); s.State != Starting || s.PID != 77 {
		t.Errorf("%+v", s)
	}
	w.Bound(0, "$.Door.Lock")
	w.Bound(0, "$.Door.Open")
	w.is()
	if s := w.state(0); s.State != Running || !w.Next().IsZero() {
		t.Errorf("%+v, next %v", s, w.Next())
	}
	// It ends well when nobody wants it, and the next Request starts it at once.
	w.ended("exit status 0", Well)
	w.is()
	if s := w.state(0); s.State != Idle || s.PID != 0 {
		t.Errorf("%+v", s)
	}
	w.wanted("$.Door.Lock")
	w.is("start /door")
	w.Wanted(0, "$.Other", w.now)
	w.is("not $.Other: no service is configured for it")
}

// Whoever wants it while it is on its way out has it started again, once.
func TestWantedWhileItEnds(t *testing.T) {
	w := newWorld(t, door)
	w.wanted("$.Door.Lock")
	w.Bound(0, "$.Door.Lock")
	w.is("start /door")
	w.wanted("$.Door.Lock")
	w.is()
	w.ended("exit status 0", Well)
	w.is("start /door")
	w.ended("exit status 0", Well)
	w.is("not $.Door.Lock: /door: exit status 0")
	if s := w.state(0); s.State != Failed || s.Failures != 1 {
		t.Errorf("to end before it is the Replier is no failure: %+v", s)
	}
	// A program that only ever is the Replier of another name is started twice.
	w = newWorld(t, door)
	w.wanted("$.Door.Open")
	w.is("start /door")
	w.Bound(0, "$.Door.Lock")
	w.ended("exit status 0", Well)
	w.is("start /door")
	w.Bound(0, "$.Door.Lock")
	w.ended("exit status 0", Well)
	w.is("not $.Door.Open: /door: exit status 0")
}

func TestEndsBeforeItIsReplier(t *testing.T) {
	w := newWorld(t, door)
	pause := []int{1, 2, 4, 8, 16, 32, 60, 60}
	for i, p := range pause {
		w.wanted("$.Door.Lock")
		w.wanted("$.Door.Open")
		w.is("start /door")
		w.ended("exit status 3", Badly)
		w.is("not $.Door.Lock: /door: exit status 3", "not $.Door.Open: /door: exit status 3")
		w.after(time.Duration(p)*time.Second - time.Millisecond)
		w.wanted("$.Door.Lock")
		w.is("not $.Door.Lock: /door: it has failed " + times(i+1) + ", last: exit status 3; next try in 1 s")
		if s := w.state(0); s.State != Failed || s.Failures != i+1 || s.Last != "exit status 3" || s.NextTryIn != time.Millisecond {
			t.Errorf("%+v", s)
		}
		w.after(time.Millisecond)
	}
	// A success ends the row.
	w.wanted("$.Door.Lock")
	w.Bound(0, "$.Door.Lock")
	w.ended("exit status 0", Well)
	w.wanted("$.Door.Lock")
	w.is("start /door", "start /door")
}

// A program that is the Replier for a moment and then breaks is in a loop as well; one that has lived long is not.
func TestBreaksLater(t *testing.T) {
	w := newWorld(t, door)
	w.wanted("$.Door.Lock")
	w.Bound(0, "$.Door.Lock")
	w.ended("killed", Badly)
	w.wanted("$.Door.Lock")
	w.is("start /door", "not $.Door.Lock: /door: it has failed once, last: killed; next try in 1 s")
	w.after(time.Second)
	w.wanted("$.Door.Lock")
	w.Bound(0, "$.Door.Lock")
	w.after(longLife)
	w.ended("killed", Badly)
	w.wanted("$.Door.Lock")
	w.is("start /door", "start /door")
}

func TestNeverBinds(t *testing.T) {
	w := newWorld(t, door)
	w.wanted("$.Door.Lock")
	w.is("start /door")
	if at := w.Next(); at != w.now.Add(5*time.Second) {
		t.Errorf("next %v", at)
	}
	w.after(5 * time.Second)
	w.is("not $.Door.Lock: /door: it has not become the Replier of $.Door.Lock within 5s", "end /door")
	w.wanted("$.Door.Lock")
	w.is()
	w.after(4 * time.Second)
	w.is()
	w.after(time.Second) // its time is over, and that of who came meanwhile
	w.is("kill /door", "not $.Door.Lock: /door: it has not become the Replier of $.Door.Lock within 5s")
	w.ended("killed", Badly)
	w.wanted("$.Door.Lock")
	w.is("start /door")
	if s := w.state(0); s.Failures != 1 {
		t.Errorf("the failure counts %d times", s.Failures)
	}
	// The Replier of one name is not ended for another's sake.
	w.Bound(0, "$.Door.Lock")
	w.wanted("$.Door.Open")
	w.after(5 * time.Second)
	w.is("not $.Door.Open: /door: it has not become the Replier of $.Door.Open within 5s")
}

// TestLosesItsNames: a program that was the Replier and goes on when it is no more, because rules or another bus have taken its names, is
// ended when somebody wants them, and started again; as long as it may have one of them it is let be.
func TestLosesItsNames(t *testing.T) {
	w := newWorld(t, door)
	w.wanted("$.Door.Lock")
	w.Bound(0, "$.Door.Lock")
	w.Bound(0, "$.Door.Open")
	w.is("start /door")
	for range 2 {
		w.wanted("$.Door.Lock")
		w.after(5 * time.Second)
		w.is("not $.Door.Lock: /door: it has not become the Replier of $.Door.Lock within 5s")
	}
	w.Bound(0, "$.Door.Lock")
	w.wanted("$.Door.Open")
	w.after(5 * time.Second)
	w.is("not $.Door.Open: /door: it has not become the Replier of $.Door.Open within 5s")
	w.wanted("$.Door.Lock")
	w.after(5 * time.Second)
	w.is("not $.Door.Lock: /door: it has not become the Replier of $.Door.Lock within 5s", "end /door")
	w.ended("signal 15", Badly)
	w.after(time.Second)
	w.wanted("$.Door.Lock")
	w.is("start /door")
}

// What is wanted while a program is being ended is told when to try again.
func TestWantedWhileItIsEnded(t *testing.T) {
	w := newWorld(t, door)
	w.wanted("$.Door.Lock")
	w.after(5 * time.Second)
	w.wanted("$.Door.Lock")
	w.Actions()
	w.ended("signal: terminated", Badly)
	w.is("not $.Door.Lock: /door: it has failed once, last: it has not become the Replier within 5s; next try in 1 s")
}

func TestUnit(t *testing.T) {
	w := newWorld(t, lamp)
	w.wanted("$.Lamp")
	w.is("start lamp.service")
	w.Asked(lamp)
	if s := w.state(0); s.State != Starting {
		t.Errorf("%+v", s)
	}
	w.Bound(0, "$.Lamp")
	w.wanted("$.Lamp")
	w.is("start lamp.service")
	w.Asked(lamp)
	w.after(2 * time.Second)
	w.is("not $.Lamp: lamp.service: it has not become the Replier of $.Lamp within 2s")
	w.after(time.Second)
	w.wanted("$.Lamp")
	w.Ended(lamp, "systemctl: Unit lamp.service not found.", Badly, w.now)
	w.is("start lamp.service", "not $.Lamp: lamp.service: systemctl: Unit lamp.service not found.")
	if w.state(0).Failures != 2 {
		t.Error("the failures are not counted")
	}
	w.EndAll(w.now)
	w.is()
}

func TestUse(t *testing.T) {
	w := newWorld(t, door, lamp)
	w.wanted("$.Door.Lock")
	w.wanted("$.Lamp")
	w.is("start /door", "start lamp.service")
	same, other := *door, *lamp
	other.Unit = "other.service"
	w.Use(&Set{[]*Service{&same, &other}}, w.now)
	w.is("end lamp.service", "start other.service")
	w.Bound(0, "$.Door.Lock")
	w.Use(&Set{}, w.now) // a Replier is let be, and is still ours to end
	w.is("end other.service")
	w.Ended(&other, "gone", Badly, w.now)
	w.Ended(lamp, "gone", Badly, w.now)
	w.is()
	if !w.Running() || len(w.Report(w.now)) != 0 {
		t.Error("the door is forgotten")
	}
	w.EndAll(w.now)
	w.is("end /door")
	w.ended("exit status 0", Well)
	if w.is(); w.Running() {
		t.Error("nothing runs any more")
	}
}

// TestOneAtATime: the file of a program that starts changes, and the next one starts when that has ended. It is not to blame for the time that takes.
func TestOneAtATime(t *testing.T) {
	w := newWorld(t, door)
	w.wanted("$.Door.Lock")
	w.is("start /door")
	other := *door
	other.Deadline = time.Second
	w.Use(&Set{[]*Service{&other}}, w.now)
	w.is("end /door")
	w.wanted("$.Door.Open")
	w.is()
	w.after(other.Deadline)
	w.is("not $.Door.Lock: /door: it has not become the Replier of $.Door.Lock within 1s",
		"not $.Door.Open: /door: it has not become the Replier of $.Door.Open within 1s")
	w.wanted("$.Door.Lock")
	w.ended("killed", Badly)
	w.is("start /door")
	if s := w.state(0); s.State != Starting || s.Failures != 0 {
		t.Errorf("%+v", s)
	}
}

// TestOneAtATimeBound: a Replier whose file has changed is let be, and another is started when there is none any more.
func TestOneAtATimeBound(t *testing.T) {
	w := newWorld(t, door)
	w.wanted("$.Door.Lock")
	w.Bound(0, "$.Door.Lock")
	other := *door
	other.Exec = []string{"/other"}
	w.Use(&Set{[]*Service{&other}}, w.now)
	w.wanted("$.Door.Lock")
	w.is("start /door", "start /other")
}

// TestUnknownEnd: what nobody knows is no failure, also while it starts.
func TestUnknownEnd(t *testing.T) {
	for _, bound := range []bool{false, true} {
		w := newWorld(t, door)
		w.wanted("$.Door.Lock")
		w.is("start /door")
		if bound {
			w.Bound(0, "$.Door.Lock")
		}
		w.ended("who knows", Unknown)
		if bound {
			w.wanted("$.Door.Open")
		}
		w.is("start /door") // what has waited has another try
		if s := w.state(0); s.Failures != 0 {
			t.Errorf("%+v", s)
		}
		if !bound { // but one only
			w.ended("who knows", Unknown)
			w.is("not $.Door.Lock: /door: who knows")
		}
	}
}

// TestFileRenamed: where a service is told of is not what it is. It is said of it as it is now.
func TestFileRenamed(t *testing.T) {
	w := newWorld(t, door)
	w.wanted("$.Door.Lock")
	w.Bound(0, "$.Door.Lock")
	moved := *door
	moved.File = "moved.toml"
	w.Use(&Set{[]*Service{&moved}}, w.now)
	w.is("start /door")
	if s := w.state(0); s.State != Running || s.File != "moved.toml" {
		t.Errorf("%+v", s)
	}
	w.ended("exit status 0", Well)
	w.wanted("$.Door.Lock")
	if a := w.Actions(); len(a) != 1 || a[0].Service != &moved {
		t.Errorf("%+v", a)
	}
}

func TestEndAll(t *testing.T) {
	w := newWorld(t, door)
	w.wanted("$.Door.Lock")
	w.EndAll(w.now)
	w.is("start /door", "not $.Door.Lock: /door: the daemon is stopping", "end /door")
	w.wanted("$.Door.Open")
	w.is("not $.Door.Open: /door: the daemon is stopping")
	w.EndAll(w.now)
	w.is("kill /door")
	w.ended("killed", Badly)
	if w.is(); w.Running() || !w.Next().IsZero() {
		t.Error("something is left")
	}
}
