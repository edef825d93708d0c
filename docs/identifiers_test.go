package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// identifiers are the names that each file of code has: of Go those that it declares, of C and Python all that stand outside of comments and
// strings, which is near enough.
func identifiers(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, file := range sources(t) {
		short, err := filepath.Rel("..", file)
		if err != nil {
			t.Fatal(err)
		}
		switch filepath.Ext(file) {
		case ".go":
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			all[short] = declared(parsed)
		case ".c", ".h", ".py":
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all[short] = tokens(string(text), filepath.Ext(file) == ".py")
		}
	}
	if len(all) < 500 {
		t.Fatalf("only %d files of code", len(all))
	}
	return all
}

func declared(file *ast.File) (names []string) {
	add := func(ids ...*ast.Ident) {
		for _, id := range ids {
			names = append(names, id.Name)
		}
	}
	expressions := func(list ...ast.Expr) {
		for _, e := range list {
			if id, ok := e.(*ast.Ident); ok {
				add(id)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.File:
			add(n.Name)
		case *ast.FuncDecl:
			add(n.Name)
		case *ast.TypeSpec:
			add(n.Name)
		case *ast.ValueSpec:
			add(n.Names...)
		case *ast.Field:
			add(n.Names...)
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				expressions(n.Lhs...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				expressions(n.Key, n.Value)
			}
		}
		return true
	})
	return names
}

var (
	notCode = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'`)
	notPy   = regexp.MustCompile(`(?s)""".*?"""|'''.*?'''|#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'`)
	name    = regexp.MustCompile(`[A-Za-z_]\w*`)
)

func tokens(text string, python bool) []string {
	if python {
		return name.FindAllString(notPy.ReplaceAllString(text, " "), -1)
	}
	return name.FindAllString(notCode.ReplaceAllString(text, " "), -1)
}
