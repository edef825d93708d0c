package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/wire"
)

// Who may take over, and who may not.

// successor is a kbusd that is told to take over from this one.
func (p *process) successor(dir, shell string, args ...string) *process {
	next := command(p.t, dir, shell, append(args, "--replace")...)
	next.start()
	return next
}

// A directory is the same by whatever way it is named.
func TestReplacedByAnotherWay(t *testing.T) {
	real := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	p := command(t, "run", "cd "+real)
	p.start()
	p.wait("notify: READY=1")
	next := p.successor(filepath.Join(link, "run"), "")
	next.wait("taken over")
	p.exits(exitOK)
	next.open().Must(wire.OpReset, 0, nil)
}

// Who does not look for services where there are some would end them all.
func TestReplacedWithoutServices(t *testing.T) {
	s := withServices(t, map[string]string{"a.toml": serves})
	c := s.open()
	pid := s.answers(c, "$.A")
	next := s.successor(s.dir, "")
	next.exits(exitFailure)
	next.wait("cannot take over", "has its services from "+s.folder, "--services")
	next = s.successor(s.dir, "", "--config", s.config)
	next.wait("taken over")
	if again := s.answers(c, "$.A"); again != pid {
		t.Errorf("another program answers: %d, not %d", again, pid)
	}
	next.signal(syscall.SIGTERM)
	next.exits(exitOK)
}

// waits is a daemon that a successor has to wait for until open is called: it is asking systemd for a service.
func waits(t *testing.T) (s *served, open func()) {
	bin := t.TempDir()
	gate := filepath.Join(bin, "gate")
	if err := unix.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(bin, "systemctl"), "#!/bin/sh\n[ -e "+gate+" ] || exit\nread x <"+gate+"\nrm "+gate+"\n")
	if err := os.Chmod(filepath.Join(bin, "systemctl"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	s = withServices(t, map[string]string{"a.toml": "name = \"$.A\"\nunit = \"a.service\"\ndeadline = \"1h\"\n"})
	ask(s.open(), "$.A")
	s.wait("service started", "a.toml") // whose systemctl waits, and so does an upgrade
	return s, func() {
		if f, err := os.OpenFile(gate, os.O_WRONLY, 0); err == nil {
			f.WriteString("\n")
			f.Close()
		}
	}
}

// Who asks a daemon that hands over to another, and then is no more, asks that other one.
func TestTwoSuccessorsAtOnce(t *testing.T) {
	s, open := waits(t)
	one := s.successor(s.dir, "", "--config", s.config)
	s.wait("handing over")
	before := socketsOf(t, s.Process.Pid)
	other := s.successor(s.dir, "", "--config", s.config)
	for isConnected := false; !isConnected; {
		for socket := range socketsOf(t, s.Process.Pid) {
			isConnected = isConnected || !before[socket]
		}
	}
	open()
	one.wait("taken over")
	other.wait("taken over")
	one.exits(exitOK)
	other.open().Must(wire.OpReset, 0, nil)
}

func socketsOf(t *testing.T, pid int) map[string]bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	fds, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	sockets := map[string]bool{}
	for _, fd := range fds {
		if to, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			sockets[to] = true
		}
	}
	return sockets
}

// Who is told to end while it waits to take over does not, and the daemon goes on.
func TestEndedBeforeItTakesOver(t *testing.T) {
	s, open := waits(t)
	other := s.open()
	next := s.successor(s.dir, "", "--config", s.config)
	s.wait("handing over")
	next.signal(syscall.SIGTERM)
	next.exits(exitFailure)
	next.wait("a signal has come meanwhile")
	open()
	s.wait("nobody takes over: this daemon goes on")
	other.Must(wire.OpReset, 0, nil)
}

// The first process of a PID namespace cannot hand over: all others would end with it.
func TestFirstProcessIsNotReplaced(t *testing.T) {
	p := namespaced(t, t.TempDir(), true)
	p.start()
	p.wait("notify: READY=1")
	c := p.open()
	children := fmt.Sprintf("/proc/%d/task/%d/children", p.Process.Pid, p.Process.Pid)
	text, err := os.ReadFile(children)
	if err != nil {
		t.Fatal(err)
	}
	pid := 0
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	p.wait("nobody takes over", "first process")
	c.Must(wire.OpReset, 0, nil)
}

// Processes of two PID namespaces mean others by their numbers.
func TestNotReplacedFromOtherNamespace(t *testing.T) {
	for _, outer := range []bool{false, true} {
		dir := t.TempDir()
		old, next := command(t, dir, ""), command(t, dir, "", "--replace")
		if outer {
			old = namespaced(t, dir, false)
		} else {
			next = namespaced(t, dir, false, "--replace")
		}
		old.start()
		old.wait("notify: READY=1")
		next.start()
		next.exits(exitFailure)
		next.wait("cannot take over", "PID namespace")
		old.open().Must(wire.OpReset, 0, nil)
	}
}

// namespaced is kbusd in a PID namespace of its own, not started yet; first: as the first process there.
func namespaced(t *testing.T, dir string, first bool, args ...string) *process {
	unshare, err := exec.LookPath("unshare")
	if err != nil || os.Getuid() != 0 {
		t.Skip("root and unshare are needed: apt-get install util-linux")
	}
	script := `"$0" "$@"; exit $?`
	if first {
		script = `exec "$0" "$@"`
	}
	p := command(t, dir, "")
	p.Cmd.Path = unshare
	p.Cmd.Args = append([]string{unshare, "-pf", "--kill-child", "/bin/sh", "-c", script, os.Args[0], "--dir", dir}, args...)
	return p
}
