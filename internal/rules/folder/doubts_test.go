package folder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus/internal/rules"
)

func TestDoubts(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{"door": "\x7fELF", "empty": "", "script": "#!/bin/sh\n"} {
		if err := os.WriteFile(in(name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"link": "door", "here": "."} {
		if err := os.Symlink(to, in(name)); err != nil {
			t.Fatal(err)
		}
	}
	set := &rules.Set{}
	at := rules.Position{File: "f", Line: 7}
	for _, name := range []string{"door", "empty", ".", "link", "here/door", "script", "none"} {
		set.Rules = append(set.Rules, rules.Rule{Programs: []string{in(name)}, Position: at})
	}
	set.Rules = append(set.Rules, rules.Rule{Programs: []string{in("door"), in("none")}, Position: at}, rules.Rule{Position: at})
	want := strings.ReplaceAll(`f:7: program: DIR/link is a link: what runs is DIR/door
f:7: program: DIR/here/door is a link: what runs is DIR/door
f:7: program: DIR/script is a script: what runs is its interpreter. A unit, or a user, tells it from others
f:7: program: there is no program DIR/none`, "DIR", dir)
	if got := strings.Join(Doubts(set), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
