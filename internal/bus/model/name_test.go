package model_test

import (
	"testing"

	"kbus/internal/bus/model"
	"kbus/message"
)

// names are all strings of at most n letters of a small alphabet.
func names(n int) []string {
	all := []string{""}
	for i := 0; i < len(all) && len(all[i]) < n; i++ {
		for _, letter := range []string{"$", ".", "a", "b", "*", "%", "_"} {
			all = append(all, all[i]+letter)
		}
	}
	return all
}

// TestNames compares what the model thinks of names with package message (R1.16, R1.20).
func TestNames(t *testing.T) {
	for _, name := range names(6) {
		if want := message.CheckBinding(name) == message.OK; model.ValidBinding(name) != want {
			t.Errorf("ValidBinding(%q) is %v", name, !want)
		}
		if want := message.CheckName(name) == message.OK; model.ValidName(name) != want {
			t.Errorf("ValidName(%q) is %v", name, !want)
		}
	}
}

// TestMatches binds each possible name, and compares who would get each possible message (R1.22).
func TestMatches(t *testing.T) {
	var sent []string
	for _, tail := range names(4) {
		if name := "$." + tail; model.ValidName(name) {
			sent = append(sent, name)
		}
	}
	for _, tail := range names(4) {
		binding := "$." + tail
		if !model.ValidBinding(binding) {
			continue
		}
		b := model.New(model.Config{})
		if c := b.Bind(b.Open(), binding, false); c != message.OK {
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
