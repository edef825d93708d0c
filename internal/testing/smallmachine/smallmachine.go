// Package smallmachine starts systemd in namespaces of its own, for tests of what is installed: a machine that is administered
// with systemctl, as far as one process can tell, and that is gone with the test. It takes root.
package smallmachine

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

// Patience is how long anything may take on a machine that is busy with other things; no test waits for it to pass.
const Patience = time.Minute

const systemd = "/lib/systemd/systemd"

// Machine is a running one.
type Machine struct {
	PID  string // of its first process, here
	path string
	t    *testing.T
}

// Start runs a script, which gets three arguments, a directory, a control group for all that will run, and the path of systemd; it
// mounts what the machine shall see and becomes its systemd. path is the PATH of commands there. Where there can be no such machine
// the test is skipped.
func Start(t *testing.T, script, dir, path string) *Machine {
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
	notes, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "@" + filepath.Base(group), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer notes.Close()
	var out strings.Builder
	first := exec.Command("bash", script, dir, group, systemd)
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
	_ = notes.SetReadDeadline(time.Now().Add(Patience))
	for note := make([]byte, 4096); ; {
		n, err := notes.Read(note)
		if err != nil {
			t.Fatalf("the machine does not start: %v\n%s", err, out.String())
		}
		if strings.Contains("\n"+string(note[:n]), "\nREADY=1") {
			m := &Machine{strconv.Itoa(first.Process.Pid), path, t}
			t.Cleanup(m.showIfFailed)
			return m
		}
	}
}

func (m *Machine) showIfFailed() {
	if m.t.Failed() {
		log, _ := m.As(Root, "sh", "-c", "systemctl status --no-pager 'kbus*'; cat /run/log /run/services 2>/dev/null").Output()
		m.t.Logf("the services:\n%s", log)
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
			group, err := os.MkdirTemp(f[1], "kbus-machine-")
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
	Root   = "0"
	Nobody = "65534"
)

// Path is where a path of the machine is here.
func (m *Machine) Path(path string) string { return "/proc/" + m.PID + "/root" + path }

// As is a command on the machine for a user.
func (m *Machine) As(user string, command ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"-t", m.PID, "-m", "-p", "-u", "-i", "-C", "--", "setpriv", "--reuid", user,
		"--regid", user, "--clear-groups", "env", "-u", "KBUS_DIR", "PATH=" + m.path}, command...)...)
}

// Run runs one to its end, which must be a good one, and returns what it writes.
func (m *Machine) Run(user string, command ...string) string {
	m.t.Helper()
	out, err := m.As(user, command...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return string(out)
}
