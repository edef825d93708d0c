package rules

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// trusted lets one program in, and of what is known of the others, one not.
const trusted = `[[rule]]
allow = "open"
program = "DIR/door"
[[rule]]
allow = "send"
[[rule]]
deny = "send"
program = "DIR/toy"
`

// TestProgramIsTheFileThatRuns: what a program is called where it comes from is no proof, and what cannot be found out counts
// against it.
func TestProgramIsTheFileThatRuns(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	d := startDaemon(t, trusted)
	door, other := d.goDoor(t, "door"), d.goDoor(t, "other")
	opens := func(what string, p *program, want syscall.Errno) {
		t.Helper()
		if _, e := p.open(); e != want {
			t.Errorf("%s: %v, want %v", what, e, want)
		}
	}
	opens("the program", d.start(t, door, 1001, false), 0)
	opens("a copy of it", d.start(t, other, 1001, false), syscall.EACCES)
	if exec.Command("unshare", "--user", "--map-root-user", "--mount", "true").Run() == nil {
		pretender := other
		pretender.command = []string{"unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
			`mount --bind "$0" "$1" && KBUS_RULES_ROLE=go exec "$1"`, filepath.Join(d.dir, "other"), filepath.Join(d.dir, "door")}
		opens("another one that is called so in a namespace of its own", d.start(t, pretender, 1001, false), syscall.EACCES)
	} else {
		t.Log("no namespaces here")
	}
	old := d.start(t, door, 1001, false)
	old.ask("close", 99) // it runs, when it has answered
	must(t, os.Remove(filepath.Join(d.dir, "door")))
	opens("one whose file is gone", old, syscall.EACCES)
	door = d.goDoor(t, "door")
	opens("the one of an upgrade", d.start(t, door, 1001, false), 0)
	opens("the old one after an upgrade", old, syscall.EACCES)
}

// upgraded is for all but one program.
const upgraded = `[[rule]]
allow = ["open", "send"]
[[rule]]
deny = "send"
program = "DIR/toy"
`

// TestDeniedProgramAfterUpgrade: what is denied to a program is denied to one whose file another has replaced.
func TestDeniedProgramAfterUpgrade(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	d := startDaemon(t, upgraded)
	toy := d.goDoor(t, "toy")
	sends := func(what string, p *program, want syscall.Errno) {
		t.Helper()
		k, e := p.open()
		if e != 0 {
			t.Fatalf("%s: %v", what, e)
		}
		if e := p.send(k, 0, "$.A"); e != want {
			t.Errorf("%s: %v, want %v", what, e, want)
		}
	}
	old := d.start(t, toy, 1001, false)
	sends("the program", old, syscall.EACCES)
	must(t, os.Remove(filepath.Join(d.dir, "toy")))
	sends("one whose file is gone", old, syscall.EACCES)
	toy = d.goDoor(t, "toy")
	sends("the old one after an upgrade", old, syscall.EACCES)
	sends("the new one", d.start(t, toy, 1001, false), syscall.EACCES)
	sends("another", d.start(t, d.goDoor(t, "other"), 1001, false), 0)
}
