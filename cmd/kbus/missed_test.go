package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
)

// TestListenMissed: a Listener that stands still for a while says how many messages it has missed and where, on standard
// error, in its JSON, and in the list.
func TestListenMissed(t *testing.T) {
	withDaemon(t, 1)
	k, err := kbus.Open(t.Context(), 0)
	must(t, err)
	defer k.Close()
	send := func() kbus.Sent {
		sent, err := k.Send(context.Background(), kbus.Announcement(speak, ""))
		must(t, err)
		return sent
	}
	for _, json := range []string{"", "--json"} {
		args := strings.Fields("listen " + speak + " --queue 5 " + json)
		c := start(t, "kbus", args...)
		await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 1 })
		must(t, c.Process.Signal(syscall.SIGSTOP))
		for !standsStill(t, c.Process.Pid) {
			runtime.Gosched()
		}
		var last kbus.ID
		missed := 0
		for missed < 3 {
			if sent := send(); sent.Skipped > 0 {
				missed++
			} else {
				last = sent.ID
			}
		}
		must(t, c.Process.Signal(syscall.SIGCONT))
		after := send()
		for after.Skipped > 0 {
			missed++
			after = send()
		}
		await(t, func(o *kbus.Observer) bool {
			list, err := o.List(t.Context())
			must(t, err)
			return list[0].Missed == uint64(missed) && list[0].Queued == 0
		})
		list := start(t, "kbus", "list", "--json")
		is(t, list.status(t), 0)
		if want := fmt.Sprintf(`"missed":%d`, missed); !strings.Contains(list.out.String(), want) {
			t.Errorf("no %s in %s", want, &list.out)
		}
		must(t, c.Process.Signal(syscall.SIGINT))
		is(t, c.status(t), 0)
		want := fmt.Sprintf("%d messages missed between %v and %v", missed, last, after.ID)
		if !strings.Contains(c.err.String(), want) {
			t.Errorf("no %q in %q", want, &c.err)
		}
		if json != "" {
			checkMissed(t, c.out.String(), fmt.Sprintf("0:%d", after.ID.Serial), missed)
		}
	}
}

// checkMissed: the number stands in the message after the gap, and only there.
func checkMissed(t *testing.T, lines, id string, missed int) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var m struct {
			ID     string
			Missed int
			PID    int
		}
		must(t, json.Unmarshal([]byte(line), &m))
		if want := map[bool]int{true: missed}[m.ID == id]; m.Missed != want || m.PID == 0 {
			t.Errorf("%d missed; want %d in %s", m.Missed, want, line)
		}
	}
}

func is(t *testing.T, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%d; want %d", got, want)
	}
}

// standsStill reports whether a signal has stopped all threads of a process, which it does not do at once.
func standsStill(t *testing.T, pid int) bool {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	must(t, err)
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		must(t, err)
		if _, state, _ := strings.Cut(string(text), ") "); !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return len(tasks) > 0
}
