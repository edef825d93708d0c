package house

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// In Go the compiler refuses a circle of imports. In C, Python and JavaScript nothing does, so this looks for one: two files that each
// need the other are one file that has been torn, and nobody can read, try or replace one of them alone.

// needs says what each module needs, and for what.
type needs map[string]map[string]string

func (n needs) add(who, whom, why string) {
	if who == whom {
		return
	}
	if n[who] == nil {
		n[who] = map[string]string{}
	}
	n[who][whom] = why
}

// circle gives the shortest way from a module back to it, with why each step is there; nil if there is none.
func (n needs) circle(from string) []string {
	came := map[string]string{}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		for whom := range n[queue[0]] {
			if whom == from {
				way := []string{queue[0] + " needs " + from + " (" + n[queue[0]][from] + ")"}
				for at := queue[0]; at != from; at = came[at] {
					way = append(way, came[at]+" needs "+at+" ("+n[came[at]][at]+")")
				}
				slices.Reverse(way)
				return way
			}
			if _, seen := came[whom]; !seen {
				came[whom] = queue[0]
				queue = append(queue, whom)
			}
		}
	}
	return nil
}

func (n needs) check(t *testing.T, least int) {
	t.Helper()
	for module := range n {
		if way := n.circle(module); way != nil {
			t.Errorf("a circle:\n\t%s", strings.Join(way, "\n\t"))
		}
	}
	if len(n) < least {
		t.Errorf("only %d modules need others: the files are not read as they are written", len(n))
	}
}

// sources gives the text of the files below a directory whose names end so.
func sources(t *testing.T, dir string, ends ...string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains(ends, filepath.Ext(path)) {
			return err
		}
		text, err := os.ReadFile(path)
		path, _ = filepath.Rel(filepath.Join(root, dir), path)
		files[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var (
	commentC  = regexp.MustCompile(`(?s)/\*.*?\*/`)
	textC     = regexp.MustCompile(`"(?:\\.|[^"\\\n])*"`)
	includeC  = regexp.MustCompile(`(?m)^#include [<"]([\w/]+)\.h[>"]`)
	functionC = regexp.MustCompile(`(?m)^[a-zA-Z_][\w *]*?\b(\w+)\([^;{}]*\)\s*\{`)
	wordC     = regexp.MustCompile(`\b[a-z]\w+\b`)
)

// TestCirclesInC takes a .c file and the .h file of that name for one module. It needs another when it includes its header
// or calls a function that stands in it.
func TestCirclesInC(t *testing.T) {
	files := sources(t, "bindings/c", ".c", ".h")
	module := func(path string) string { return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) }
	ours, home, n := map[string]bool{}, map[string]string{}, needs{}
	code := func(text string) string { return textC.ReplaceAllString(commentC.ReplaceAllString(text, ""), `""`) }
	for path, text := range files {
		ours[module(path)] = true
		if filepath.Dir(path) != "src" {
			continue
		}
		for _, m := range functionC.FindAllStringSubmatch(code(text), -1) {
			if !strings.HasPrefix(m[0], "static") {
				home[m[1]] = module(path)
			}
		}
	}
	for path, text := range files {
		for _, m := range includeC.FindAllStringSubmatch(commentC.ReplaceAllString(text, ""), -1) {
			if other := filepath.Base(m[1]); ours[other] {
				n.add(module(path), other, "#include")
			}
		}
		if filepath.Dir(path) == "src" && filepath.Ext(path) == ".c" {
			for _, word := range wordC.FindAllString(code(text), -1) {
				if other := home[word]; other != "" {
					n.add(module(path), other, word)
				}
			}
		}
	}
	n.check(t, 25)
}

var importPython = regexp.MustCompile(`(?m)^[ \t]*from (\.*)([\w.]*) import (\([^)]*\)|[^\n]*)`)

// TestCirclesInPython goes by what is imported, wherever in a file.
func TestCirclesInPython(t *testing.T) {
	files, n := sources(t, "bindings/python/kbus", ".py"), needs{}
	for path, text := range files {
		dir := filepath.Dir(path)
		for _, m := range importPython.FindAllStringSubmatch(text, -1) {
			from := filepath.Join(dir, strings.Repeat("../", max(0, len(m[1])-1)), strings.ReplaceAll(m[2], ".", "/"))
			if m[1] == "" {
				rest, ours := strings.CutPrefix(m[2]+".", "kbus.")
				if !ours {
					continue
				}
				from = strings.ReplaceAll(strings.TrimSuffix(rest, "."), ".", "/")
			}
			names := strings.FieldsFunc(m[3], func(r rune) bool { return strings.ContainsRune("(), \t\n", r) })
			for _, name := range names {
				for _, module := range []string{filepath.Join(from, name) + ".py", filepath.Join(from, name, "__init__.py"),
					from + ".py", filepath.Join(from, "__init__.py")} {
					if _, there := files[module]; there {
						n.add(path, module, "import "+name)
						break
					}
				}
			}
		}
	}
	n.check(t, 15)
}

var importJavaScript = regexp.MustCompile(`(?m)^(?:import|export) [^;]*? from '\./([\w.]+)';`)

func TestCirclesInJavaScript(t *testing.T) {
	files, n := sources(t, "bindings/js/src", ".js"), needs{}
	for path, text := range files {
		for _, m := range importJavaScript.FindAllStringSubmatch(text, -1) {
			n.add(path, filepath.Join(filepath.Dir(path), m[1]), "import "+m[1])
		}
	}
	n.check(t, 10)
}
