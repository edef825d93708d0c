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
