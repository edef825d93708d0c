package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each file of code says at its head what it is for, before anything else in it: in Go above the package clause, or above the
// first declaration; in C too, where a header's head may stand for the file of the same name; in Python as a docstring or
// comment; in JavaScript as a comment; in shell behind the first line. Tests may do without. What says what a constant or a
// variable is does not say what the file is for.

func TestEveryFileSaysWhatItIsFor(t *testing.T) {
	found := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		short, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && short != "." || slices.Contains([]string{"bin", "build", "findings", "testdata"}, d.Name())):
			return filepath.SkipDir
		case d.IsDir() || !d.Type().IsRegular() || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		has, ours := hasHead(path, string(text))
		if ours {
			found++
		}
		if ours && !has {
			t.Errorf("%s does not say at its head what it is for", short)
		}
		return nil
	})
	if err != nil || found < 400 {
		t.Fatalf("%d files of code: %v", found, err)
	}
}

var (
	preprocessor = regexp.MustCompile(`(?m)^#(?:[^\n]*\\\n)*[^\n]*\n`)
	interpreter  = regexp.MustCompile(`^#![^\n]*\n`)
)

// hasHead reports whether a file has one, and whether it is code at all.
func hasHead(path, text string) (has, ours bool) {
	switch ext := filepath.Ext(path); {
	case ext == ".go":
		return goHasHead(path), true
	case ext == ".c" || ext == ".h":
		code := strings.TrimSpace(preprocessor.ReplaceAllString(text, ""))
		if strings.HasPrefix(code, "/*") || strings.HasPrefix(code, "//") {
			return true, true
		}
		_, err := os.Stat(strings.TrimSuffix(path, ".c") + ".h")
		return ext == ".c" && err == nil, true
	case ext == ".py":
		code := strings.TrimSpace(interpreter.ReplaceAllString(text, ""))
		return code == "" || strings.HasPrefix(code, `"""`) || strings.HasPrefix(code, `r"""`) || strings.HasPrefix(code, "#"), true
	case ext == ".js" || ext == ".mjs" || ext == ".ts":
		return strings.HasPrefix(text, "// "), true
	case interpreter.MatchString(text):
		return strings.HasPrefix(interpreter.ReplaceAllString(text, ""), "# "), true
	}
	return false, false
}

func goHasHead(path string) bool {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return false
	}
	if file.Doc != nil {
		return true
	}
	first, values := file.FileEnd, []string(nil)
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if ok && g.Tok == token.IMPORT {
			continue
		}
		if ok && !g.Lparen.IsValid() {
			if v, ok := g.Specs[0].(*ast.ValueSpec); ok {
				values = append(values, v.Names[0].Name)
			}
		}
		first = d.Pos()
		break
	}
	for _, c := range file.Comments {
		if word, _, _ := strings.Cut(strings.TrimSpace(c.Text()), " "); c.Pos() < first && word != "" {
			return !slices.Contains(values, word)
		}
	}
	return len(file.Decls) == 0
}
