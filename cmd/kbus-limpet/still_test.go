package main

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
)

// A Limpet that stands still is missed by the other, over Unix sockets and TCP, in plain text and by TLS, whichever end it
// is: who waits for an answer gets a Status. When it goes on, the pair is joined again.
func TestStoppedPeer(t *testing.T) {
	for _, c := range []struct {
		name            string
		tcp, tls, first bool // first: the end that listens is stopped
	}{
		{"unix", false, false, false}, {"unix, the listener", false, false, true}, {"tcp, the listener", true, false, true},
		{"tcp and TLS", true, true, false}, {"TLS, the listener", true, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // it takes seconds, in which nothing is done
			address := filepath.Join(t.TempDir(), "link")
			if c.tcp {
				address = "127.0.0.1:0"
			}
			how := []string{"--legacy", "--longest-pause", "100ms"}
			if c.tls {
				certs := t.TempDir()
				must(t, exec.Command("kbus-limpet", "certs", certs, "--id", "1", "--id", "2").Run())
				how = []string{"--certs", certs, "--longest-pause", "100ms"}
			}
			near, far := t.TempDir(), t.TempDir()
			daemon(t, near)
			daemon(t, far)
			end := func(dir, id, role, address string) *process {
				return start(t, nil, append([]string{"kbus-limpet", "pair", "--dir", dir, "--id", id, role, address}, how...)...)
			}
			listener := end(near, "1", "--listen", address)
			_, address, _ = strings.Cut(listener.await("listening"), "address=")
			connector := end(far, "2", "--connect", address)
			asks, answers, stopped, other := near, far, connector, listener
			if c.first {
				asks, answers, stopped, other = far, near, listener, connector
			}
			asker, replier := open(t, asks), open(t, answers)
			must(t, asker.Bind(t.Context(), kbus.NameReplierBindEvent, kbus.Listener))
			_, err := asker.Settings().SetReportReplierBinds(t.Context(), true)
			must(t, err)
			must(t, replier.Bind(t.Context(), "$.Q", kbus.Replier))
			go replier.Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
				return m.Reply([]byte("yes")) // also to what comes late, when nobody waits any more
			})
			ask := func() *kbus.Message {
				for m, err := range asker.Messages(t.Context()) {
					must(t, err)
					if e, ok := kbus.ParseBindEvent(m.Data); ok && e.Bind && e.Name == "$.Q" {
						break
					}
				}
				m, err := asker.Call(t.Context(), kbus.Request("$.Q", "?"))
				must(t, err)
				return m
			}
			ask()
			stopped.stop()
			if m, err := asker.Call(t.Context(), kbus.Request("$.Q", "?")); !errors.As(err, new(*kbus.StatusError)) {
				t.Errorf("%v, %v", m, err)
			}
			other.await("parted", "no sign of life")
			must(t, stopped.cmd.Process.Signal(syscall.SIGCONT))
			ask()
		})
	}
}
