package kbus_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/programs"
)

// The daemon of these tests is the real one, as a process: it can be killed.

var daemonDir string // "" until it is built

var buildDaemon = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kbusd")
	if err != nil {
		return "", err
	}
	daemonDir = dir
	path := filepath.Join(dir, "kbusd")
	return path, programs.Build(dir, "kbusd")
})

func TestMain(m *testing.M) {
	if os.Getenv(parentVariable) != "" {
		beParent()
	}
	code := m.Run()
	if daemonDir != "" {
		os.RemoveAll(daemonDir)
	}
	os.Exit(code)
}

type daemon struct {
	dir     string
	process *exec.Cmd
	over    sync.Once
}

// startDaemon returns when the daemon has said that it is ready, in the way it says so to systemd.
func startDaemon(t testing.TB, dir string) *daemon {
	t.Helper()
	path, err := buildDaemon()
	if err != nil {
		t.Fatal(err)
	}
	notes, err := programs.NewReady(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer notes.Close()
	d := &daemon{dir: dir, process: exec.Command(path, "--dir", dir, "--log-level", "error")}
	d.process.Env = append(os.Environ(), notes.Variable())
	d.process.Stderr = os.Stderr
	if err := startWithUs(d.process); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.kill)
	if err := notes.Await(0); err != nil {
		t.Fatal(err)
	}
	return d
}

// kill ends the daemon as nothing but kill -9 can.
func (d *daemon) kill() {
	d.over.Do(func() {
		d.signal(syscall.SIGKILL)
		d.process.Wait()
	})
}

func (d *daemon) signal(s syscall.Signal) { d.process.Process.Signal(s) }

// stop has the daemon stand still, and returns when it does.
func (d *daemon) stop(t testing.TB) {
	d.signal(syscall.SIGSTOP)
	var status syscall.WaitStatus
	for !status.Stopped() {
		_, err := syscall.Wait4(d.process.Process.Pid, &status, syscall.WUNTRACED, nil)
		if err != nil && err != syscall.EINTR {
			t.Fatal(err)
		}
	}
}

// goOn undoes stop.
func (d *daemon) goOn() { d.signal(syscall.SIGCONT) }

func (d *daemon) open(opts ...kbus.Option) (*kbus.Ksock, error) {
	return kbus.Open(context.Background(), 0, append(opts, kbus.Dir(d.dir))...)
}

func (d *daemon) observe() (*kbus.Observer, error) {
	return kbus.Observe(context.Background(), 0, kbus.Dir(d.dir))
}

// startWithUs starts a process that ends when this one does, however that ends. The kernel sees to it when the thread
// that started it is gone, so that is a thread which stays.
func startWithUs(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	starter() <- cmd
	return <-started
}

var (
	started = make(chan error)
	starter = sync.OnceValue(func() chan<- *exec.Cmd {
		commands := make(chan *exec.Cmd)
		go func() {
			runtime.LockOSThread()
			for cmd := range commands {
				started <- cmd.Start()
			}
		}()
		return commands
	})
)
