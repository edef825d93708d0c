package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/requests"
)

// watches starts a kbus watch, and goes on when it looks.
func watches(t *testing.T, args ...string) *command {
	t.Helper()
	return looksOn(t, append([]string{"kbus", "watch"}, args...)...)
}

// looksOn starts a command that has a tap, and goes on when that is there, beside the command's own connection.
func looksOn(t *testing.T, args ...string) *command {
	t.Helper()
	before := 0
	count := func(o *kbus.Observer) int {
		info, err := o.Info(t.Context())
		must(t, err)
		return int(info.Connections)
	}
	await(t, func(o *kbus.Observer) bool { before = count(o); return true })
	c := start(t, args[0], args[1:]...)
	await(t, func(o *kbus.Observer) bool { return c.ended(t) || count(o) == before+2 })
	return c
}

// TestWatch: a Replier that stands still is killed by the command, who asked has its Status, and a healthy one is left alone.
func TestWatch(t *testing.T) {
	withDaemon(t, 1)
	good := start(t, "kbus", "answer", "$.Good", "--echo")
	hung := start(t, "kbus", "answer", "$.Hung", "--echo")
	await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 2 })
	watch := watches(t, "$.*", "--restart-if", "50ms", "--count", "1", "--json", "--", "sh", "-c", "kill -9 $KBUS_PID; echo $KBUS_NAME $KBUS_REPLIER >&2")
	for range 20 {
		kbusOK(t, "ask", "$.Good")
	}
	must(t, hung.Process.Signal(syscall.SIGSTOP))
	kbusFails(t, int(syscall.ECONNRESET), "ask", "$.Hung")
	if status := hung.status(t); status != 128+int(syscall.SIGKILL) {
		t.Errorf("status %d", status)
	}
	if status := watch.status(t); status != 0 || strings.Count(watch.out.String(), `{"alarm":"$.Hung","id":"0:`) != 1 || !strings.HasPrefix(watch.err.String(), "$.Hung ") {
		t.Errorf("status %d, %s%s", status, &watch.out, &watch.err)
	}
	if good.ended(t) {
		t.Error("the good one has ended")
	}
	kbusFails(t, int(syscall.EBADMSG), "watch", "$.A..B")
}

// TestWatchTellsSystemd: the watchdog of the unit is content until a Replier hangs, and then triggered.
func TestWatchTellsSystemd(t *testing.T) {
	withDaemon(t, 1)
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	must(t, err)
	defer socket.Close()
	next := func() string {
		b := make([]byte, 100)
		n, err := socket.Read(b)
		must(t, err)
		return string(b[:n])
	}
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "3000")
	replier := openKsock(t)
	must(t, replier.Bind(t.Context(), "$.Hung", kbus.Replier))
	watches(t, "$.Hung", "--restart-if", "20ms")
	for range 3 {
		if got := next(); got != "WATCHDOG=1" {
			t.Fatal(got)
		}
	}
	asker := openKsock(t)
	_, err = asker.Send(t.Context(), kbus.Request("$.Hung", ""))
	must(t, err)
	got := next()
	for got == "WATCHDOG=1" {
		got = next()
	}
	if got != "WATCHDOG=trigger" {
		t.Fatal(got)
	}
	request, err := replier.Receive(t.Context())
	must(t, err)
	reply, err := request.Reply(nil)
	must(t, err)
	_, err = replier.Send(t.Context(), reply)
	must(t, err)
	for got != "WATCHDOG=1" { // all is well again
		got = next()
	}
}

// TestWatchAccusesNobody: what the watch has not seen does not count: time in which it did not run, and Requests whose answers
// may be among what it lost. An alarm that goes on is raised more and more seldom.
func TestWatchAccusesNobody(t *testing.T) {
	withDaemon(t, 1)
	l := newLine()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	must(t, err)
	defer out.Close()
	l.out, l.err = out, out
	o, err := kbus.Observe(t.Context(), 0)
	must(t, err)
	defer o.Close()
	w := &watching{line: l, open: requests.Open{}, patterns: []string{"$.A"}, patience: time.Second, observer: o}
	start := time.Now()
	w.last, w.next.pause = start, w.patience
	request := func(serial uint32, at time.Duration) {
		e := &kbus.Event{Event: kbus.EventSent, Replier: 1, Message: *kbus.Request("$.A", "")}
		e.ID = kbus.ID{Serial: serial}
		w.event(e, start.Add(at))
	}
	alarmsAt := func(at time.Duration, want uint32) {
		t.Helper()
		must(t, w.look(t.Context(), start.Add(at)))
		if w.alarms != want {
			t.Errorf("%d alarms after %v, want %d", w.alarms, at, want)
		}
	}
	request(1, 0)
	alarmsAt(100*time.Millisecond, 0)
	alarmsAt(time.Hour, 0) // it was stopped
	for at := time.Duration(0); at < 800*time.Millisecond; at += 100 * time.Millisecond {
		alarmsAt(time.Hour+at, 0)
	}
	lost := &kbus.Event{Lost: 1}
	w.event(lost, start.Add(time.Hour+900*time.Millisecond))
	alarmsAt(time.Hour+900*time.Millisecond, 0)
	alarmsAt(time.Hour+1100*time.Millisecond, 0)
	request(2, time.Hour+1200*time.Millisecond)
	var when []time.Duration
	for at := time.Duration(0); at < 40*time.Second; at += 100 * time.Millisecond {
		before := w.alarms
		must(t, w.look(t.Context(), start.Add(time.Hour+1200*time.Millisecond+at)))
		if w.alarms > before {
			when = append(when, at.Truncate(time.Second))
		}
	}
	if len(when) != 5 || when[0] != time.Second || when[1] != 3*time.Second || when[2] != 7*time.Second || when[4] != 31*time.Second {
		t.Error(when)
	}
}
