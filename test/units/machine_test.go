// Package units runs what `make install` installs under systemd, as on a machine that is administered: the daemon, its
// socket and Limpets as services, and programs of users who are nobody in particular. It takes root, for namespaces.
package units

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take on a machine that is busy with other things; no test waits for it to pass.
const patience = time.Minute

const systemd = "/lib/systemd/systemd"

// machine is systemd in namespaces of its own.
type machine struct {
	t   *testing.T
	pid string // of its first process, here
}

// boot installs everything, lets the test change or add to what is installed below a directory, and starts the machine.
func boot(t *testing.T, change func(dir string)) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make namespaces")
	}
	for _, program := range []string{systemd, "systemd-sysusers"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("no systemd here: ", err)
		}
	}
	group := controlGroup(t)
	dir := t.TempDir()
	install := exec.Command("make", "-s", "install", "DESTDIR="+dir, "PREFIX=/opt/kbus")
	install.Dir = filepath.Join("..", "..")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	change(dir)

	notes, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "@kbus-units-" + filepath.Base(group), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notes.Close()
	var out strings.Builder
	first := exec.Command("bash", "testdata/boot.sh", dir, group, systemd)
	first.Env = append(os.Environ(), "NOTIFY_SOCKET="+notes.LocalAddr().String())
	first.Stdout, first.Stderr = &out, &out
	first.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Setsid:     true,
	}
	switch err := first.Start(); {
	case errors.Is(err, syscall.EPERM):
		t.Skip("no namespaces here: ", err)
	case err != nil:
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- first.Wait(); notes.Close() }()
	t.Cleanup(func() {
		first.Process.Kill() // and with it all of its namespace
		<-ended
	})
	_ = notes.SetReadDeadline(time.Now().Add(patience))
	for note := make([]byte, 4096); ; {
		n, err := notes.Read(note)
		if err != nil {
			t.Fatalf("the machine does not start: %v\n%s", err, out.String())
		}
		if strings.Contains("\n"+string(note[:n]), "\nREADY=1") {
			m := &machine{t, strconv.Itoa(first.Process.Pid)}
			t.Cleanup(func() {
				if t.Failed() {
					log, _ := m.as(root, "sh", "-c", "systemctl status --no-pager 'kbus*'; cat /run/log").Output()
					t.Logf("the services:\n%s", log)
				}
			})
			return m
		}
	}
}

// controlGroup makes one, and takes it away with all that it has got below.
func controlGroup(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); f[2] == "cgroup2" {
			group, err := os.MkdirTemp(f[1], "kbus-units-")
			if err != nil {
				t.Skip("no control group for a machine: ", err)
			}
			t.Cleanup(func() { removeGroup(group) })
			return group
		}
	}
	t.Skip("no control groups of version 2")
	return ""
}

func removeGroup(group string) {
	inner, _ := os.ReadDir(group)
	for _, e := range inner {
		if e.IsDir() {
			removeGroup(filepath.Join(group, e.Name()))
		}
	}
	_ = syscall.Rmdir(group)
}

// Users, and their groups.
const (
	root   = "0"
	nobody = "65534"
)

// as runs a command on the machine for a user.
func (m *machine) as(user string, command ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"-t", m.pid, "-m", "-p", "-u", "-i", "-C", "--", "setpriv", "--reuid", user,
		"--regid", user, "--clear-groups", "env", "-u", "KBUS_DIR", "PATH=/opt/kbus/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, command...)...)
}

// run runs one to its end, which must be a good one, and returns what it writes.
func (m *machine) run(user string, command ...string) string {
	m.t.Helper()
	out, err := m.as(user, command...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return string(out)
}
