package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A mutant that does not compile tests nothing, and only a sample of them is tried each day. So the types of all are checked,
// which takes some seconds: what a package imports is read as the go command has compiled it.

// compiled finds what has been compiled: the file of each package that ours import, and the source files of ours.
type compiled struct {
	files   token.FileSet
	export  map[string]string   // by import path
	sources map[string][]string // by folder
	parsed  map[string]*ast.File
	types.Importer
}

func newCompiled() (*compiled, error) {
	c := &compiled{export: map[string]string{}, sources: map[string][]string{}, parsed: map[string]*ast.File{}}
	list := exec.Command("go", "list", "-deps", "-export", "-f", `{{.ImportPath}}|{{.Export}}|{{if .Module}}{{if .Module.Main}}{{.Dir}}|{{join .GoFiles " "}}{{end}}{{end}}`, "./...")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	for line := range bytes.Lines(out) {
		part := strings.Split(strings.TrimSpace(string(line)), "|")
		if c.export[part[0]] = part[1]; len(part) == 4 {
			c.sources[part[2]] = strings.Fields(part[3])
		}
	}
	c.Importer = importer.ForCompiler(&c.files, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(c.export[path])
	})
	return c, nil
}

// check says why a mutant does not compile.
func (c *compiled) check(m *mutant, broken string) error {
	path, err := filepath.Abs(m.file)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if !slices.Contains(c.sources[dir], filepath.Base(path)) {
		return fmt.Errorf("%s: %s is not compiled here", m, m.file)
	}
	var files []*ast.File
	for _, name := range c.sources[dir] {
		file, err := c.parse(filepath.Join(dir, name))
		if name == filepath.Base(path) {
			file, err = parser.ParseFile(&c.files, m.file, broken, parser.SkipObjectResolution)
		}
		if err != nil {
			return err
		}
		files = append(files, file)
	}
	if _, err = (&types.Config{Importer: c}).Check(dir, &c.files, files, nil); err != nil {
		return fmt.Errorf("%s: it does not compile: %w", m, err)
	}
	return nil
}

func (c *compiled) parse(path string) (file *ast.File, err error) {
	if file = c.parsed[path]; file == nil {
		file, err = parser.ParseFile(&c.files, path, nil, parser.SkipObjectResolution)
		c.parsed[path] = file
	}
	return file, err
}
