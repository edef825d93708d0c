package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/recording"
)

// A monitor of one trace shows what carries its id, and what becomes of its Requests, whether or not that carries anything; and nothing else.
// A recording shows the same.
func TestOneTrace(t *testing.T) {
	withDaemon(t, 1)
	k, err := kbus.Open(t.Context(), 0)
	must(t, err)
	defer k.Close()
	next := startMonitor(t, k, "--trace", "00-"+traceID+"-0000000000000001-00")
	file := filepath.Join(t.TempDir(), "all.pcapng")
	recorder := startRecording(t, file)
	r, err := kbus.Open(t.Context(), 0)
	must(t, err)
	must(t, r.Bind(t.Context(), "$.Lamp", kbus.Replier))
	send := func(k *kbus.Ksock, m *kbus.Message) {
		t.Helper()
		_, err := k.Send(t.Context(), m)
		must(t, err)
	}
	other := kbus.Request("$.Lamp", "other")
	other.Trace = &kbus.Trace{Parent: "00-" + strings.Repeat("1", 32) + "-00f067aa0ba902b7-01"}
	for _, m := range []*kbus.Message{kbus.Request("$.Lamp", "none"), other, traced(kbus.Request("$.Lamp", "on"))} {
		send(k, m)
		m, err := r.Receive(t.Context())
		must(t, err)
		reply, err := m.Reply([]byte("done"))
		must(t, err)
		reply.Trace = nil // as of a Replier that knows nothing of it
		send(r, reply)
	}
	send(k, traced(kbus.Request("$.Lamp", "off")))
	must(t, r.Close())
	send(k, kbus.Announcement("$.Plain", ""))
	send(k, traced(kbus.Announcement("$.End", "")))
	wants := []string{"Request '$.Lamp'", "took <Request '$.Lamp'", "Reply '$.Lamp'", "Request '$.Lamp'", "Status '$.KBUS.Replier.GoneAway'", "Announcement '$.End'"}
	for _, want := range wants {
		if line := next(); !strings.Contains(line, want) || strings.Contains(line, "other") || strings.Contains(line, "none") {
			t.Errorf("%s is not about %s", line, want)
		}
	}
	awaitFile(t, file, func(events []recording.Event) bool { return slices.Contains(messages(events), "$.End ") })
	must(t, recorder.Process.Signal(os.Interrupt))
	recorder.status(t)
	var shown []string
	for line := range strings.Lines(kbusOK(t, "show", file, "--trace", traceID)) {
		if !strings.Contains(line, "$.Ready") && !strings.Contains(line, "$.Go") {
			shown = append(shown, line)
		}
	}
	if len(shown) != len(wants) {
		t.Fatalf("the recording shows %q", shown)
	}
	for i, want := range wants {
		if !strings.Contains(shown[i], want) {
			t.Errorf("%s is not about %s", shown[i], want)
		}
	}
}
