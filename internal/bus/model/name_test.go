package model_test

import (
	"testing"

	"kbus.example/kbus/internal/bus/model"
	"kbus.example/kbus/message"
)

// names are all strings of at most n letters of a small alphabet.
func names(n int) []string {
	all := []string{""}
	for i := 0; i < len(all) && len(all[i]) < n; i++ {
		for _, piece := range []string{"$", ".", "a", "b", "*", "%", "_"} {
			all = append(all, all[i]+piece)
		}
	}
	return all
}

// TestNames compares what the model thinks of names with package message (R1.16, R1.20).
func TestNames(t *testing.T) {
	for _, name := range names(6) {
		for original, of := range map[bool]struct{ binding, name message.Condition }{
			false: {message.CheckBinding(name), message.CheckName(name)},
			true:  {message.CheckOriginalBinding(name), message.CheckOriginalName(name)},
		} {
			if want := of.binding == message.OK; model.ValidBinding(name, original) != want {
				t.Errorf("ValidBinding(%q, %v) is %v", name, original, !want)
			}
			if want := of.name == message.OK; model.ValidName(name, original) != want {
				t.Errorf("ValidName(%q, %v) is %v", name, original, !want)
			}
			if of.binding != message.OK != (message.NameFault(name, original, true) != "") ||
				of.name != message.OK != (message.NameFault(name, original, false) != "") {
				t.Errorf("%q, original %v: its faults are said to be %q and %q", name, original,
					message.NameFault(name, original, true), message.NameFault(name, original, false))
			}
		}
	}
}

// TestMatches binds each possible name, and compares who would get each possible message (R1.22).
func TestMatches(t *testing.T) {
	var sent []string
	for _, tail := range names(4) {
		if name := "$." + tail; model.ValidName(name, false) {
			sent = append(sent, name)
		}
	}
	for _, tail := range names(4) {
		binding := "$." + tail
		if !model.ValidBinding(binding, false) {
			continue
		}
		b := model.New(model.Config{})
		if c := b.Bind(b.Open(0, false), binding, false); c != message.OK {
			t.Fatalf("Bind(%q): %v", binding, c)
		}
		for _, name := range sent {
			_, listeners := b.Who(name)
			if want := message.Matches(binding, name); want != (len(listeners) == 1) {
				t.Errorf("that %q matches %q is %v", binding, name, !want)
			}
		}
	}
}
