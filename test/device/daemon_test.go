package device

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/descriptor"
	"kbus.example/kbus/internal/testing/programs"
)

var (
	built string

	buildDaemon = sync.OnceValues(func() (path string, err error) {
		if path = os.Getenv(kbusdPath); path != "" {
			return path, nil
		}
		if built, err = os.MkdirTemp("", "kbus"); err != nil {
			return "", err
		}
		path = filepath.Join(built, "kbusd")
		return path, programs.Build(built, "kbusd")
	})
)

// daemon is a kbusd with devices, ready when it says so.
type daemon struct {
	t       testing.TB
	dir     string // of its sockets and mounts
	link    string // prefix of its devices
	process *exec.Cmd
	log     bytes.Buffer
	gone    chan struct{}
}

func start(t testing.TB, flags ...string) *daemon {
	t.Helper()
	return startIn(t, tempDir(t), flags...)
}

// startIn starts one in a directory where another may have been.
func startIn(t testing.TB, dir string, flags ...string) *daemon {
	t.Helper()
	d := command(t, dir, flags...)
	notes, err := programs.NewReady(dir)
	must(t, err)
	defer notes.Close()
	d.process.Env = append(os.Environ(), notes.Variable())
	must(t, d.process.Start())
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
	if err := notes.Await(0); err != nil {
		t.Fatal(err)
	}
	return d
}

// command is a daemon that has not been started.
func command(t testing.TB, dir string, flags ...string) *daemon {
	t.Helper()
	if missing := whatIsMissing(); missing != "" {
		t.Skip(missing)
	}
	path, err := buildDaemon()
	must(t, err)
	d := &daemon{t: t, dir: dir, link: filepath.Join(dir, "kbus"), gone: make(chan struct{})}
	if kind() == "cuse" {
		d.link = "/dev/kbus"
	}
	d.process = exec.Command(path, append([]string{
		"--dir", dir, "--device=" + kind(), "--device-link", d.link, "--log-level", "warn"}, flags...)...)
	d.process.Stderr = &d.log
	return d
}

func tempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "kbus")
	must(t, err)
	must(t, os.Chmod(dir, 0o755))
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// kill is kill -9, and returns when the daemon is no more. What it leaves is swept, so that directories can go.
func (d *daemon) kill() {
	select {
	case <-d.gone:
		return
	default:
	}
	d.process.Process.Kill()
	<-d.gone
	mounts, _ := filepath.Glob(filepath.Join(d.dir, "bus[0-9]*"))
	for _, m := range mounts {
		unix.Unmount(m, unix.MNT_DETACH)
	}
}

// murder is kill -9 and nothing else.
func (d *daemon) murder() {
	d.process.Process.Kill()
	<-d.gone
}

// stop is a stop in order.
func (d *daemon) stop() {
	d.t.Helper()
	must(d.t, d.process.Process.Signal(syscall.SIGTERM))
	<-d.gone
	if code := d.process.ProcessState.ExitCode(); code != 0 {
		d.t.Fatalf("kbusd ended with %d", code)
	}
}

func (d *daemon) path(bus int) string { return fmt.Sprint(d.link, bus) }

// open opens device 0; the test closes what it leaves open.
func (d *daemon) open(flags int) descriptor.Descriptor {
	d.t.Helper()
	k, errno := descriptor.Open(d.path(0), flags)
	ok(d.t, errno)
	return k
}

// rw opens it for both, and closes it at the end.
func (d *daemon) rw() descriptor.Descriptor {
	d.t.Helper()
	k := d.open(unix.O_RDWR)
	d.t.Cleanup(func() { k.Close() })
	return k
}

// socket is a Ksock on bus 0 through its socket.
func (d *daemon) socket(rings bool) *kbus.Ksock {
	d.t.Helper()
	k, err := kbus.Open(d.t.Context(), 0, kbus.Dir(d.dir), kbus.Rings(rings))
	must(d.t, err)
	d.t.Cleanup(func() { k.Close() })
	return k
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ok(t testing.TB, errno unix.Errno) {
	t.Helper()
	if errno != 0 {
		t.Fatal(errno)
	}
}

func want(t testing.TB, got, want unix.Errno) {
	t.Helper()
	if got != want {
		t.Fatalf("got %d (%v), want %d (%v)", got, got, want, want)
	}
}
