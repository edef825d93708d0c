// Package device tests /dev/kbusN end to end: kbusd as a process, and programs that open, read, write, call ioctl, poll,
// fork and die, by bare system calls. It needs root and FUSE, or else it says what is missing.
//
// Everything happens in a mount namespace of its own: the test binary runs itself again in one, and what it mounts goes
// with it, however it ends. Links lie in temporary directories, never in /dev. With KBUS_DEVICE_KIND=cuse, in a machine of
// its own (test/cuse), the same tests are about real character devices in /dev.
//
// The process of the test is one of the programs; others are the test binary once more, in a role (actor_test.go).
package device

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

const (
	roleVariable = "KBUS_DEVICE_ROLE"
	insideNS     = "KBUS_DEVICE_INSIDE"
	kindVariable = "KBUS_DEVICE_KIND"
	kbusdPath    = "KBUS_DEVICE_KBUSD" // a kbusd that is built already
)

// roles are what this binary can be as an actor.
var roles = map[string]func(*part){
	"holder": holder,
	"opener": opener,
	"heir":   heir,
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		perform(roles[role])
	}
	if os.Getenv(insideNS) == "" && whatIsMissing() == "" {
		os.Exit(runInside())
	}
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// whatIsMissing is why there can be no devices here; every test that starts a daemon then skips and says so.
func whatIsMissing() string {
	if os.Geteuid() != 0 {
		return "devices need root"
	}
	node := "/dev/fuse"
	if kind() == "cuse" {
		node = "/dev/cuse"
	}
	if _, err := os.Stat(node); err != nil {
		return fmt.Sprintf("devices need %s: %v", node, err)
	}
	return ""
}

func kind() string {
	if k := os.Getenv(kindVariable); k != "" {
		return k
	}
	return "fuse"
}

// needFUSE is for tests of what CUSE does not have: a directory, a link, a mount.
func needFUSE(t *testing.T) {
	if kind() != "fuse" {
		t.Skip("not with " + kind())
	}
}

// runInside runs this test again in a mount namespace of its own.
func runInside() int {
	c := exec.Command("/proc/self/exe", os.Args[1:]...)
	c.Args[0] = os.Args[0]
	c.Env = append(os.Environ(), insideNS+"=1")
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if err := c.Run(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}
