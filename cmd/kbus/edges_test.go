package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kbus.example/kbus"
)

// TestBenchBesideListener: what others hear is not its business, also when they do not keep up.
func TestBenchBesideListener(t *testing.T) {
	withDaemon(t, 1)
	for _, limit := range []uint32{1, 1 << 20} {
		k := openKsock(t)
		_, err := k.Queue().SetLimit(t.Context(), limit)
		must(t, err)
		must(t, k.Bind(t.Context(), "$.*", kbus.Listener))
	}
	if got := kbusOK(t, "bench", "--for", "10ms", "--listeners", "2"); !strings.Contains(got, "Round trip") {
		t.Error(got)
	}
}

// stopDaemon has the daemon stand still until the test ends.
func stopDaemon(t *testing.T, pid int) {
	t.Helper()
	must(t, syscall.Kill(pid, syscall.SIGSTOP))
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	for { // each thread of it, by the word of the kernel
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		must(t, err)
		if _, rest, _ := strings.Cut(string(stat), ") "); strings.HasPrefix(rest, "T") {
			return
		}
	}
}

// TestTimeoutsWhileDaemonStops: a limit of time holds, wherever the daemon begins to stand still.
func TestTimeoutsWhileDaemonStops(t *testing.T) {
	stage := withDaemon(t, 1)
	replier := openKsock(t)
	must(t, replier.Bind(t.Context(), "$.Slow", kbus.Replier))
	ask := start(t, "kbus", "ask", "--timeout", "300ms", "$.Slow")
	stopped := make(chan bool)
	go func() {
		_, err := replier.Receive(context.Background())
		if err == nil {
			stopDaemon(t, stage.PID)
		}
		close(stopped)
	}()
	if got := ask.status(t); got != int(syscall.ETIMEDOUT) || !strings.Contains(ask.err.String(), "gave up after 300ms") {
		t.Errorf("status %d, %s", got, &ask.err)
	}
	select {
	case <-stopped:
	default: // so slow a machine that nothing was asked in that time; the rest is the same
		stopDaemon(t, stage.PID)
	}
	for _, args := range [][]string{
		{"ask", "$.Slow", "--timeout", "50ms"}, {"ask", "$.Slow", "--timeout", "50ms", "--wait"},
		{"send", "$.A", "--wait", "--timeout", "50ms"},
	} {
		if got := kbusFails(t, int(syscall.ETIMEDOUT), args...); !strings.Contains(got, "gave up after 50ms") {
			t.Errorf("%q: %s", args, got)
		}
	}
	if err := gaveUp(errNoAnswer, 0); err != errNoAnswer { // what has a limit of its own is not said to have been given one
		t.Error(err)
	}
}

// TestAskWaits: --wait is for a Replier that is still to come.
func TestAskWaits(t *testing.T) {
	withDaemon(t, 1)
	ask, person := onTerminal(t, "NO_COLOR=1", "ask", "--wait", "$.Late", "Anybody?")
	shown := bufio.NewReader(person)
	until(t, shown, "nobody is bound as Replier for $.Late yet")
	answer := start(t, "kbus", "answer", "$.Late", "--with", "At last", "--count", "1")
	if got := until(t, shown, atEnd); !strings.Contains(got, "At last") {
		t.Errorf("%q", got)
	}
	must(t, ask.Wait())
	if status := answer.status(t); status != 0 {
		t.Errorf("status %d, %s", status, &answer.err)
	}
	got := kbusFails(t, int(syscall.ETIMEDOUT), "ask", "--wait", "--timeout", "1s", "$.Never")
	if !strings.Contains(got, "nobody has become Replier for $.Never") {
		t.Error(got)
	}
}

// TestAnswerWaitsForFederation: a Bind that is refused only for now is tried again, and that is said.
func TestAnswerWaitsForFederation(t *testing.T) {
	withDaemon(t, 1)
	limpet := openKsock(t)
	f, err := limpet.Bridge().Federate(t.Context(), false)
	must(t, err)
	decide := func(verdict kbus.Condition) {
		claim, err := f.Next(t.Context())
		must(t, err)
		must(t, f.Decide(t.Context(), claim, verdict))
	}
	answer := start(t, "kbus", "answer", "$.Service", "--with", "Here", "--count", "1")
	decide(kbus.ErrNoFederation)
	decide(kbus.ErrUndecided)
	decide(0)
	await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 1 })
	kbusOK(t, "ask", "$.Service")
	if status := answer.status(t); status != 0 {
		t.Errorf("status %d", status)
	}
	want := "kbus: bind $.Service: " + kbus.ErrNoFederation.Error() + "; trying again for 2m0s\nkbus: bound to $.Service\n"
	if got := answer.err.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	answer = start(t, "kbus", "answer", "$.Service", "--with", "Here", "--json")
	decide(kbus.ErrReplierBound) // that is for good
	if got := answer.status(t); got != int(syscall.EADDRINUSE) {
		t.Errorf("status %d, %s", got, &answer.err)
	}

	answer = start(t, "kbus", "answer", "$.Other", "--with", "Here", "--bind-for", "100ms", "--json")
	if got := answer.status(t); got != int(syscall.ETIMEDOUT) { // nobody decides
		t.Errorf("status %d, %s", got, &answer.err)
	}

	answer = start(t, "kbus", "answer", "$.Third", "--with", "Here", "--json")
	for claim := (kbus.BindRequest{}); claim.Name != "$.Third"; {
		claim, err = f.Next(t.Context())
		must(t, err)
		_ = f.Decide(t.Context(), claim, kbus.ErrUndecided) // the one before has gone
	}
	must(t, answer.Process.Signal(os.Interrupt))
	if got := answer.status(t); got != 0 {
		t.Errorf("status %d, %s", got, &answer.err)
	}
	for line := range strings.Lines(answer.err.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

// TestListenVerbose: when each message came, in a form that others can read, and who sent it, though it has ended since.
func TestListenVerbose(t *testing.T) {
	withDaemon(t, 1)
	for _, flag := range []string{"--format=message", "--json"} {
		c := start(t, "kbus", "listen", speak, "--verbose", "--count", "1", flag)
		await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 1 })
		kbusOK(t, "send", speak, "Ahem")
		if status := c.status(t); status != 0 {
			t.Fatalf("status %d, %s", status, &c.err)
		}
		stamp := regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)`).FindString(c.out.String())
		if _, err := time.Parse(time.RFC3339Nano, stamp); err != nil {
			t.Errorf("%s: %s: %v", flag, &c.out, err)
		}
		who := `"pid":\d+,"uid":\d+,"program":"kbus"`
		if flag == "--format=message" {
			who = `^` + regexp.QuoteMeta(stamp) + ` kbus\[\d+\] uid \d+ <Announcement `
		}
		if !regexp.MustCompile(who).MatchString(c.out.String()) {
			t.Errorf("%s does not match %s", &c.out, who)
		}
	}
}

// FuzzLegible: nothing that a terminal would obey is shown.
func FuzzLegible(f *testing.F) {
	f.Add("Grüße\x1b[31m\x00")
	f.Fuzz(func(t *testing.T, data string) {
		shown := legible(&kbus.Message{Name: "$.A", Data: []byte(data)})
		for _, r := range shown {
			if r < ' ' || r == 0x7f {
				t.Fatalf("%q is shown as %q", data, shown)
			}
		}
	})
}
