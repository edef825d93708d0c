package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
)

const speak = "$.Actor.Speak"

// fullListener listens with a queue for one message, and has one.
func fullListener(t *testing.T) *kbus.Ksock {
	t.Helper()
	k := openKsock(t)
	_, err := k.Queue().SetLimit(t.Context(), 1)
	must(t, err)
	must(t, k.Bind(t.Context(), speak, kbus.Listener))
	kbusOK(t, "send", speak, "the first")
	return k
}

// TestFullQueue is R4.18 and the table of part 4.4, as the command line shows it.
func TestFullQueue(t *testing.T) {
	withDaemon(t, 1)
	fullListener(t)
	if got := kbusOK(t, "send", speak); !strings.Contains(got, "reached nobody, skipped 1") {
		t.Error(got)
	}
	if got := kbusOK(t, "send", speak, "--json"); !strings.Contains(got, `"reached":0,"skipped":1`) {
		t.Error(got)
	}
	kbusFails(t, int(syscall.EBUSY), "send", "--all-or-fail", speak)
	if got := kbusFails(t, int(syscall.EAGAIN), "send", "--all-or-wait", speak); !strings.Contains(got, "--wait") {
		t.Error(got)
	}
	got := kbusFails(t, int(syscall.ETIMEDOUT), "send", "--wait", "--timeout", "1ms", speak)
	if !strings.Contains(got, "gave up after 1ms") {
		t.Error(got)
	}
}

// TestSendWaits: the message goes out when the Listener makes room (F6).
func TestSendWaits(t *testing.T) {
	withDaemon(t, 1)
	k := fullListener(t)
	c := start(t, "kbus", "send", "--wait", speak, "the second")
	await(t, func(o *kbus.Observer) bool {
		list, err := o.List(t.Context())
		must(t, err)
		return list[0].Sending
	})
	for _, want := range []string{"the first", "the second"} {
		m, err := k.Receive(t.Context())
		must(t, err)
		if string(m.Data) != want {
			t.Errorf("%v, want %q", m, want)
		}
	}
	if status := c.status(t); status != 0 || !strings.Contains(c.out.String(), "after waiting") {
		t.Errorf("status %d, %s%s", status, &c.out, &c.err)
	}
}

// TestAskInVain: what a Request without a Reply ends in.
func TestAskInVain(t *testing.T) {
	stage := withDaemon(t, 1)
	replier := openKsock(t)
	must(t, replier.Bind(t.Context(), "$.Slow", kbus.Replier))
	told := kbusFails(t, int(syscall.ETIMEDOUT), "ask", "--timeout", "500ms", "$.Slow")
	if !strings.Contains(told, "gave up after 500ms") {
		t.Error(told)
	}
	_, err := replier.Receive(t.Context()) // that one
	must(t, err)

	ask := start(t, "kbus", "ask", "$.Slow")
	_, err = replier.Receive(t.Context())
	must(t, err)
	must(t, replier.Close())
	got := ask.status(t)
	if got != int(syscall.ECONNRESET) || !strings.Contains(ask.err.String(), "$.KBUS.Replier.Ignored") {
		t.Errorf("status %d, %s", got, &ask.err)
	}

	replier = openKsock(t)
	must(t, replier.Bind(t.Context(), "$.Slow", kbus.Replier))
	ask = start(t, "kbus", "ask", "--json", "$.Slow")
	_, err = replier.Receive(t.Context())
	must(t, err)
	must(t, syscall.Kill(stage.PID, syscall.SIGKILL))
	got = ask.status(t)
	if got != int(syscall.ENOTCONN) || !strings.Contains(ask.err.String(), `"status":"$.KBUS.Bus.GoneAway"`) {
		t.Errorf("status %d, %s", got, &ask.err)
	}
}

// TestBusEnds: a Listener learns that, too.
func TestBusEnds(t *testing.T) {
	stage := withDaemon(t, 1)
	c := start(t, "kbus", "listen", speak)
	await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 1 })
	must(t, syscall.Kill(stage.PID, syscall.SIGKILL))
	if got := c.status(t); got != int(syscall.ENOTCONN) || !strings.Contains(c.err.String(), "bus is gone") {
		t.Errorf("status %d, %s", got, &c.err)
	}
}

// TestAnswerInterrupted: SIGTERM ends the command that makes the Reply, and who asked gets a Status.
func TestAnswerInterrupted(t *testing.T) {
	withDaemon(t, 1)
	pipe := filepath.Join(t.TempDir(), "pipe")
	must(t, syscall.Mkfifo(pipe, 0o600))
	answer := start(t, "kbus", "answer", "$.Slow", "--exec", "echo started > "+pipe+"; sleep 1000; echo done")
	await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 1 })
	ask := start(t, "kbus", "ask", "$.Slow")
	_, err := os.ReadFile(pipe)
	must(t, err)
	must(t, answer.Process.Signal(syscall.SIGTERM))
	if got := answer.status(t); got != 0 || strings.Contains(answer.out.String(), "<Reply") {
		t.Errorf("status %d, %s%s", got, &answer.out, &answer.err)
	}
	if got := ask.status(t); got != int(syscall.ECONNRESET) {
		t.Errorf("status %d, %s", got, &ask.err)
	}
}

// TestAnswerKilled: who had asked is told at once, though the command that was to make the Reply lives on.
func TestAnswerKilled(t *testing.T) {
	withDaemon(t, 1)
	dir := t.TempDir()
	began, ends := filepath.Join(dir, "began"), filepath.Join(dir, "ends")
	must(t, syscall.Mkfifo(began, 0o600))
	must(t, syscall.Mkfifo(ends, 0o600))
	answer := start(t, "kbus", "answer", "$.Slow", "--exec", "echo $$ > "+began+"; read x < "+ends)
	await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 1 })
	ask := start(t, "kbus", "ask", "$.Slow")
	pid, err := os.ReadFile(began)
	must(t, err)
	must(t, answer.Process.Kill())
	if got := ask.status(t); got != int(syscall.ECONNRESET) {
		t.Errorf("status %d, %s", got, &ask.err)
	}
	if _, err := os.Stat("/proc/" + strings.TrimSpace(string(pid))); err != nil {
		t.Errorf("the command has not lived so long: %v", err)
	}
	must(t, openKsock(t).Bind(t.Context(), "$.Slow", kbus.Replier))
	must(t, os.WriteFile(ends, []byte("now\n"), 0)) // which waits for who reads it
}

// TestNoDaemon: the commonest failure says what to do, whether or not a socket was left behind.
func TestNoDaemon(t *testing.T) {
	dir := t.TempDir()
	want := "kbus: no bus 0 in " + dir + ": is kbusd running? Start it with: kbusd"
	for _, command := range [][]string{
		{"list"}, {"bindings"}, {"stats"}, {"who", speak}, {"send", speak}, {"ask", speak}, {"listen", speak},
		{"answer", speak, "--echo"},
	} {
		if got := kbusFails(t, int(syscall.ENOENT), append(command, "--dir", dir)...); !strings.HasPrefix(got, want) {
			t.Errorf("%v: %s", command, got)
		}
	}
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: kbus.SocketPath(dir, 0), Net: "unix"})
	must(t, err)
	left.SetUnlinkOnClose(false)
	must(t, left.Close())
	if got := kbusFails(t, int(syscall.ENOENT), "list", "--dir", dir); !strings.HasPrefix(got, want) {
		t.Errorf("%s", got)
	}
}
