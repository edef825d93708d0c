package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"kbus.example/kbus"
)

// tmux is a real terminal that a test can look at.
type tmux struct {
	t      *testing.T
	server string
}

// onTmux runs a command line on a terminal of 80 columns.
func onTmux(t *testing.T, line string) *tmux {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		if os.Getenv("CI") != "true" || os.Getuid() != 0 {
			t.Skip("no terminal to look at; install it with: apt-get install tmux")
		}
		install := exec.Command("sh", "-c", "apt-get update -qq && apt-get install -y -qq --no-install-recommends tmux")
		if said, err := install.CombinedOutput(); err != nil {
			t.Fatalf("apt-get install tmux: %v\n%s", err, said)
		}
	}
	// A server of its own, for the one of the test before may still be ending.
	x := &tmux{t: t, server: fmt.Sprint("kbus-test-", os.Getpid(), "-", t.Name())}
	t.Cleanup(func() { _ = exec.Command("tmux", "-L", x.server, "kill-server").Run() })
	x.do("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", line)
	return x
}

func (x *tmux) do(args ...string) string {
	x.t.Helper()
	said, err := exec.Command("tmux", append([]string{"-L", x.server}, args...)...).CombinedOutput()
	if err != nil {
		x.t.Fatalf("tmux %q: %v\n%s", args, err, said)
	}
	return string(said)
}

func (x *tmux) keys(keys ...string) { x.t.Helper(); x.do(append([]string{"send-keys"}, keys...)...) }

// shows waits until the terminal shows all these texts and none that begins with "not ". Each look is a process, so this waits
// for the terminal and not for time.
func (x *tmux) shows(texts ...string) string {
	x.t.Helper()
	for look := 0; ; look++ {
		seen := x.do("capture-pane", "-p")
		all := true
		for _, text := range texts {
			not, is := strings.CutPrefix(text, "not ")
			all = all && (is && !strings.Contains(seen, not) || !is && strings.Contains(seen, text))
		}
		if all {
			return seen
		}
		if look > 5000 || x.t.Context().Err() != nil {
			x.t.Fatalf("it does not show %q:\n%s", texts, seen)
		}
	}
}

// kbus top on a real terminal: what it shows, each key, another size, and that it leaves the terminal as it was.
func TestTopOnATerminal(t *testing.T) {
	withDaemon(t, 1)
	ctx := t.Context()
	hand, listener := openKsock(t), openKsock(t)
	must(t, listener.Bind(ctx, "$.Bell", kbus.Listener))
	_, err := listener.Queue().SetLimit(ctx, 10)
	must(t, err)
	x := onTmux(t, "echo before; KBUS_DIR='"+os.Getenv("KBUS_DIR")+"' kbus top --every 100ms; echo status $?; cat")
	x.shows("kbus top  bus 0", "2 Ksocks", "KSOCK     PID PROGRAM", "NAME ", "q end", "not before")
	for range 15 {
		_, err := hand.Send(ctx, kbus.Announcement("$.Bell", "ding"))
		must(t, err)
	}
	x.shows("[||||||]   10/10", "$.Bell", " 5 ") // rates come and go with each picture
	x.keys("?")
	x.shows("sort by the next column", "any key goes back")
	x.keys("x", "Tab", "Enter")
	x.shows("said      ", "15 in all, of 4 bytes", "as Listener of $.Bell")
	x.keys("Escape")
	x.shows("KSOCK", "not in all")
	x.keys("/", "q", "z")
	x.shows("only rows with: qz_", "not $.Bell")
	x.keys("BSpace", "BSpace", "b", "Enter")
	x.shows("only b", "$.Bell")
	x.keys("Escape") // together with another key it would be Alt
	x.shows("not only b")
	x.keys("Space")
	x.shows("PAUSED")
	other := openKsock(t)
	x.keys("Space")
	x.shows("3 Ksocks", "not PAUSED")
	must(t, other.Close())

	x.do("resize-window", "-x", "120", "-y", "8")
	x.shows("2 Ksocks", "KSOCK", "$.Bell", "q end")
	if lines := strings.Split(strings.TrimRight(x.shows("q end"), "\n"), "\n"); len(lines) > 8 || !strings.HasPrefix(lines[0], "kbus top") {
		t.Errorf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	x.do("resize-window", "-x", "30", "-y", "24")
	x.shows("kbus top  bus 0", "KSOCK     PID PROGRAM")
	x.keys("q")
	x.shows("before", "status 0", "not kbus top")
}

// The bus goes while somebody watches it: the terminal is as before, and says why.
func TestTopOnATerminalLosesItsBus(t *testing.T) {
	s := withDaemon(t, 1)
	x := onTmux(t, "KBUS_DIR='"+os.Getenv("KBUS_DIR")+"' kbus top --every 100ms; echo status $?; cat")
	x.shows("kbus top  bus 0", "0 Ksocks")
	must(t, s.Strike())
	x.shows("the bus is gone", "status ", "not status 0", "not q end")
}
