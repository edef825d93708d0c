package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/recording"
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/message"
)

// fails asks name something that is never answered, for its Replier goes away.
func fails(t *testing.T, k *kbus.Ksock, name string) {
	t.Helper()
	r := openKsock(t)
	must(t, r.Bind(t.Context(), name, kbus.Replier))
	_, err := k.Send(t.Context(), kbus.Request(name, "on"))
	must(t, err)
	_, err = r.Receive(t.Context())
	must(t, err)
	must(t, r.Close())
	_, err = k.Receive(t.Context())
	must(t, err)
}

// statuses counts them.
func statuses(events []recording.Event) (n int) {
	for _, e := range events {
		if e.Kind == event.Status {
			n++
		}
	}
	return n
}

// Who looks at a name sees that its Request has failed, though the Status has another name; and no Status of another name.
func TestNamesHaveTheirStatuses(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	dir := t.TempDir()
	for name, args := range map[string][]string{"named.pcapng": {"$.Lamp"}, "failures.mcap": {"$.Lamp", "--failures"}, "all.pcapng": nil} {
		file := filepath.Join(dir, name)
		c := startRecording(t, file, append(args, "--json")...)
		fails(t, k, "$.Door")
		fails(t, k, "$.Lamp")
		must(t, c.Process.Signal(os.Interrupt))
		c.status(t)
		events, err := recorded(t, file)
		want := 1
		if args == nil {
			want = 2
		}
		if n := statuses(events); err != nil || n != want || len(args) == 2 && len(events) != 1 {
			t.Errorf("%s: %d events, %d Statuses, %v", name, len(events), n, err)
		}
	}
	all, part := filepath.Join(dir, "all.pcapng"), filepath.Join(dir, "part.mcap")
	kbusOK(t, "convert", all, part, "--name", "$.Lamp")
	for _, file := range []string{filepath.Join(dir, "named.pcapng"), part} {
		if got := kbusOK(t, "show", file, "--unanswered"); got != "" {
			t.Errorf("%s: accused is %s", file, got)
		}
	}
	if got := kbusOK(t, "show", all, "$.Lamp", "--failures"); strings.Count(got, "\n") != 1 || !strings.Contains(got, message.NameIgnored) {
		t.Errorf("failures: %s", got)
	}
	var figures jsonCounts
	must(t, json.Unmarshal([]byte(kbusOK(t, "show", all, "$.Lamp", "--stats", "--json")), &figures))
	if figures.Statuses != 1 || figures.Messages != 1 {
		t.Errorf("figures: %+v", figures)
	}
}

// The same as it happens.
func TestMonitorOfANameShowsItsStatuses(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	next := startMonitor(t, k, "$.Lamp", "$.Ready", "$.Go")
	fails(t, k, "$.Door")
	fails(t, k, "$.Lamp")
	announced(t, k, "$.Go", "again")
	seen := ""
	for line := next(); !strings.Contains(line, "again"); line = next() {
		seen += line + "\n"
	}
	if strings.Count(seen, "<Status") != 1 || strings.Count(seen, "data='on'") != 1 || strings.Contains(seen, "$.Door") {
		t.Error(seen)
	}
	c := start(t, "kbus", "monitor", "$.Lamp", "--failures", "--count", "1")
	for !c.ended(t) {
		fails(t, k, "$.Door")
		fails(t, k, "$.Lamp")
	}
	if status := c.status(t); status != 0 || !strings.Contains(c.out.String(), message.NameIgnored) {
		t.Errorf("status %d: %s%s", status, &c.out, &c.err)
	}
}

// A flight recorder of a name keeps how its Requests have ended, and nothing of others.
func TestFlightOfANameHasItsStatuses(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	f := startFlight(t, ".pcapng", "--last", "5m", "$.Lamp", "--trigger", "$.Alarm")
	fails(t, k, "$.Door")
	fails(t, k, "$.Lamp")
	announced(t, k, "$.Alarm", "")
	events, err := recorded(t, f.next(t).File)
	if n := statuses(events); err != nil || n != 1 || !strings.Contains(string(events[len(events)-1].Name), "$.Alarm") {
		t.Errorf("%d Statuses among %d events, %v", n, len(events), err)
	}
}
