package loop

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// notCalls are functions of x/sys that ask the kernel nothing.
var notCalls = []string{
	"CmsgSpace", "UnixRights", "ParseSocketControlMessage", "ParseUnixRights", "NsecToTimespec", "Errno",
}

// calls finds the system calls in the sources of a package: "file.go call".
func calls(t *testing.T, dir string) (found []string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			of, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if from, ok := of.X.(*ast.Ident); !ok || from.Name != "unix" || !isCall(file, of) {
				return true
			}
			found = append(found, filepath.Base(name)+" "+strings.ToLower(strings.TrimPrefix(of.Sel.Name, "SYS_")))
			return true
		})
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// isCall says whether something of x/sys is a number of a system call, or a function that is called or given away.
func isCall(file *ast.File, of *ast.SelectorExpr) (is bool) {
	if name := of.Sel.Name; strings.HasPrefix(name, "SYS_") {
		return true
	} else if slices.Contains(notCalls, name) || strings.HasPrefix(name, "RawSyscall") || strings.HasPrefix(name, "Syscall") {
		return false
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		is = is || ok && call.Fun == of
		return !is
	})
	return is
}

// The page has one table of all system calls of a bus and of the process around it, with why none of them can wait for a client. A new
// one belongs there.
func TestCallsThatCannotWait(t *testing.T) {
	page, err := os.ReadFile("../../../docs/daemon.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## What the daemon waits for")
	var logged []string
	row := regexp.MustCompile("(?m)^\\| `([^|]+)` \\| ([^|]+) \\|")
	for _, m := range row.FindAllStringSubmatch(section, -1) {
		for _, file := range strings.Split(m[2], ", ") {
			logged = append(logged, strings.Trim(file, "`")+" "+m[1])
		}
	}
	slices.Sort(logged)
	found := slices.Concat(calls(t, "."), calls(t, ".."), calls(t, "../../ring"), calls(t, "../../sock"))
	slices.Sort(found)
	if found = slices.Compact(found); !slices.Equal(logged, found) {
		t.Error(missingFrom("not in the table of docs/daemon.md:", found, logged), missingFrom("only there:", logged, found))
	}
}

func missingFrom(title string, some, others []string) string {
	for _, s := range some {
		if !slices.Contains(others, s) {
			title += fmt.Sprint("\n\t", s)
		}
	}
	return title + "\n"
}
