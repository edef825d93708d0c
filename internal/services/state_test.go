package services

import (
	"testing"
	"time"

	"kbus.example/kbus/internal/testing/fields"
)

// TestHandedOver: what was begun before goes on in a Keeper with another clock, as if nothing had been.
func TestHandedOver(t *testing.T) {
	fields.Check(t, ServiceState{}, "Service Guardian", "Left PID Runs Bound Began KillAt Count Last At Refused")
	fields.Check(t, state{}, "Service pid runs bound began killAt failed refused", "now wanted lacked") // what is configured, and wanted anew
	fields.Check(t, Keeper{}, "all left", "byName actions ending")
	gate := &Service{Names: []string{"$.Gate"}, Exec: []string{"/gate"}, Deadline: 5 * time.Second}
	w := newWorld(t, door, gate)
	w.wanted("$.Door.Lock")
	w.is("start /door")
	w.Began(door, 7)
	w.Bound(0, "$.Door.Lock")
	w.wanted("$.Gate")
	w.is("start /gate")
	w.Ended(gate, "it broke", Badly, w.now)
	w.is("not $.Gate: /gate: it broke")
	w.after(200 * time.Millisecond)

	next := newWorld(t)
	next.now = time.Unix(5, 0)
	state := StateOf(&w.Keeper, w.now)
	Resume(&next.Keeper, &state, next.now)
	next.Use(&Set{[]*Service{gate, door}}, next.now)
	next.is()
	if got := next.state(1); got.State != Running || got.PID != 7 {
		t.Errorf("%+v", got)
	}
	if got := next.state(0); got.State != Failed || got.Failures != 1 || got.Last != "it broke" || got.LastAge != 200*time.Millisecond || got.NextTryIn != 800*time.Millisecond {
		t.Errorf("%+v", got)
	}
	next.wanted("$.Gate")
	next.is("not $.Gate: /gate: it has failed once, last: it broke; next try in 1 s")
	next.Ended(&state.Services[0].Service, "", Well, next.now)
	next.wanted("$.Door.Lock")
	next.is("start /door")
}

// TestEndedHandedOver: who was told to end, and has no file any more, is still to end in time.
func TestEndedHandedOver(t *testing.T) {
	w := newWorld(t, door)
	w.wanted("$.Door.Lock")
	w.Began(door, 7)
	w.Use(&Set{}, w.now)
	w.is("start /door", "end /door")
	w.after(Grace / 2)
	next := newWorld(t)
	state := StateOf(&w.Keeper, w.now)
	Resume(&next.Keeper, &state, next.now)
	next.Use(&Set{[]*Service{door}}, next.now) // it is another, though the same is said of it
	if got := next.state(0); got.State != Idle || got.PID != 0 {
		t.Errorf("%+v", got)
	}
	next.wanted("$.Door.Lock")
	next.is() // not two at once
	next.after(Grace/2 - 1)
	next.is()
	next.after(1)
	next.is("kill /door")
	next.Ended(&state.Services[0].Service, "by a signal", Badly, next.now)
	next.is("start /door")
	if got := next.state(0); got.Failures != 0 || got.State != Starting {
		t.Errorf("%+v", got)
	}
}
