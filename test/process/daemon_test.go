package process

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/programs"
)

// A daemon is ready when it says so, in the way it says so to systemd.
type daemon struct {
	t       testing.TB
	dir     string
	rings   bool // whether its actors use shared memory
	pid     int
	process *exec.Cmd
	log     *os.File      // what all processes of it have said
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
	log, err := os.CreateTemp("", "kbusd-log")
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, dir: dir, log: log}
	t.Cleanup(func() {
		d.kill()
		if said, _ := os.ReadFile(log.Name()); t.Failed() && len(said) > 0 {
			t.Logf("the daemon said:\n%s", said)
		}
		log.Close()
		os.Remove(log.Name())
	})
	if err := d.start(command...); err != nil {
		t.Fatal(err)
	}
	return d
}

// start starts a process of the daemon, and returns when it is ready.
func (d *daemon) start(command ...string) error {
	notes, err := programs.NewReady(d.dir)
	if err != nil {
		return err
	}
	defer notes.Close()
	process, gone := exec.Command(command[0], command[1:]...), make(chan struct{})
	process.Env = append(os.Environ(), "KBUS_DIR="+d.dir, notes.Variable())
	process.Stderr = d.log
	d.born = time.Now()
	if err := startProcess(process); err != nil {
		return err
	}
	go func() {
		process.Wait()
		notes.Close()
		close(gone)
	}()
	if err := notes.Await(0); err != nil {
		return err
	}
	d.process, d.pid, d.gone = process, process.Process.Pid, gone
	return nil
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
	if d.process == nil {
		return
	}
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
	k, err := kbus.Open(d.t.Context(), 0, append(opts, kbus.Dir(d.dir), kbus.Rings(d.rings))...)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { k.Close() })
	return k
}

func (d *daemon) observe() *kbus.Observer {
	d.t.Helper()
	o, err := kbus.Observe(d.t.Context(), 0, kbus.Dir(d.dir))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { o.Close() })
	return o
}
