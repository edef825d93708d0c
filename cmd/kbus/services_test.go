package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/kbus/stage"
)

// withService is a directory of services as the examples have it.
func withService(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "kbus.d"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "kbus.d", "door.toml"), []byte("name = \"$.Door\"\nexec = [\"/usr/bin/door\"]\nuser = \"door\"\n"), 0o644))
	t.Chdir(dir)
}

func TestServicesCheck(t *testing.T) {
	withService(t)
	if got := kbusOK(t, "services", "check", "kbus.d", "--elsewhere"); got != "kbus.d: 1 service\n" {
		t.Error(got)
	}
	if got := kbusOK(t, "services", "check", "kbus.d", "--elsewhere", "--json"); got != "{\"path\":\"kbus.d\",\"services\":1}\n" {
		t.Error(got)
	}
	must(t, os.WriteFile("kbus.d/lamp.toml", []byte("Name = \"$.Lamp\"\nexec = [\"lamp\"]\n"), 0o644))
	got := kbusFails(t, int(syscall.EINVAL), "services", "check", "kbus.d")
	for _, want := range []string{"kbus.d/door.toml:3:1: user: this machine has no user \"door\"\n", "kbus.d/lamp.toml:1:1: unknown key \"Name\"; did you mean \"name\"?",
		"kbus.d/lamp.toml:2:9: exec: must begin with the whole path", "kbus: 3 mistakes in the services\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
	if got := kbusFails(t, 2, "services", "chek"); !strings.Contains(got, "services check DIR") {
		t.Error(got)
	}
}

// A program that cannot be started as it is written is doubted, and no mistake: it may come later.
func TestServicesCheckDoubts(t *testing.T) {
	t.Chdir(t.TempDir())
	must(t, os.Mkdir("s", 0o755))
	here, err := os.Getwd()
	must(t, err)
	must(t, os.WriteFile("plain", nil, 0o644))
	for name, exec := range map[string]string{"a": here + "/nowhere", "b": here + "/plain", "c": "/bin/sh -c true", "d": here, "e": "/bin/sh"} {
		must(t, os.WriteFile("s/"+name+".toml", []byte(fmt.Sprintf("name = \"$.%s\"\nexec = [%q]\n", name, exec)), 0o644))
	}
	must(t, os.WriteFile("s/f.toml", []byte("name = \"$.f\"\nunit = \"f.service\"\n"), 0o644))
	plain := "s/b.toml: exec: " + here + "/plain cannot be executed: chmod +x\n"
	words := "s/c.toml: exec: there is no program \"/bin/sh -c true\"; if that is a whole command line, write each word of it as a string of its own\n"
	dir := "s/d.toml: exec: " + here + " is a directory, and no program\n"
	for flag, want := range map[string]string{"--json=false": "s/a.toml: exec: there is no program " + here + "/nowhere\n" + plain + words + dir, "--elsewhere": plain + words + dir} {
		c := start(t, "kbus", "services", "check", "s", flag)
		if status := c.status(t); status != 0 || c.out.String() != "s: 6 services\n" || c.err.String() != want {
			t.Errorf("%s: status %d, %s%s", flag, status, &c.out, &c.err)
		}
	}
}

// TestServicesStarted: kbus ask starts what a file names, and kbus services shows it.
func TestServicesStarted(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"lamp.toml":  fmt.Sprintf("name = \"$.Lamp\"\nexec = [%q, \"answer\", \"$.Lamp\", \"--with\", \"on\"]\n", filepath.Join(bin, "kbus")),
		"never.toml": "names = [\"$.Never\", \"$.More\"]\nexec = [\"/bin/false\"]\n",
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	kbusd := filepath.Join(dir, "kbusd")
	must(t, os.WriteFile(kbusd, []byte(fmt.Sprintf("#!/bin/sh\nexec %s \"$@\" --services %s\n", filepath.Join(bin, "kbusd"), dir)), 0o755))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s, err := stage.Build(t.Context(), kbusd, 1)
	must(t, err)
	defer func() { must(t, s.Strike()) }()
	t.Setenv("KBUS_DIR", s.Dir)

	if got := kbusOK(t, "services"); !regexp.MustCompile(`^NAME +STATE +PID +SERVICE +LAST FAILURE\n\$\.Lamp +idle +- +\S+/kbus +-\n\$\.Never +idle +- +/bin/false +-\n\$\.More +idle`).MatchString(got) {
		t.Error(got)
	}
	if got := kbusOK(t, "ask", "$.Lamp", "--format", "data"); got != "on\n" {
		t.Error(got)
	}
	var lamp jsonService
	line, rest, _ := strings.Cut(kbusOK(t, "services", "--json"), "\n")
	must(t, json.Unmarshal([]byte(line), &lamp))
	if lamp.State != string(kbus.ServiceRunning) || lamp.PID == 0 || lamp.Replier == nil || lamp.Replier.PID != lamp.PID || strings.Count(rest, "\n") != 2 {
		t.Errorf("%s\n%s", line, rest)
	}
	const why = "kbus: Request [0:3]: the service that would answer it could not be started ($.KBUS.Replier.NotStarted): /bin/false: the program exited with status 1\n"
	if got := kbusFails(t, int(syscall.EADDRNOTAVAIL), "ask", "$.Never"); got != why {
		t.Error(got)
	}
	if got := kbusOK(t, "services"); !strings.Contains(got, "the program exited with status 1 (") {
		t.Error(got)
	}
}
