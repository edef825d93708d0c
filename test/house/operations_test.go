package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"kbus.example/kbus/internal/wire"
)

// TestOperationsOfTheBindings compares the numbers of operations in C, Python and JavaScript with the one table (wire.Operation). They
// have only those that they know.
func TestOperationsOfTheBindings(t *testing.T) {
	numbers := map[string]wire.Op{}
	for op := wire.OpHello; op.Known(); op++ {
		numbers[screaming(op.String())] = op
	}
	check := func(file string, list map[string]int, least int) {
		for name, n := range list {
			if op, known := numbers[name]; !known || int(op) != n {
				t.Errorf("%s: %s is %d, and %d in the table", file, name, n, op)
			}
		}
		if len(list) < least {
			t.Errorf("%s: %d operations found", file, len(list))
		}
	}
	check("wire.h", listed(t, "bindings/c/src/wire.h", `(?s)enum kb_op \{(.*?)\}`, "OP_"), 30)
	check("wire.py", listed(t, "bindings/python/kbus/wire.py", `(?s)\n\((HELLO,.*?)\) = range\(1, [0-9]+\)`, ""), 47)
	check("wire.js", listed(t, "bindings/js/src/wire.js", `(?s)export const OPS = \{(.*?),\s*\};`, ""), 25)
}

// listed reads a list of names that count from 1, or on from a number that one is given.
func listed(t *testing.T, file, pattern, prefix string) map[string]int {
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s has no list of operations", file)
	}
	list, n := map[string]int{}, 0
	for item := range strings.SplitSeq(string(found[1]), ",") {
		name, number, set := strings.Cut(strings.Replace(item, ":", "=", 1), "=")
		if n++; set {
			if n, err = strconv.Atoi(strings.TrimSpace(number)); err != nil {
				t.Fatal(err)
			}
		}
		list[strings.TrimPrefix(strings.TrimSpace(name), prefix)] = n
	}
	return list
}

// screaming is NextWait as NEXT_WAIT.
func screaming(name string) string {
	return strings.ToUpper(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(name, "${1}_$2"))
}
