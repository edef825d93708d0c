package tapped

import (
	"reflect"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/testing/sample"
	"pgregory.net/rapid"
)

// What is kept of an event is all of it.
func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := sample.Any().Draw(r, "event")
		got := event.Event{Name: []byte("of the event before, which was longer")}
		Keep(Show(&want), want.Serial, kbus.BusNumber(want.Bus), &got)
		if len(want.Name)+len(want.Data) == 0 {
			got.Name, got.Data, want.Name, want.Data = nil, nil, nil, nil
		}
		if string(got.Name) != string(want.Name) || string(got.Data) != string(want.Data) {
			r.Fatalf("%q and %q, want %q and %q", got.Name, got.Data, want.Name, want.Data)
		}
		got.Name, got.Data, want.Name, want.Data = nil, nil, nil, nil
		if !reflect.DeepEqual(got, want) {
			r.Fatalf("%+v,\nwant %+v", got, want)
		}
	})
}
