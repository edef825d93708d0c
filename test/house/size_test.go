package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A struct with many fields and methods is several things under one name: nobody can say which of its fields belong
// together, and its lock guards whatever has been added last. So there is a limit, for the whole repository but its tests.
const (
	mostFields  = 12
	mostMethods = 20
)

// size is how many fields a struct has, and how many methods its type.
type size struct{ fields, methods int }

func (s size) isLarge() bool { return s.fields > mostFields || s.methods > mostMethods }

// large are the types that are larger. A line may only shrink or go, and none is to be added.
var large = map[string]size{
	// Records: what a report, a file or a line of JSON has, field by field. To cut them up would hide how they are written.
	"..BusInfo":                      {17, 0},
	"..Event":                        {13, 0},
	"..KsockInfo":                    {18, 0},
	"bench/compare.figure":           {20, 0},
	"bench/compare.peer":             {14, 5},
	"cmd/kbus.jsonKsock":             {14, 0},
	"cmd/kbus.jsonKsockStats":        {15, 0},
	"cmd/kbus.jsonMessage":           {20, 0},
	"cmd/kbus.jsonTapped":            {14, 0},
	"internal/bus.Info":              {13, 0},
	"internal/bus.KsockInfo":         {16, 0},
	"internal/recording/event.Event": {22, 2},
	"internal/recording/mcap.object": {34, 0},
	"internal/wire.Info":             {17, 1},
	"internal/wire.KsockEntry":       {20, 1},
	"internal/wire.TapEvent":         {18, 1},

	// State machines and what they are a state of: their fields stand in groups, each with its methods, and what is left are the steps
	// that need several groups.
	"internal/bus.Bus":            {12, 118},
	"internal/bus/model.Bus":      {10, 81},
	"internal/client.Core":        {12, 39},
	"internal/client/driver.Conn": {12, 47},
	"internal/server/loop.Loop":   {12, 78},
	"internal/session.Session":    {12, 103},

	// What all users have before them (TestKsockStaysSmall has its own limit), and what all commands share.
	"..Ksock":       {5, 32},
	"cmd/kbus.line": {5, 37},
}

func TestStructsStaySmall(t *testing.T) {
	sizes := map[string]size{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") {
			return errSkip(err)
		}
		if !d.IsDir() && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			return measure(sizes, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		is, was := sizes[name], large[name]
		switch {
		case !is.isLarge() && was != size{}:
			t.Errorf("%s has %d fields and %d methods, which is small enough: take its line away", name, is.fields, is.methods)
		case is.isLarge() && was == size{}:
			t.Errorf("%s has %d fields and %d methods; %d and %d are the limit: make several of it", name, is.fields, is.methods,
				mostFields, mostMethods)
		case is.fields > max(was.fields, mostFields), is.methods > max(was.methods, mostMethods):
			t.Errorf("%s has %d fields and %d methods, and its line has %d and %d: it may only shrink", name, is.fields, is.methods,
				was.fields, was.methods)
		}
	}
	for name := range large {
		if sizes[name] == (size{}) {
			t.Errorf("there is no %s: take its line away", name)
		}
	}
}

func errSkip(err error) error {
	if err != nil {
		return err
	}
	return fs.SkipDir
}

// measure adds the types of a file. A type is named by the folder that it is in. An embedded field counts as one.
func measure(sizes map[string]size, path string) error {
	src, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	dir, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv != nil {
				add(sizes, dir, receiver(d.Recv.List[0].Type), size{methods: 1})
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if of, ok := spec.(*ast.TypeSpec); ok {
					if st, ok := of.Type.(*ast.StructType); ok {
						add(sizes, dir, of.Name.Name, size{fields: fields(st)})
					}
				}
			}
		}
	}
	return nil
}

func add(sizes map[string]size, dir, name string, s size) {
	key := filepath.ToSlash(dir) + "." + name
	sum := sizes[key]
	sizes[key] = size{sum.fields + s.fields, sum.methods + s.methods}
}

func fields(st *ast.StructType) (n int) {
	for _, f := range st.Fields.List {
		n += max(1, len(f.Names))
	}
	return n
}

// receiver is the name of a method's type, without pointer and type parameters.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
