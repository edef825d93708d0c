package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kbus.example/kbus/internal/testing/programs"
)

// The numbers of rules and decisions (docs/spec) are for people who work on KBUS. They are of no use to people who only use
// it, so no text that these read may have one: what go doc shows, installed headers, docstrings, manual pages and so --help.

var ruleNumber = regexp.MustCompile(`\bR\d+\.\d+\b|(?:^|[\s(,])(?:[FQB]\d{1,2}|D5)(?:$|[\s,.:;)])`)

func noNumbers(t *testing.T, where, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := ruleNumber.FindString(line); n != "" {
			t.Errorf("%s cites %s, which its readers cannot look up: %s", where, strings.TrimSpace(n), strings.TrimSpace(line))
		}
	}
}

func TestGoDocHasNoRuleNumbers(t *testing.T) {
	for _, p := range goList(t, "kbus.example/kbus/...") {
		if strings.Contains(p, "/internal/") || strings.HasPrefix(p, "kbus.example/kbus/test/") || strings.HasSuffix(p, "/docs") {
			continue
		}
		text, err := sh(t, "go doc -all "+p)
		if err != nil {
			continue // nothing but tests
		}
		noNumbers(t, "go doc "+p, text)
	}
}

// each calls f with all files below dir that have one of the endings.
func each(t *testing.T, dir string, f func(path, text string), endings ...string) {
	t.Helper()
	found := 0
	err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !slices.Contains(endings, filepath.Ext(path)) {
			return nil
		}
		found++
		text, err := os.ReadFile(path)
		f(path, string(text))
		return err
	})
	if err != nil || found == 0 {
		t.Fatalf("%d files in %s: %v", found, dir, err)
	}
}

func TestHeadersHaveNoRuleNumbers(t *testing.T) {
	each(t, "bindings/c/include", func(path, text string) { noNumbers(t, path, text) }, ".h")
}

var docstring = regexp.MustCompile(`(?s)"""(.*?)"""`)

func TestDocstringsHaveNoRuleNumbers(t *testing.T) {
	each(t, "bindings/python/kbus", func(path, text string) {
		for _, m := range docstring.FindAllStringSubmatch(text, -1) {
			noNumbers(t, path, m[1])
		}
	}, ".py")
}

// Manual pages are made from what each command says to --help.
func TestHelpHasNoRuleNumbers(t *testing.T) {
	bin, pages := t.TempDir(), t.TempDir()
	if err := programs.Build(bin, "kbusd", "kbus", "kbus-limpet", "kbus-web"); err != nil {
		t.Fatal(err)
	}
	out, err := sh(t, "go run ./cmd/internal/man "+bin+" "+pages)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	made, err := filepath.Glob(filepath.Join(pages, "*.[0-9]"))
	if err != nil || len(made) < 3 {
		t.Fatalf("only %d pages: %v", len(made), err)
	}
	for _, page := range made {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		noNumbers(t, filepath.Base(page), string(text))
	}
}
