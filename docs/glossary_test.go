package docs

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// glossary.md says which words are given up. This finds them as words of identifiers that the project's own code declares, so that
// they do not come back.

// givenUp is a row of the table.
type givenUp struct {
	words, in, stays []string
}

func (g givenUp) holdsIn(file string) bool {
	dir := filepath.ToSlash(filepath.Dir(file))
	test := strings.HasSuffix(file, "_test.go") || strings.HasPrefix(dir+"/", "test/") || strings.Contains(dir+"/", "/tests/") || strings.Contains(dir+"/", "/test/")
	for _, in := range g.in {
		if not, ok := strings.CutPrefix(in, "-"); ok && strings.HasPrefix(dir+"/", not+"/") {
			return false
		}
	}
	for _, in := range g.in {
		switch {
		case in == "all", in == "code" && !test, in == "tests" && test, in == "/" && dir == ".", strings.HasPrefix(dir+"/", in+"/"):
			return true
		}
	}
	return false
}

func readGlossary(t *testing.T) (rows []givenUp) {
	t.Helper()
	text, err := os.ReadFile("glossary.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n## Words given up\n")
	words := func(cell string) []string {
		return strings.FieldsFunc(cell, func(r rune) bool { return r == ' ' || r == ',' })
	}
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) == 6 && !strings.HasPrefix(cells[1], "-") && cells[1] != " words " {
			rows = append(rows, givenUp{words(cells[1]), words(cells[2]), words(cells[4])})
		}
	}
	if len(rows) < 10 {
		t.Fatalf("only %d rows: the table is not where it was", len(rows))
	}
	return rows
}

var wordOf = regexp.MustCompile(`[A-Z]+(?:[^A-Za-z]|$)|[A-Z]?[a-z]+|[A-Z]+`)

func wordsOf(identifier string) (words []string) {
	for _, w := range wordOf.FindAllString(identifier, -1) {
		words = append(words, strings.ToLower(strings.TrimRight(w, "_0123456789")))
	}
	return words
}

func TestGlossary(t *testing.T) {
	rows := readGlossary(t)
	found := map[string][]string{} // word: directories and identifiers
	for file, names := range identifiers(t) {
		slices.Sort(names)
		for _, row := range rows {
			if !row.holdsIn(file) {
				continue
			}
			for _, id := range slices.Compact(slices.Clone(names)) {
				for _, w := range wordsOf(id) {
					if slices.Contains(row.words, w) && !slices.Contains(row.stays, id) {
						found[w] = append(found[w], filepath.ToSlash(filepath.Dir(file))+": "+id)
					}
				}
			}
		}
	}
	for w := range found {
		slices.Sort(found[w])
		found[w] = slices.Compact(found[w])
	}
	for _, w := range slices.Sorted(maps.Keys(found)) {
		t.Errorf("%q is given up, and glossary.md says what to write instead:\n%s", w, strings.Join(found[w], "\n"))
	}
}
