package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus"
)

// What a tap costs the daemon in system calls, which no noise touches. strace lists them; Ksocks that are opened and closed
// are the marks between its parts, because the daemon accepts them.

type traced struct {
	t    *testing.T
	d    *daemon
	list string
}

func startTraced(t *testing.T) *traced {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("system calls are not counted: no strace here; install it with: apt-get install strace")
	}
	if said, err := exec.Command("strace", "-o", "/dev/null", "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %v: %s", err, said)
	}
	dir := tempDir(t)
	list := filepath.Join(dir, "calls")
	// -D: the daemon is our child and strace its own, so it ends with the daemon.
	return &traced{t, startDaemonAs(t, dir, "strace", "-D", "-f", "-o", list, "-e", "trace=accept4,sendto,clock_gettime",
		daemonPath(t), "--log-level", "error"), list}
}

func (s *traced) open() *kbus.Ksock {
	s.t.Helper()
	k, err := kbus.Open(s.t.Context(), 0, kbus.Dir(s.d.dir))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { k.Close() })
	return k
}

// accepted gives the descriptor of the connection that was accepted last.
func (s *traced) accepted() (fd string) {
	s.t.Helper()
	text, err := os.ReadFile(s.list)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "accept4(") || strings.Contains(line, "accept4 resumed") {
			if _, result, ok := strings.Cut(line, " = "); ok && !strings.HasPrefix(result, "-") {
				fd = strings.Fields(result)[0]
			}
		}
	}
	return fd
}

// between counts, behind the mark of that number and before the next, what is sent to a descriptor and how often a clock is
// asked. The daemon must have been killed.
func (s *traced) between(first int, fd string) (sends, clocks int) {
	s.t.Helper()
	s.d.kill()
	text, err := os.ReadFile(s.list)
	if err != nil {
		s.t.Fatal(err)
	}
	accepts := 0
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.Contains(line, "accept4") && !strings.Contains(line, " = -1") && !strings.Contains(line, "unfinished"):
			accepts++
		case accepts != first:
		case strings.Contains(line, "sendto("+fd+","):
			sends++
		case strings.Contains(line, "clock_gettime("):
			clocks++
		}
	}
	return sends, clocks
}

// A tap that has stopped adds no system call to a round trip, once it is full.
func TestStoppedTapAddsNoSystemCall(t *testing.T) {
	s := startTraced(t)
	asker, replier := s.open(), s.open()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if err := replier.Bind(ctx, "$.Lamp", kbus.Replier); err != nil {
		t.Fatal(err)
	}
	go replier.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) { return m.Reply(nil) })
	o, err := kbus.Observe(ctx, 0, kbus.Dir(s.d.dir))
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if _, err = o.Tap(ctx, kbus.TapFilter{}); err != nil { // nobody reads it
		t.Fatal(err)
	}
	tap := s.accepted()
	call := func(n int) {
		for range n {
			if _, err := asker.Call(ctx, kbus.Request("$.Lamp", "")); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 30 { // fills it with large messages, and the rest with small ones
		if _, err := asker.Send(ctx, &kbus.Message{Name: "$.Fill", Data: make([]byte, 60_000)}); err != nil {
			t.Fatal(err)
		}
	}
	call(200)
	s.open() // the fifth that is accepted
	call(300)
	s.open()
	if sends, clocks := s.between(5, tap); sends > 0 || clocks > 0 {
		t.Errorf("%d sends to the tap and %d looks at a clock in 300 round trips", sends, clocks)
	}
}

// A tap that reads is sent many messages by one system call, when there are many.
func TestReadingTapAddsFewSystemCalls(t *testing.T) {
	s := startTraced(t)
	sender := s.open()
	o, err := kbus.Observe(t.Context(), 0, kbus.Dir(s.d.dir))
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	events, err := o.Tap(t.Context(), kbus.TapFilter{Patterns: []string{"$.A", "$.End"}})
	if err != nil {
		t.Fatal(err)
	}
	tap := s.accepted()
	seen := make(chan uint64)
	go func() {
		n := uint64(0)
		for e, err := range events {
			if err != nil || e.Message.Name == "$.End" {
				break
			}
			n += 1 + e.Lost
		}
		seen <- n
	}()
	s.open() // the fourth that is accepted
	const messages = 3000
	pipe := sender.Pipe()
	for i := range messages {
		if err := pipe.Send(t.Context(), kbus.Announcement("$.A", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := pipe.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := sender.Send(t.Context(), kbus.Announcement("$.End", "")); err != nil {
		t.Fatal(err)
	}
	if n := <-seen; n != messages {
		t.Errorf("%d events, want %d", n, messages)
	}
	s.open()
	sends, clocks := s.between(4, tap)
	t.Logf("%d sends and %d looks at a clock for %d messages", sends, clocks, messages)
	if sends == 0 || sends > messages/8 || clocks > messages/8 {
		t.Errorf("%d sends to the tap and %d looks at a clock for %d messages", sends, clocks, messages)
	}
}
