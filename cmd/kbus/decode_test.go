package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/programs"
)

// A command that hangs costs each message a while; the message is shown undecoded, standard error says why, and what comes is shown, too.
// After some it is given up. Nothing that it has started stays.
func TestDecodeHangs(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	left := filepath.Join(t.TempDir(), "left")
	ready, err := programs.NewReady(t.TempDir())
	must(t, err)
	defer ready.Close()
	c := startWith(t, []string{ready.Variable()}, "kbus", "monitor", "$.A", "--count", "6", "--decode",
		`case $(cat) in good) echo fine ;; *) trap "" TERM; sleep 1000 & echo $! >>`+left+`; wait ;; esac`)
	must(t, ready.Await(time.Minute))
	announced(t, k, "$.A", "one", "good", "two", "three", "four", "good")
	if status := c.status(t); status != 0 {
		t.Fatalf("status %d, %s", status, &c.err)
	}
	lines := strings.Split(strings.TrimSpace(c.out.String()), "\n")
	for i, want := range []string{"data='one'", "data=fine", "data='two'", "data='three'", "data='four'", "data='good'"} {
		if i >= len(lines) || !strings.Contains(lines[i], want+">") {
			t.Fatalf("%s\nhas no %s", &c.out, want)
		}
	}
	said := c.err.String()
	if strings.Count(said, "longer than 2s, and was ended") != 3 || strings.Count(said, "longer than 2s for the 3rd time in a row: what comes is shown without it") != 1 {
		t.Errorf("it said %s", said)
	}
	pids, err := os.ReadFile(left)
	must(t, err)
	for _, pid := range strings.Fields(string(pids)) {
		await(t, func(*kbus.Observer) bool {
			state, err := os.ReadFile("/proc/" + pid + "/stat")
			return err != nil || strings.Contains(string(state), ") Z ")
		})
	}
}

// One that fails is no reason not to show the message.
func TestDecodeFails(t *testing.T) {
	file := sampleFile(t, "a.pcapng")
	c := start(t, "kbus", "show", file, "--decode", "cat; exit 3", "--count", "3")
	if status := c.status(t); status != 0 || !strings.Contains(c.out.String(), "data='on'>") || !strings.Contains(c.err.String(), "--decode of [0:1]: exit status 3") {
		t.Errorf("status %d, %s%s", status, &c.out, &c.err)
	}
}
