package conformance

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Beside the cases that all front ends run there is what happens to programs: signals, threads, forks, a daemon that stands
// still. No two languages can play that alike, so each has tests of its own, and the second table of the page says which. It
// is written by hand, in doors.md; here is seen to it that all that it names is there.

//go:embed doors.md
var doors string

// doorColumns are the table's columns, and where the tests of each are unless a cell says so.
var doorColumns = []struct{ title, dir string }{
	{"Go", "."}, {"C compatible", "bindings/c/test"}, {"C modern", "bindings/c/test"}, {"Python", ""}, {"asyncio", ""}, {"JavaScript", "test/conformance"},
	{"device", "test/device"}, {"CLI", "cmd/kbus"},
}

var (
	scriptInCell = regexp.MustCompile("`([a-z]+\\.test\\.js): ([^`]+)`")
	testInCell   = regexp.MustCompile("`(?:([^` ]+) )?((?:Test|test_)[^` ]*)`")
	noteInCell   = regexp.MustCompile(`\((\d+)\)`)
	noteBelow    = regexp.MustCompile(`(?m)^(\d+)\. `)
)

// A cell names tests, or a note that says why there is none; every test that is named can be run; every note is used.
func TestDoors(t *testing.T) {
	golang, python := map[string][]string{}, []string{}
	used := map[string]bool{}
	rows := rowsOf(doors)
	for i, row := range rows {
		if i == 0 {
			checkHeading(t, row)
			continue
		}
		for j, c := range doorColumns {
			cell := row[j+1]
			if !testInCell.MatchString(cell) && !scriptInCell.MatchString(cell) && !noteInCell.MatchString(cell) {
				t.Errorf("%q, %s: %q names neither a test nor a note", row[0], c.title, cell)
			}
			for _, note := range noteInCell.FindAllStringSubmatch(cell, -1) {
				used[note[1]] = true
			}
			for _, named := range scriptInCell.FindAllStringSubmatch(cell, -1) {
				checkJavaScript(t, named[1], named[2])
			}
			for _, named := range testInCell.FindAllStringSubmatch(cell, -1) {
				dir, test := named[1], named[2]
				if strings.HasPrefix(test, "test_") {
					python = append(python, test)
					continue
				}
				if dir == "" {
					dir = c.dir
				}
				golang[dir] = append(golang[dir], test)
			}
		}
	}
	for _, note := range noteBelow.FindAllStringSubmatch(doors, -1) {
		if !used[note[1]] {
			t.Errorf("nothing points to note %s", note[1])
		}
		delete(used, note[1])
	}
	if len(used) > 0 {
		t.Errorf("there are no notes %v", used)
	}
	for dir, tests := range golang {
		checkGo(t, dir, tests)
	}
	checkPython(t, python)
}

func checkHeading(t *testing.T, row []string) {
	t.Helper()
	want := []string{"what happens"}
	for _, c := range doorColumns {
		want = append(want, c.title)
	}
	if !slices.Equal(row, want) {
		t.Fatalf("the columns are %q, not %q", row, want)
	}
}

// checkGo asks a package which tests it has.
func checkGo(t *testing.T, dir string, tests []string) {
	list := exec.Command("go", "test", "-list", ".", "./"+dir)
	list.Dir = module()
	out, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("the tests in %s: %v\n%s", dir, err, out)
	}
	there := strings.Fields(string(out))
	for _, test := range tests {
		if name, _, _ := strings.Cut(test, "/"); !slices.Contains(there, name) {
			t.Errorf("there is no test %s in %s", name, dir)
		}
	}
}

// checkJavaScript looks into the file that a test is in.
func checkJavaScript(t *testing.T, file, test string) {
	text, err := os.ReadFile(filepath.Join(module(), "bindings/js/test", file))
	if err != nil || !strings.Contains(string(text), "test('"+test+"'") {
		t.Errorf("there is no test %q in %s: %v", test, file, err)
	}
}

// checkPython has Python load the tests by their names. A class must have some.
func checkPython(t *testing.T, tests []string) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("this machine has no python3")
	}
	load := exec.Command(python, append([]string{"-c", `
import sys, unittest
for name in sys.argv[1:]:
    loader = unittest.TestLoader()
    try:
        assert loader.loadTestsFromName(name).countTestCases() and not loader.errors
    except Exception:
        print("there is no test", name)
`}, tests...)...)
	load.Dir = filepath.Join(module(), "bindings", "python", "tests")
	load.Env = append(os.Environ(), "PYTHONPATH=..", "PYTHONDONTWRITEBYTECODE=1")
	out, err := load.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Error(fmt.Sprint(err, "\n", string(out)))
	}
}
