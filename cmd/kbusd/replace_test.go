package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// SIGUSR2 has the program that lies where the daemon's own was take over, and systemd is told; a program that is none leaves
// all as it is.
func TestReplacedBySignal(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(t.TempDir(), "kbusd")
	install(t, os.Args[0], program)
	p := command(t, dir, "exec "+program+` "$@"`, "--log-level", "info")
	p.start()
	p.wait("notify: READY=1")
	c := p.open()
	c.Bind("$.A", false)
	pid := p.Process.Pid
	send := func(text string) {
		c.Must(wire.OpSendMessage, 0, rawclient.Message(message.Header{}, "$.A", []byte(text)))
	}
	send("0")
	for i, bad := range []string{"/bin/true", "/etc/passwd"} {
		install(t, bad, program)
		p.signalTo(pid)
		p.wait("nobody takes over")
		send(fmt.Sprint(i + 1))
	}
	install(t, os.Args[0], program)
	for i := range 3 {
		p.signalTo(pid)
		next := p.wait("notify: MAINPID=")
		for strings.HasSuffix(next, fmt.Sprint("=", pid)) { // after the bad ones
			next = p.wait("notify: MAINPID=")
		}
		if _, err := fmt.Sscanf(next, "notify: MAINPID=%d", &pid); err != nil {
			t.Fatal(err)
		}
		p.wait("taken over")
		p.wait("notify: READY=1")
		send(fmt.Sprint(i + 3))
	}
	for i := range 6 {
		if m := c.Ask(wire.OpNext, 0, nil).Parse(t); string(m.Data) != fmt.Sprint(i) || m.ID.Serial != uint32(i+1) {
			t.Errorf("message %d is %v", i, &m)
		}
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func (p *process) signalTo(pid int) {
	p.t.Helper()
	if err := syscall.Kill(pid, syscall.SIGUSR2); err != nil {
		p.t.Fatal(err)
	}
}

// install puts a program in the place of another, which may run.
func install(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to+".new", text, 0o755)
	}
	if err == nil {
		err = os.Rename(to+".new", to)
	}
	if err != nil {
		t.Fatal(err)
	}
}
