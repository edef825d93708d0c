package main

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// docs/promises.md has a row for each attack, in the order of the program, and says how many there are.
func TestPromisesHaveEveryAttack(t *testing.T) {
	page, err := os.ReadFile("../../docs/promises.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(page), "| what the neighbour does |")
	if !found {
		t.Fatal("the page has no table of attacks")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var rows []string
	for _, line := range strings.Split(table, "\n")[2:] { // behind the head and its line
		rows = append(rows, strings.TrimSpace(strings.Split(line, "|")[1]))
	}
	for i, a := range attacks {
		if i >= len(rows) || rows[i] != a.name {
			row := "none"
			if i < len(rows) {
				row = rows[i]
			}
			t.Fatalf("attack %d is %q, and its row on the page %q", i+1, a.name, row)
		}
	}
	if len(rows) != len(attacks) {
		t.Errorf("the page has %d attacks more: %q", len(rows)-len(attacks), rows[len(attacks):])
	}
	if count := strconv.Itoa(len(attacks)) + " attacks, [below](#neighbours)"; !strings.Contains(string(page), count) {
		t.Errorf("the promise does not say %q", count)
	}
}
