package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/rules/folder"
)

// The page about access rules is held to the rules: each file in it is read, and each row of its table is decided.

// filesIn gives the files of a page: indented text whose first line is a comment with the file's name.
func filesIn(page string) (files []folder.File) {
	head := regexp.MustCompile(`^    # (\S+\.toml)$`)
	lines := strings.Split(page, "\n")
	for i := 0; i < len(lines); i++ {
		m := head.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		var text strings.Builder
		for ; i < len(lines) && strings.HasPrefix(lines[i], "    "); i++ {
			text.WriteString(strings.TrimPrefix(lines[i], "    ") + "\n")
		}
		files = append(files, folder.File{Name: m[1], Text: []byte(text.String())})
	}
	return files
}

func TestRulesPage(t *testing.T) {
	text, err := os.ReadFile("rules.md")
	if err != nil {
		t.Fatal(err)
	}
	names := &folder.Elsewhere{}
	var worked []folder.File
	seen := 0
	for _, f := range filesIn(string(text)) {
		seen++
		if f.Name == "expected.toml" {
			_, err = folder.ParseExpectations(f, names)
		} else {
			_, err = folder.Parse([]folder.File{f}, names)
		}
		if err != nil {
			t.Errorf("a file of the page: %v", err)
		}
		if filepath.Dir(f.Name) == "." && f.Name != "expected.toml" {
			worked = append(worked, f)
		}
	}
	if seen != 5 || len(worked) != 2 {
		t.Fatalf("%d files, %d of them of the table: the page is not as it was", seen, len(worked))
	}
	set, err := folder.Parse(worked, names)
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 8 || !strings.HasPrefix(strings.TrimSpace(cells[2]), "user ") {
			continue
		}
		rows++
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		who := identity(t, cells[2], names)
		word, name, _ := strings.Cut(cells[3], " ")
		o, known := rules.OperationBy(word)
		if !known {
			t.Errorf("row %s: no operation %q", cells[1], word)
			continue
		}
		d := set.Decide(&who, rules.Question{Operation: o, Name: name})
		by := "none"
		if d.Rule != nil {
			by = d.Rule.Position.String()
		}
		if d.Allow != (cells[4] == "yes") || by != cells[5] {
			t.Errorf("row %s: %v by %s, and the page says %s by %s", cells[1], d.Allow, by, cells[4], cells[5])
		}
	}
	if rows != 30 {
		t.Errorf("%d examples", rows)
	}
}

// identity reads "user lamp, group staff, unit door.service".
func identity(t *testing.T, text string, names folder.Names) (who rules.Identity) {
	t.Helper()
	for part := range strings.SplitSeq(text, ", ") {
		key, value, _ := strings.Cut(part, " ")
		var err error
		switch key {
		case "user":
			who.UID, err = names.User(value)
		case "group":
			var id uint32
			id, err = names.Group(value)
			who.Groups = append(who.Groups, id)
		case "program":
			who.Program = value
		case "unit":
			who.Cgroup = folder.CgroupOf(value)
		default:
			t.Errorf("who is %q?", part)
		}
		if err != nil {
			t.Error(err)
		}
	}
	return who
}
