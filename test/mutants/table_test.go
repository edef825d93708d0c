package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What the table says is done to the file, and what it cannot mean is said.
func TestTable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "code.go")
	write(t, file, "package code\n\nfunc f(n int) int {\n\tn++\n\tif n > 1 {\n\t\tn++\n\t}\n\treturn n\n}\n")
	for entry, want := range map[string]string{
		"- if n > 1 {\n+ if n >= 1 {\n":  "\nif n >= 1 {\n\t\tn++\n",
		"- n++\n- if n > 1 {\n+ if n {":  "int {\nif n {\n",
		"- return n":                     "\t}\n}\n",
		"- n++":                          "twice",
		"- return m":                     "does not stand in",
		"- if n > 1 {":                   "no Go any more",
		"+ return n":                     "- is missing",
		"- return n\nsurvives: it does.": "\t}\n}\n",
	} {
		table := filepath.Join(dir, "table")
		write(t, table, "test ./one\ntest ./two\nfile "+file+"\n# a mistake\n"+entry)
		all, err := read(table)
		if err != nil || len(all) != 1 || len(all[0].tests) != 2 {
			t.Fatalf("%q: %v, %v", entry, all, err)
		}
		text, err := all[0].broken()
		if err != nil {
			text = err.Error()
		}
		if !strings.Contains(text, want) {
			t.Errorf("%q gives %q; want %q", entry, text, want)
		}
	}
	write(t, filepath.Join(dir, "bad"), "# a mistake\n= what is this\n")
	if _, err := read(filepath.Join(dir, "bad")); err == nil {
		t.Error("a line that means nothing is taken")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A mutant that the tests let live is told from one that they explain, and either from the dead.
func TestJudge(t *testing.T) {
	some := func(dead_, alive_, explained int) (all []tried) {
		for range dead_ {
			all = append(all, tried{verdict: dead})
		}
		for range alive_ {
			all = append(all, tried{})
		}
		for range explained {
			all = append(all, tried{mutant: mutant{explained: "so"}})
		}
		return all
	}
	for i, c := range []struct {
		done   []tried
		all    int
		sample bool
		want   int
	}{
		{some(20, 0, 0), 20, false, 0}, {some(19, 0, 1), 20, false, 0}, {some(18, 0, 2), 20, false, 1}, {some(10, 0, 2), 12, true, 0},
		{some(19, 1, 0), 20, false, 1}, {some(11, 1, 0), 12, true, 1}, {some(20, 0, 0), 21, false, 1}, {some(5, 0, 0), 12, true, 0},
		{nil, 12, true, 1},
	} {
		if got := judge(c.done, c.all, c.sample); got != c.want {
			t.Errorf("%d: %d; want %d", i, got, c.want)
		}
	}
}

func TestFirstFailure(t *testing.T) {
	for out, want := range map[string]string{
		"=== RUN\n    --- FAIL: TestA/b (0.1s)\n--- FAIL: TestA (0.1s)\n":                 "TestA/b",
		"panic: test timed out after 40s\n\trunning tests:\n\t\tTestB (40s)\n\ngoroutine": "time in TestB",
		"panic: runtime error: index out of range\n":                                      "panic: runtime error: index out of range",
		"FAIL": "./some",
	} {
		if got := firstFailure(out, "./some"); got != want {
			t.Errorf("%q: %q", out, got)
		}
	}
}
