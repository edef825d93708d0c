package test

import (
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// daemon starts a daemon in a process of its own, and gives its directory.
func daemon(t *testing.T) (dir string, c *exec.Cmd) {
	t.Helper()
	dir = shortDir(t)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir, daemonIn(t, dir)
}

func daemonIn(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), daemonVariable+"="+dir)
	input, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	talk(t, c).wants(t, "ready")
	t.Cleanup(func() { input.Close() })
	return c
}

// Time limits hold while the daemon stands still, however often the program's timer ticks; and afterwards all is right.
func TestLimits(t *testing.T) {
	program := compile(t, "gcc", "limits.c")
	for _, rings := range []string{"on", "off"} {
		t.Run("rings "+rings, func(t *testing.T) {
			t.Parallel()
			dir, kbusd := daemon(t)
			c := exec.Command(program)
			c.Env = append(os.Environ(), "KBUS_DIR="+dir, "KBUS_RINGS="+rings)
			input, err := c.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			lines := talk(t, c)
			lines.wants(t, "ready")
			kbusd.Process.Signal(syscall.SIGSTOP)
			var status syscall.WaitStatus
			for !status.Stopped() { // it is in no hurry
				if _, err := syscall.Wait4(kbusd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil && err != syscall.EINTR {
					t.Fatal(err)
				}
			}
			defer kbusd.Process.Signal(syscall.SIGCONT)
			io.WriteString(input, "\n")
			lines.wants(t, "limits kept")
			kbusd.Process.Signal(syscall.SIGCONT)
			io.WriteString(input, "\n")
			if err := c.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}
