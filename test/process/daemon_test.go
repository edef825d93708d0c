package process

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kbus"
)

// A daemon is ready when it says so, in the way it says so to systemd.
type daemon struct {
	t       testing.TB
	dir     string
	rings   bool // whether its actors use shared memory
	pid     int
	process *exec.Cmd
	log     bytes.Buffer
	born    time.Time     // when it was about to be started
	gone    chan struct{} // closed when it has ended
}

// startDaemon starts one in a directory of its own.
func startDaemon(t testing.TB, flags ...string) *daemon {
	t.Helper()
	return startDaemonIn(t, tempDir(t), flags...)
}

// startDaemonIn starts one in a directory where another may have been killed.
func startDaemonIn(t testing.TB, dir string, flags ...string) *daemon {
	t.Helper()
	path := daemonPath(t)
	return startDaemonAs(t, dir, append([]string{path, "--log-level", "error"}, flags...)...)
}

// startDaemonAs starts one with a whole command line.
func startDaemonAs(t testing.TB, dir string, command ...string) *daemon {
	t.Helper()
	notes, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "ready"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(notes.LocalAddr().String())
	defer notes.Close()

	d := &daemon{t: t, dir: dir, process: exec.Command(command[0], command[1:]...), gone: make(chan struct{})}
	d.process.Env = append(os.Environ(), "KBUS_DIR="+dir, "NOTIFY_SOCKET="+notes.LocalAddr().String())
	d.process.Stderr = &d.log
	d.born = time.Now()
	if err := startProcess(d.process); err != nil {
		t.Fatal(err)
	}
	d.pid = d.process.Process.Pid
	go func() {
		d.process.Wait()
		notes.Close()
		close(d.gone)
	}()
	t.Cleanup(func() {
		d.kill()
		if t.Failed() && d.log.Len() > 0 {
			t.Logf("the daemon said:\n%s", d.log.String())
		}
	})
	for note := make([]byte, 1000); ; {
		n, err := notes.Read(note)
		if err != nil {
			t.Fatalf("the daemon does not start: %v", err)
		}
		if strings.Contains(string(note[:n]), "READY=1") {
			return d
		}
	}
}

// tempDir is short: the path of a socket may have 107 bytes.
func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "kbus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// kill is kill -9, and returns when the daemon is no more.
func (d *daemon) kill() {
	select {
	case <-d.gone:
	default:
		syscall.Kill(d.pid, syscall.SIGKILL)
		<-d.gone
	}
}

// open opens a Ksock from the process of the test.
func (d *daemon) open(opts ...kbus.Option) *kbus.Ksock {
	d.t.Helper()
	k, err := kbus.Open(0, append(opts, kbus.Dir(d.dir), kbus.Rings(d.rings))...)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { k.Close() })
	return k
}

func (d *daemon) observe() *kbus.Observer {
	d.t.Helper()
	o, err := kbus.Observe(0, kbus.Dir(d.dir))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { o.Close() })
	return o
}
