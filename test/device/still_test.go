package device

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/message"
)

// While the daemon stands still, whoever uses its device waits in the kernel, whatever limit it has set itself; and then all
// is as ever: nothing is lost and nothing done twice.
func TestDaemonStandsStill(t *testing.T) {
	d := start(t)
	sender, listener := d.rw(), d.rw()
	ok(t, listener.Bind("$.A", 0))
	actors := map[string]*actor{"bind $.Bound": nil, "next": nil, "open " + d.path(0): nil}
	for cue := range actors {
		actors[cue] = cast(t, "holder", nil)
		if errno := actors[cue].ask("open %s", d.path(0)); errno != 0 {
			t.Fatal(unix.Errno(errno))
		}
	}
	_, errno := sender.Send(message.Header{}, "$.A", "before")
	ok(t, errno)
	d.standStill()
	said := make(chan string)
	for cue, a := range actors {
		_, err := fmt.Fprintln(a.cues, cue)
		must(t, err)
		go func() {
			var n int
			err := a.says.Decode(&n)
			said <- fmt.Sprint(n, " ", err)
		}()
	}
	go func() {
		ready, err := listener.Poll(unix.POLLIN, 1)
		said <- fmt.Sprint(ready&^unix.POLLIN, " ", err)
	}()
	must(t, d.process.Process.Signal(unix.SIGCONT))
	for range len(actors) + 1 {
		if got := <-said; got != "0 <nil>" {
			t.Errorf("what was asked meanwhile: %s", got)
		}
	}
	_, errno = sender.Send(message.Header{}, "$.A", "after")
	ok(t, errno)
	for _, want := range []string{"before", "after"} {
		if m, some, errno := listener.Receive(); errno != 0 || !some || string(m.Data) != want {
			t.Errorf("received %v, %v, not %s", m, errno, want)
		}
	}
	if !replies(t, sender, "$.Bound") {
		t.Error("what was bound meanwhile is not")
	}
}

// standStill stops the daemon, and returns when it stands.
func (d *daemon) standStill() {
	d.t.Helper()
	must(d.t, d.process.Process.Signal(unix.SIGSTOP))
	for {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.process.Process.Pid))
		must(d.t, err)
		if _, state, _ := strings.Cut(string(stat), ") "); strings.HasPrefix(state, "T") {
			return
		}
	}
}
