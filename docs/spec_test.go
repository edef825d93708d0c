package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	anchor   = regexp.MustCompile(`\*\*((?:R\d+\.|[FQBD])\d+)\*\*`)
	rule     = regexp.MustCompile(`\bR\d+\.\d+\b`)
	lettered = regexp.MustCompile(`(?:^|[\s(,-])([FQB]\d{1,2}|D5)(?:$|[\s,.:;)-])`)
)

// Every number of a rule or decision that code, scripts and pages cite stands in the specification, and stands there once. Numbers with a point
// are known wherever they are. F12 and its like could be anything, so they count in comments and pages only.
func TestSpecificationHasEveryNumber(t *testing.T) {
	defined := map[string]string{}
	pages, err := filepath.Glob("spec/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal("no specification", err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range anchor.FindAllStringSubmatch(string(text), -1) {
			if other, twice := defined[m[1]]; twice {
				t.Errorf("%s stands in %s and in %s", m[1], other, page)
			}
			defined[m[1]] = page
		}
	}
	cited := map[string][]string{}
	for _, file := range sources(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(text), "\n") {
			numbers := rule.FindAllString(line, -1)
			for _, m := range lettered.FindAllStringSubmatch(remark(file, line), -1) {
				numbers = append(numbers, m[1])
			}
			for _, n := range numbers {
				if !slices.Contains(cited[n], file) {
					cited[n] = append(cited[n], file)
				}
			}
		}
	}
	if len(cited) < 300 {
		t.Errorf("only %d numbers are cited: the search is wrong", len(cited))
	}
	for n, where := range cited {
		if defined[n] == "" {
			t.Errorf("%s is not in docs/spec; cited in %s", n, strings.Join(where, ", "))
		}
	}
}

// sources are the files of the project that people write, beside the specification.
func sources(t *testing.T) (files []string) {
	t.Helper()
	kinds := []string{".go", ".c", ".h", ".py", ".txt", ".md", ".sh"}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || slices.Contains([]string{"bin", "build", "spec"}, d.Name())):
			return filepath.SkipDir
		case d.Type().IsRegular() && slices.Contains(kinds, filepath.Ext(path)):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// remark is what of a line is meant for people: the whole of a page or of a line of Python, a comment elsewhere.
func remark(file, line string) string {
	switch filepath.Ext(file) {
	case ".md", ".py":
		return line
	case ".txt", ".sh":
		if strings.HasPrefix(line, "#") {
			return line
		}
	default:
		if _, after, ok := strings.Cut(line, "//"); ok {
			return after
		}
		if _, after, ok := strings.Cut(line, "/*"); ok {
			return after
		}
		if strings.HasPrefix(strings.TrimSpace(line), "*") {
			return line
		}
	}
	return ""
}
