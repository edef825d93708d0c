package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus/internal/rundir"
	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestRulesByReload: rules come, change and go with SIGHUP, for who is connected too. A broken file changes nothing, and all
// mistakes in all files are said, with their places.
func TestRulesByReload(t *testing.T) {
	dir := t.TempDir()
	config, rule := filepath.Join(dir, "kbusd.toml"), filepath.Join(dir, "rules.d", "10-a.toml")
	writeFile(t, config, "buses = 1\n")
	p := runKbusd(t, "--config", config)
	p.wait("buses are open", "rules=0")
	k := rawclient.Open(t, rundir.SocketPath(p.dir, 0))
	send := func() message.Condition {
		return k.Ask(wire.OpSendMessage, 0, rawclient.Announcement("$.A", "")).Condition
	}
	reload := func(words ...string) {
		t.Helper()
		p.Process.Signal(syscall.SIGHUP)
		p.wait(words...)
		p.wait("notify: READY=1")
	}
	if c := send(); c != message.OK {
		t.Errorf("without rules: %v", c)
	}
	writeFile(t, rule, "[[rule]]\nallow = \"open\"\n")
	reload("reloaded", "rules=1")
	if c := send(); c != message.ErrDenied {
		t.Errorf("with a rule: %v", c)
	}
	p.wait("denied", "operation=send", "rule=none")
	writeFile(t, rule, "[[rule]]\nallow = [\"open\", \"send\"]\nDeny = \"send\"\n")
	writeFile(t, filepath.Join(dir, "rules.d", "20-b.toml"), "[[rule]]\nallow = \"sent\"\n")
	reload("reload refused", "20-b.toml:2:9: allow: unknown operation")
	p.wait("reload refused", "10-a.toml:3:1: unknown key", "Deny")
	if c := send(); c != message.ErrDenied {
		t.Errorf("with broken files: %v", c)
	}
	os.Remove(filepath.Join(dir, "rules.d", "20-b.toml"))
	writeFile(t, rule, "[[rule]]\nallow = [\"open\", \"send\"]\n")
	reload("reloaded", "rules=1")
	if c := send(); c != message.OK {
		t.Errorf("with another rule: %v", c)
	}
	os.RemoveAll(filepath.Join(dir, "rules.d"))
	reload("reloaded", "rules=0")
	if f := k.Ask(wire.OpBind, 1, []byte("$.A")); f.Condition != message.OK {
		t.Errorf("without rules again: %v", f.Condition)
	}
}

// TestRulesSetting: a directory that is named must be there, and is found from where it is named.
func TestRulesSetting(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "kbusd.toml")
	check := func(args ...string) (string, bool) {
		c := exec.Command(os.Args[0], append([]string{"--check"}, args...)...)
		c.Env = append(os.Environ(), beKbusd+"=1")
		c.Dir = "/"
		out, err := c.CombinedOutput()
		return string(out), err == nil
	}
	writeFile(t, config, "rules = \"mine\"\n")
	if out, ok := check("--config", config); ok || !strings.Contains(out, "kbusd.toml:1: rules: ") || !strings.Contains(out, "no such file") {
		t.Errorf("a directory that is not there: %s", out)
	}
	writeFile(t, filepath.Join(dir, "mine", "10.toml"), "x\n[[rule]]\n")
	if out, ok := check("--config", config); ok || !strings.Contains(out, "mine/10.toml:1:2: ") || !strings.Contains(out, "mine/10.toml:2:1: ") {
		t.Errorf("a broken file: %s", out)
	}
	if out, ok := check("--rules", filepath.Join(dir, "mine")); ok || !strings.Contains(out, "10.toml:1:2") {
		t.Errorf("by flag: %s", out)
	}
	writeFile(t, filepath.Join(dir, "mine", "10.toml"), "[[rule]]\nallow = \"open\"\n")
	writeFile(t, filepath.Join(dir, "mine", "20.conf"), "")
	if out, ok := check("--config", config); !ok || !strings.Contains(out, "mine/20.conf: not read, for its name does not end in .toml\n") {
		t.Errorf("a good file: %s", out)
	}
}

// TestUnreadFiles: a file of rules or services that is passed over because of its name is in the log, at the start and at a reload.
func TestUnreadFiles(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "kbusd.toml")
	writeFile(t, config, "buses = 1\n")
	writeFile(t, filepath.Join(dir, "rules.d", "10-door.conf"), "[[rule]]\ndeny = \"open\"\n")
	writeFile(t, filepath.Join(dir, "kbus.d", "lamp.TOML"), "")
	const why = "not read, for its name does not end in .toml"
	p := runKbusd(t, "--config", config)
	p.wait("level=WARN", why, "rules.d/10-door.conf")
	p.wait("level=WARN", why, "kbus.d/lamp.TOML")
	writeFile(t, filepath.Join(dir, "rules.d", "20-door.txt"), "")
	p.Process.Signal(syscall.SIGHUP)
	p.wait("reloaded")
	p.wait("level=WARN", why, "rules.d/20-door.txt")
}
