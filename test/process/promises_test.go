package process

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	provenBy  = regexp.MustCompile("`(go test [^`]*|test/[^`]*)`")
	testNames = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w*)\(`)
)

// Every promise names a test that exists: a command on a page of promises runs at least one test in each package that
// it names, for each alternative of its pattern.
func TestPromisesAreProven(t *testing.T) {
	for _, page := range []string{"promises.md", "limpets.md"} {
		t.Run(page, func(t *testing.T) { checkPage(t, "../../docs/"+page) })
	}
}

func checkPage(t *testing.T, path string) {
	page, err := os.ReadFile(path)
	must(t, err)
	promises := 0
	for line := range strings.Lines(string(page)) {
		isPromise := strings.HasPrefix(line, "| ") && strings.Contains(line, "go test")
		for _, found := range provenBy.FindAllStringSubmatch(strings.ReplaceAll(line, `\|`, "|"), -1) {
			checkCommand(t, found[1])
			promises++
			isPromise = false
		}
		if isPromise {
			t.Errorf("no command could be read in %s", line)
		}
	}
	if promises == 0 {
		t.Error("there are no promises")
	}
}

func checkCommand(t *testing.T, command string) {
	words := strings.Fields(command)
	if words[0] != "go" {
		if info, err := os.Stat(filepath.Join("../..", words[0])); err != nil || info.Mode()&0o100 == 0 {
			t.Errorf("%s cannot be run", command)
		}
		return
	}
	var packages []string
	module, pattern := "../..", ""
	for i, word := range words {
		switch {
		case word == "-C":
			module = filepath.Join(module, words[i+1])
		case word == "-run":
			pattern = strings.Trim(words[i+1], "'")
		case strings.HasPrefix(word, "."):
			packages = append(packages, filepath.Join(module, word))
		}
	}
	if pattern == "" || len(packages) == 0 {
		t.Errorf("%s: which test?", command)
	}
	for _, dir := range packages {
		for alternative := range strings.SplitSeq(pattern, "|") {
			if !hasTest(t, dir, alternative) {
				t.Errorf("%s runs no test %s in %s", command, alternative, dir)
			}
		}
	}
}

// hasTest looks for a test of that name, or that begins with it unless it ends with $; what follows a slash is the
// name of a script of that test.
func hasTest(t *testing.T, dir, name string) bool {
	name, script, isScript := strings.Cut(name, "/")
	if isScript {
		scripts, err := filepath.Glob(filepath.Join(dir, "testdata", "*", script+".txt"))
		must(t, err)
		if _, err := os.Stat(filepath.Join(dir, "testdata", script+".txt")); err != nil && len(scripts) == 0 {
			return false
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	must(t, err)
	exact := strings.TrimSuffix(name, "$")
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		for _, test := range testNames.FindAllStringSubmatch(string(text), -1) {
			if test[1] == exact || exact == name && strings.HasPrefix(test[1], name) {
				return true
			}
		}
	}
	return false
}
