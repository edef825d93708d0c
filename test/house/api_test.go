package house

import (
	"flag"
	"fmt"
	"go/build"
	"go/importer"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kbus.example/kbus"
)

// What packages kbus and message export is recorded, one declaration a line. Programs of others depend on it: what is in
// the record stays as it is, and what is new is written down when it comes.

var accept = flag.Bool("accept-api", false, "record what the packages export now")

const recorded = "testdata/api.txt"

// TestAPI compares the record with the sources.
func TestAPI(t *testing.T) {
	var now []string
	if build.Default.GOROOT == "" { // a test that was built with -trimpath does not know it
		where, err := exec.Command("go", "env", "GOROOT").Output()
		if err != nil {
			t.Fatal(err)
		}
		build.Default.GOROOT = strings.TrimSpace(string(where))
	}
	imports := importer.ForCompiler(token.NewFileSet(), "source", nil)
	for _, path := range []string{"kbus.example/kbus", "kbus.example/kbus/message"} {
		p, err := imports.(types.ImporterFrom).ImportFrom(path, root, 0)
		if err != nil {
			t.Fatal(err)
		}
		now = append(now, exported(p)...)
	}
	if *accept {
		if err := os.WriteFile(recorded, []byte(strings.Join(now, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(recorded)
	if err != nil {
		t.Fatal(err)
	}
	before := strings.Split(strings.TrimSuffix(string(file), "\n"), "\n")
	var gone, come []string
	for _, line := range before {
		if !slices.Contains(now, line) {
			gone = append(gone, "- "+line)
		}
	}
	for _, line := range now {
		if !slices.Contains(before, line) {
			come = append(come, "+ "+line)
		}
	}
	const how = "go test ./test/house -run API -accept-api"
	switch {
	case len(gone) > 0:
		t.Errorf("programs that use the Go packages may not build any more:\n%s\nIf that is meant, say so in CHANGELOG.md, and accept it with: %s",
			strings.Join(append(gone, come...), "\n"), how)
	case len(come) > 0:
		t.Errorf("the Go packages export more than is recorded:\n%s\nRecord it with: %s", strings.Join(come, "\n"), how)
	}
}

// exported lists what a package exports: each function, type, method, field and value.
func exported(p *types.Package) (lines []string) {
	of := func(q *types.Package) string { return filepath.Base(q.Path()) }
	add := func(format string, args ...any) { lines = append(lines, p.Name()+": "+fmt.Sprintf(format, args...)) }
	for _, name := range p.Scope().Names() {
		o := p.Scope().Lookup(name)
		if !o.Exported() {
			continue
		}
		t, isType := o.(*types.TypeName)
		if !isType {
			text := types.ObjectString(o, of)
			if c, ok := o.(*types.Const); ok && name == "Version" {
				text = "const Version " + c.Type().String() // its value changes
			}
			add("%s", text)
			continue
		}
		if t.IsAlias() {
			add("type %s = %s", name, types.TypeString(types.Unalias(t.Type()), of))
			continue
		}
		if s, ok := t.Type().Underlying().(*types.Struct); ok {
			add("type %s struct", name)
			for f := range s.Fields() {
				if f.Exported() {
					add("field %s.%s %s", name, f.Name(), types.TypeString(f.Type(), of))
				}
			}
		} else if strings.HasSuffix(name, "Option") { // what an option is inside is nobody's business
			add("type %s func", name)
		} else {
			add("type %s %s", name, types.TypeString(t.Type().Underlying(), of))
		}
		methods := types.NewMethodSet(types.NewPointer(t.Type()))
		for m := range methods.Methods() {
			if m.Obj().Exported() {
				add("%s", types.ObjectString(m.Obj(), of))
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// TestFewFiles: who opens the folder of the package sees all of it at once.
func TestFewFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	if len(files) == 0 || len(files) > 18 {
		t.Errorf("package kbus has %d source files, more than 18, or none is found: %v", len(files), files)
	}
}

// TestKsockStaysSmall: what few programs need is in a view of a Ksock, not among the methods that all read.
func TestKsockStaysSmall(t *testing.T) {
	if n := reflect.TypeFor[*kbus.Ksock]().NumMethod(); n > 25 {
		t.Errorf("a *Ksock has %d methods, more than 25", n)
	}
	if _, embeds := reflect.TypeFor[kbus.Ksock]().FieldByName("Observer"); embeds {
		t.Error("a Ksock embeds an Observer, whose Close goes behind its back")
	}
}
