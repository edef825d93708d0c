package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A Go or Python file that a comment or the page on the design names is there: a head that lists the files of a package is
// wrong as soon as one of them gets another name.

var (
	namesFile   = regexp.MustCompile(`[a-zA-Z0-9_./-]*[a-zA-Z0-9_]\.(?:go|py)\b`)
	lineComment = regexp.MustCompile(`(?m)^\s*(?://|#[^!i]).*$`)
)

func TestNamedFilesExist(t *testing.T) {
	there := map[string]bool{}
	var read []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != "." && d.Name() != ".." || d.Name() == "bin" || d.Name() == "findings"):
			return filepath.SkipDir
		case d.IsDir():
			return nil
		}
		there[d.Name()] = true
		short, _ := filepath.Rel(root, path)
		if ext := filepath.Ext(path); ext == ".go" || ext == ".py" || short == "docs/design.md" {
			read = append(read, path)
		}
		return nil
	})
	if err != nil || len(read) < 400 {
		t.Fatalf("%d files: %v", len(read), err)
	}
	for _, path := range read {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		comments := []string{string(text)}
		if filepath.Ext(path) != ".md" {
			comments = lineComment.FindAllString(string(text), -1)
		}
		for _, c := range comments {
			for _, name := range namesFile.FindAllString(c, -1) {
				if !there[filepath.Base(name)] && name != "nats.go" { // which is a library
					short, _ := filepath.Rel(root, path)
					t.Errorf("%s names %s, which is not there", short, name)
				}
			}
		}
	}
}
