package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// withRules goes to a directory with the rules and expectations of the manual.
func withRules(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "rules.d"), 0o755))
	for name, text := range map[string]string{
		"rules.d/10-door.toml": "[[rule]]\nallow = [\"listen\", \"request\"]\nname = \"$.Door.*\"\nuser = [1000, 1001]\n[[rule]]\ndeny = \"reply\"\nname = \"$.Door.Lock\"\n",
		"expected.toml":        "rules = \"rules.d\"\n[[expect]]\nallow = [\"listen\", \"request\"]\nname = [\"$.Door.Lock\", \"$.Door.Bell\"]\nuser = 1001\n[[expect]]\ndeny = \"reply\"\nname = \"$.Door.Lock\"\nrule = \"10-door.toml:5\"\n",
		"wrong.toml":           "rules = \"rules.d\"\n[[expect]]\nallow = \"open\"\n[[expect]]\ndeny = \"reply\"\nname = \"$.Door.Lock\"\nrule = \"10-door.toml:1\"\n",
		"bad.toml":             "[[rule]]\nallow = \"sent\"\n[[rule]]\nDeny = \"send\"\n",
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	t.Chdir(dir)
}

func TestRulesCheckAndTest(t *testing.T) {
	withRules(t)
	if got := kbusOK(t, "rules", "check", "rules.d"); got != "rules.d: 2 rules\n" {
		t.Error(got)
	}
	if got := kbusOK(t, "rules", "test", "expected.toml"); got != "5 decisions, all as expected\n" {
		t.Error(got)
	}
	c := start(t, "kbus", "rules", "test", "wrong.toml")
	if status := c.status(t); status != int(syscall.EINVAL) || c.out.String() !=
		"wrong.toml:2: expected allow, but no rule allows to open a Ksock, and with rules what none allows is denied\n"+
			"wrong.toml:4: expected deny by 10-door.toml:1, but rule rules.d/10-door.toml:5 denies to bind $.Door.Lock as Replier\n" {
		t.Errorf("status %d, %s", status, &c.out)
	}
	want := "bad.toml:2:9: allow: unknown operation \"sent\""
	if got := kbusFails(t, int(syscall.EINVAL), "rules", "check", "bad.toml"); !strings.HasPrefix(got, want) || !strings.Contains(got, "bad.toml:4:1: unknown key \"Deny\"") {
		t.Error(got)
	}
}

// A file whose name does not end in .toml is not read: that is said, and that without rules nothing is denied.
func TestCheckSaysWhatIsNotRead(t *testing.T) {
	for what, path := range map[string]string{"rules": "r", "services": "s"} {
		t.Chdir(t.TempDir())
		must(t, os.Mkdir(path, 0o755))
		for _, name := range []string{"10-x.conf", ".hidden", "10-x.toml~"} {
			must(t, os.WriteFile(filepath.Join(path, name), []byte("no TOML"), 0o644))
		}
		want := map[string]string{"rules": "r: 0 rules: nothing is denied\n", "services": "s: 0 services\n"}[what]
		c := start(t, "kbus", what, "check", path)
		if status := c.status(t); status != 0 || c.out.String() != want || c.err.String() != path+"/10-x.conf: not read, for its name does not end in .toml\n" {
			t.Errorf("status %d, %s%s", status, &c.out, &c.err)
		}
		c = start(t, "kbus", what, "check", path, "--json")
		if status := c.status(t); status != 0 || c.err.String() != "{\"note\":\""+path+"/10-x.conf: not read, for its name does not end in .toml\"}\n" {
			t.Errorf("status %d, %s%s", status, &c.out, &c.err)
		}
	}
}

func TestExplain(t *testing.T) {
	withRules(t)
	for _, c := range []struct {
		args, want string
	}{
		{"--user 1001 --reply $.Door.Lock", "denied: bind $.Door.Lock as Replier\n  user 1001, program not known, control group not known\n" +
			"  the last rule that matches is rules.d/10-door.toml:5:\n      deny reply; name $.Door.Lock\n"},
		{"--user 1001 --listen $.Door.*", "allowed: listen to $.Door.*\n  user 1001, program not known, control group not known\n" +
			"  the last rule that matches is rules.d/10-door.toml:1:\n      allow listen, request; name $.Door.*; user 1000, 1001\n"},
		{"--user 1002 --request $.Door.Bell", "denied: send the Request $.Door.Bell\n  user 1002, program not known, control group not known\n" +
			"  no rule matches, and with rules what none allows is denied\n" +
			"  does not match because of its user, rules.d/10-door.toml:1:\n      allow listen, request; name $.Door.*; user 1000, 1001\n"},
	} {
		args := append([]string{"explain", "--rules", "rules.d"}, strings.Fields(c.args)...)
		if got := kbusOK(t, args...); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.args, got, c.want)
		}
	}
	var j jsonExplanation
	if err := os.Mkdir("empty.d", 0o755); err != nil {
		t.Fatal(err)
	}
	if got := kbusOK(t, "explain", "--rules", "empty.d", "--tap"); !strings.Contains(got, "there are no rules in empty.d") {
		t.Errorf("it does not say where it has looked:\n%s", got)
	}
	must(t, json.Unmarshal([]byte(kbusOK(t, "explain", "--rules", "rules.d", "--user", "7", "--tap", "--json")), &j))
	if j.Allowed || j.Operation != "tap" || j.Rule != nil {
		t.Errorf("%+v", j)
	}
}

// Who asks is checked as a file of rules is: a rule could never be about somebody who is called so, and the answer would be wrong.
func TestExplainChecksWhoAsks(t *testing.T) {
	withRules(t)
	for args, want := range map[string]string{
		"--unit door":       "--unit must be the name of a unit with its .service or .scope, or the path of a control group, not \"door\"",
		"--program toy":     "--program must be the whole path of a program, not \"toy\"",
		"--program /a/../b": "--program must be the whole path of a program, not \"/a/../b\"",
		"--user=":           "--user must be a name or a number, and is empty",
	} {
		args := append([]string{"explain", "--rules", "rules.d", "--open"}, strings.Fields(args)...)
		if got, _, _ := strings.Cut(kbusFails(t, 2, args...), "\n"); got != "kbus explain: "+want {
			t.Errorf("%q: %s", args, got)
		}
	}
	if got := kbusFails(t, 1, "explain", "--rules", "rules.d", "--open", "--user", "4294967295"); !strings.Contains(got, "this machine has no user") {
		t.Error(got)
	}
	kbusOK(t, "explain", "--rules", "rules.d", "--open", "--unit", "/")
}

// Without --user it is about you: the groups are those of the process, as the daemon would see them, and not those of its user.
func TestExplainAboutYou(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be in other groups")
	}
	withRules(t)
	kbus, err := exec.LookPath("kbus")
	must(t, err)
	c := start(t, "setpriv", "--regid", "4002", "--groups", "4001,4002", kbus, "explain", "--rules", "rules.d", "--open")
	if status := c.status(t); status != 0 || !strings.Contains(c.out.String(), "\n  user 0, groups 4002 4001, ") {
		t.Errorf("status %d, %s%s", status, &c.out, &c.err)
	}
}

// What cannot be a file of expectations is told of, and not read for ever; and a test that tests nothing is none.
func TestRulesTestReadsFiles(t *testing.T) {
	withRules(t)
	must(t, syscall.Mkfifo("pipe.toml", 0o644))
	must(t, os.WriteFile("empty.toml", nil, 0o644))
	must(t, os.Mkdir("all.d", 0o755))
	must(t, os.Rename("expected.toml", "all.d/expected.toml"))
	for _, name := range []string{"pipe.toml", "/dev/zero"} {
		if got := kbusFails(t, int(syscall.EINVAL), "rules", "test", name); !strings.HasPrefix(got, name+":1:1: cannot be read: not a file\n") {
			t.Error(got)
		}
	}
	if got := kbusFails(t, int(syscall.EINVAL), "rules", "test", "empty.toml"); got != "kbus: there is no [[expect]] in empty.toml\n" {
		t.Error(got)
	}
	kbusFails(t, int(syscall.ENOENT), "rules", "test", "none.toml")
	if got := kbusOK(t, "rules", "test", "all.d", "--rules", "rules.d"); got != "5 decisions, all as expected\n" {
		t.Error(got)
	}
}

// A rule about a program that no process ever is denies nothing: that is said.
func TestCheckDoubtsPrograms(t *testing.T) {
	t.Chdir(t.TempDir())
	must(t, os.Symlink("/bin/sh", "link"))
	here, err := os.Getwd()
	must(t, err)
	must(t, os.WriteFile("r.toml", []byte("[[rule]]\ndeny = \"send\"\nprogram = \""+here+"/link\"\n"), 0o644))
	c := start(t, "kbus", "rules", "check", "r.toml")
	if status := c.status(t); status != 0 || c.out.String() != "r.toml: 1 rule\n" || !strings.HasPrefix(c.err.String(), "r.toml:1: program: "+here+"/link is a link: what runs is /") {
		t.Errorf("status %d, %s%s", status, &c.out, &c.err)
	}
	if c := kbusOK(t, "rules", "check", "r.toml", "--elsewhere"); c != "r.toml: 1 rule\n" {
		t.Error(c)
	}
}
