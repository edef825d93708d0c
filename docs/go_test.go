package docs

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The samples in Go are programs in part, so each becomes the body of a function here, with what such a program would have, and is
// compiled. A variable that a sample does not use is no error: what it is for is up to the reader.

// around is what the samples take for granted.
const around = `package sample

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"kbus.example/kbus"
)

var (
	ctx           context.Context
	k, lamp, hand *kbus.Ksock
	err           error
	burnt         bool
	messages      []*kbus.Message
	handler       kbus.Handler
	ks            *kbus.Ksock
	_             = fmt.Println
	_             = log.Print
	_             = time.Second
	_             = errors.New
)

func check([]byte) error  { return nil }
func cook(b []byte) []byte { return b }
`

func TestGoSamples(t *testing.T) {
	files := token.NewFileSet()
	imports := importer.ForCompiler(files, "gc", compiled(t))
	for page, least := range map[string]int{"../README.md": 1, "go.md": 8} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(string(text), "```go\n")[1:]
		if len(parts) < least {
			t.Errorf("%s has %d samples, of %d", page, len(parts), least)
		}
		for i, part := range parts {
			sample, _, _ := strings.Cut(part, "```")
			line := 1 + strings.Count(string(text[:strings.Index(string(text), sample)]), "\n")
			where := fmt.Sprintf("%s:%d", page, line)
			source := fmt.Sprintf("%s\nfunc sample%d() error {\n//line %s:1\n%s\nreturn nil\n}\n", around, i, where, sample)
			for _, complaint := range compile(t, imports, files, source) {
				t.Errorf("the sample at %s does not compile: %v", where, complaint)
			}
		}
	}
}

// compile tells what is wrong with a file.
func compile(t *testing.T, imports types.Importer, files *token.FileSet, source string) (complaints []error) {
	t.Helper()
	file, err := parser.ParseFile(files, "sample.go", source, 0)
	if err != nil {
		return []error{err}
	}
	config := types.Config{Importer: imports, Error: func(err error) {
		var e types.Error
		if !errors.As(err, &e) || !e.Soft { // soft: declared and not used
			complaints = append(complaints, err)
		}
	}}
	_, _ = config.Check("sample", files, []*ast.File{file}, nil)
	return complaints
}

// compiled gives what the go command has compiled of the packages that the samples may import, and of all that those do.
func compiled(t *testing.T) func(path string) (io.ReadCloser, error) {
	t.Helper()
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}", "kbus.example/kbus", "log")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list -export: %v", err)
	}
	where := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		where[path] = file
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(where[path]) }
}
