package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/kbus/stage"
)

// waits starts a kbus wait, and goes on when it listens for Repliers.
func waits(t *testing.T, args ...string) *command {
	t.Helper()
	c := start(t, "kbus", append([]string{"wait"}, args...)...)
	await(t, func(o *kbus.Observer) bool {
		info, err := o.Info(t.Context())
		must(t, err)
		return info.ReportReplierBinds
	})
	return c
}

// TestWait: it ends when all names have a Replier at the same time, bound to themselves or to a wildcard; one that has
// come and gone does not count.
func TestWait(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	c := waits(t, "$.Lamp.Set", "$.Door.Open", "--json")
	must(t, k.Bind(t.Context(), "$.Door.Open", kbus.Replier))
	must(t, k.Unbind(t.Context(), "$.Door.Open", kbus.Replier))
	must(t, k.Bind(t.Context(), "$.Lamp.*", kbus.Replier))
	must(t, k.Bind(t.Context(), "$.Door.Shut", kbus.Replier))
	last := openKsock(t)
	must(t, last.Bind(t.Context(), "$.Door.Open", kbus.Replier))
	if status := c.status(t); status != 0 || c.err.Len() > 0 {
		t.Fatalf("status %d, %s", status, &c.err)
	}
	repliers := map[string]uint32{}
	for text := range strings.Lines(c.out.String()) {
		var one struct {
			Name    string
			Replier jsonParty
		}
		must(t, json.Unmarshal([]byte(text), &one))
		repliers[one.Name] = one.Replier.Ksock
	}
	if want := map[string]uint32{"$.Lamp.Set": uint32(k.ID()), "$.Door.Open": uint32(last.ID())}; !maps.Equal(repliers, want) {
		t.Errorf("%v, want %v", repliers, want)
	}
	if out := kbusOK(t, "wait", "$.Lamp.Set"); out != "" {
		t.Errorf("a script is told %q", out)
	}
}

// TestWaitInVain: the status says which way it ended, and the error what is missing.
func TestWaitInVain(t *testing.T) {
	stage := withDaemon(t, 1)
	must(t, openKsock(t).Bind(t.Context(), "$.Here", kbus.Replier))
	got := kbusFails(t, int(syscall.ETIMEDOUT), "wait", "--timeout", "10ms", "$.Here", "$.A", "$.B")
	if !strings.Contains(got, "gave up after 10ms: nobody is Replier for $.A $.B") {
		t.Error(got)
	}
	kbusFails(t, int(syscall.EBADMSG), "wait", "$.A.*")
	c := waits(t, "$.A")
	must(t, c.Process.Signal(syscall.SIGINT))
	if status := c.status(t); status != statusStopped || c.err.Len() > 0 {
		t.Errorf("status %d, %s", status, &c.err)
	}
	c = waits(t, "$.A")
	must(t, syscall.Kill(stage.PID, syscall.SIGKILL))
	if status := c.status(t); status != int(syscall.ENOTCONN) {
		t.Errorf("status %d, %s", status, &c.err)
	}
}

// TestWaitAmongMany: more Repliers than a queue holds events are no hindrance, and neither is an administrator who turns
// the events off.
func TestWaitAmongMany(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	for i := range 300 {
		must(t, k.Bind(t.Context(), "$.Many."+strings.Repeat("a", i+1), kbus.Replier))
	}
	c := waits(t, "$.Late")
	_, err := k.Settings().SetReportReplierBinds(t.Context(), false)
	must(t, err)
	must(t, k.Bind(t.Context(), "$.Late", kbus.Replier))
	if status := c.status(t); status != 0 {
		t.Errorf("status %d, %s", status, &c.err)
	}
}

// TestWaitUnderRules: who may ask and not listen can wait all the same; it looks now and then.
func TestWaitUnderRules(t *testing.T) {
	dir := t.TempDir()
	kbusd := filepath.Join(dir, "kbusd")
	must(t, os.WriteFile(kbusd, []byte(fmt.Sprintf("#!/bin/sh\nexec %s \"$@\" --rules %s\n", filepath.Join(bin, "kbusd"), dir)), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "10.toml"), []byte("[[rule]]\nallow = ['open', 'request', 'reply']\n"), 0o644))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s, err := stage.Build(t.Context(), kbusd, 1)
	must(t, err)
	t.Cleanup(func() { must(t, s.Strike()) })
	t.Setenv("KBUS_DIR", s.Dir)
	if got := kbusFails(t, int(syscall.ETIMEDOUT), "wait", "$.A", "--timeout", "20ms"); !strings.Contains(got, "nobody is Replier for $.A") {
		t.Error(got)
	}
	c := start(t, "kbus", "wait", "$.A")
	await(t, func(o *kbus.Observer) bool { // until it waits
		list, err := o.List(t.Context())
		must(t, err)
		return len(list) == 1 || c.ended(t)
	})
	must(t, openKsock(t).Bind(t.Context(), "$.A", kbus.Replier))
	if status := c.status(t); status != 0 {
		t.Errorf("status %d, %s", status, &c.err)
	}
}
