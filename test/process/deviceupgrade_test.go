package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/testing/descriptor"
	"kbus.example/kbus/message"
)

// A device goes on through upgrades like sockets do: what programs have open stays open, with all that it holds, and who calls
// meanwhile waits for the answer.

// withDevice is a daemon with a device.
type withDevice struct {
	*daemon
	flags []string
}

func startWithDevice(t *testing.T) *withDevice {
	t.Helper()
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil || os.Getuid() != 0 {
		t.Skip("devices need root and /dev/fuse: ", err)
	} else {
		f.Close()
	}
	dir := tempDir(t)
	t.Cleanup(func() { unix.Unmount(filepath.Join(dir, "bus0"), unix.MNT_DETACH) })
	flags := []string{"--device=fuse", "--device-link", filepath.Join(dir, "kbus")}
	return &withDevice{startDaemonIn(t, dir, flags...), flags}
}

func (d *withDevice) upgrade() {
	d.t.Helper()
	old := d.gone
	must(d.t, d.start(append([]string{daemonPath(d.t), "--log-level", "info", "--replace"}, d.flags...)...))
	<-old
}

func (d *withDevice) path() string { return filepath.Join(d.dir, "kbus0") }

func (d *withDevice) openDevice(flags int) descriptor.Descriptor {
	d.t.Helper()
	k, e := descriptor.Open(d.path(), flags)
	works(d.t, e)
	return k // closed with the process
}

func works(t testing.TB, e unix.Errno) {
	t.Helper()
	if e != 0 {
		t.Fatal(e)
	}
}

// TestDeviceUpgraded has something of every kind under way.
func TestDeviceUpgraded(t *testing.T) {
	d := startWithDevice(t)
	must(t, os.Chmod(d.path(), 0o640))
	closed := d.openDevice(unix.O_RDWR) // so handles are not in a row
	a, b, onlyReads := d.openDevice(unix.O_RDWR), d.openDevice(unix.O_RDWR), d.openDevice(unix.O_RDONLY)
	closed.Close()
	works(t, a.Bind("$.A", 0))
	works(t, b.Bind("$.Q", 1))
	report, err := os.Open(filepath.Join(d.dir, "bus0", "bindings"))
	must(t, err)
	defer report.Close()
	part := make([]byte, 5)
	_, err = report.Read(part)
	must(t, err)

	entire := message.AppendEntire(nil, &message.Header{}, []byte("$.A"), []byte("written in two halves"))
	_, e := b.Write(entire[:50])
	works(t, e)
	d.upgrade()
	_, e = b.Write(entire[50:])
	works(t, e)
	id, e := b.ID(file.IoctlSend)
	works(t, e)

	_, n, e := a.Next()
	works(t, e)
	got := make([]byte, n)
	_, e = a.Read(got[:40])
	works(t, e)
	d.upgrade()
	_, e = a.Read(got[40:])
	works(t, e)
	h, _, data, c := message.ParseEntire(got, n)
	if c != message.OK || string(data) != "written in two halves" || h.ID != id {
		t.Errorf("it is %v, %q", h.ID, data)
	}

	d.upgrade()
	rest := new(bytes.Buffer)
	_, err = rest.ReadFrom(report)
	if text := string(part) + rest.String(); err != nil || !strings.Contains(text, "$.A") || !strings.Contains(text, "$.Q") {
		t.Errorf("the report is %q, %v", text, err)
	}
	if info, err := os.Stat(d.path()); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the device is %v, %v", info, err)
	}
	if _, e := onlyReads.Write(entire); e == 0 {
		t.Error("a descriptor that is for reading can be written to")
	}

	woken := make(chan int16)
	go func() {
		ready, _ := a.Poll(unix.POLLIN, -1)
		woken <- ready
	}()
	k := d.open()
	d.upgrade() // perhaps before that polls, or after
	answers := make(chan error)
	go func() {
		m, err := k.Call(t.Context(), kbus.Request("$.Q", "?"))
		if err == nil && string(m.Data) != "!" {
			err = fmt.Errorf("the answer is %q", m.Data)
		}
		answers <- err
	}()
	if ready, err := b.Poll(unix.POLLIN, -1); err != nil || ready&unix.POLLIN == 0 {
		t.Fatal(ready, err)
	}
	asked, _, e := b.Receive()
	works(t, e)
	d.upgrade()
	reply := message.Header{InReplyTo: asked.ID, To: asked.From}
	_, e = b.Send(reply, asked.Name, "!")
	works(t, e)
	must(t, <-answers)
	_, err = k.Send(t.Context(), &kbus.Message{Name: "$.A"})
	must(t, err)
	if ready := <-woken; ready&unix.POLLIN == 0 {
		t.Errorf("who polls is told %x", ready)
	}

	last := d.openDevice(unix.O_RDWR) // and the device can be opened as before
	_, e = last.Send(message.Header{}, "$.A", "")
	works(t, e)
	for _, k := range []descriptor.Descriptor{a, b, onlyReads, last} { // it would wait for them
		k.Close()
	}
	k.Close()
	must(t, syscall.Kill(d.pid, syscall.SIGTERM))
	<-d.gone
	for _, name := range []string{"kbus0", "bus0"} {
		if _, err := os.Lstat(filepath.Join(d.dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left behind: %v", name, err)
		}
	}
}

// TestOrderThroughDeviceUpgraded: who sends and receives all the time has each message once, in order, while the daemon is
// upgraded; no call fails.
func TestOrderThroughDeviceUpgraded(t *testing.T) {
	d := startWithDevice(t)
	k := d.openDevice(unix.O_RDWR)
	works(t, k.Bind("$.A", 0))
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		stopped <- func() error {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return nil
				default:
				}
				if _, e := k.Send(message.Header{}, "$.A", fmt.Sprint(i)); e != 0 {
					return fmt.Errorf("message %d cannot be sent: %w", i, e)
				}
				if ready, err := k.Poll(unix.POLLIN, -1); err != nil || ready&unix.POLLIN == 0 {
					return fmt.Errorf("poll: %x, %w", ready, err)
				}
				m, ok, e := k.Receive()
				if e != 0 || !ok || string(m.Data) != fmt.Sprint(i) || m.ID.Serial != uint32(i+1) {
					return fmt.Errorf("message %d is %v, %v, %w", i, &m, ok, e)
				}
			}
		}()
	}()
	for range *upgradesFlag {
		d.upgrade()
	}
	close(stop)
	must(t, <-stopped)
}

// TestDeviceAndKilledDaemon: if the old daemon dies before it has said go, that is the death of the daemon, for the device too; and
// the next one has it anew. After that its death changes nothing.
func TestDeviceAndKilledDaemon(t *testing.T) {
	d := startWithDevice(t)
	for words := hello; words <= goOn; words++ {
		k := d.openDevice(unix.O_RDWR)
		works(t, k.Bind("$.A", 0))
		between, successor := d.beginUpgrade()
		between.pass(words)
		d.kill()
		between.close()
		between.accepts.Close()
		if words == goOn {
			_, e := k.Send(message.Header{}, "$.A", "")
			works(t, e)
			must(t, syscall.Kill(successor.Process.Pid, syscall.SIGKILL))
			successor.Wait()
			return
		}
		successor.Wait()
		if _, e := k.Send(message.Header{}, "$.A", ""); e != unix.ENOTCONN {
			t.Errorf("after the death at word %d: %v", words, e)
		}
		k.Close()
		must(t, d.start(append([]string{daemonPath(t), "--log-level", "info"}, d.flags...)...))
	}
}

// beginUpgrade starts a process that wants to take over, and whose words go through the test.
func (d *withDevice) beginUpgrade() (*middle, *exec.Cmd) {
	d.t.Helper()
	between := stepBetween(d.t, d.dir)
	successor := exec.Command(daemonPath(d.t), append([]string{"--dir", d.dir, "--log-level", "error", "--replace"}, d.flags...)...)
	successor.Stderr = d.log
	must(d.t, startProcess(successor))
	return between, successor
}

// killSuccessor has another process take over, and kills it before that word of the hand-over is passed on.
func (d *withDevice) killSuccessor(word int) {
	d.t.Helper()
	between, successor := d.beginUpgrade()
	between.pass(word - 1)
	_, rights, _ := between.take()
	for _, fd := range rights {
		unix.Close(fd)
	}
	syscall.Kill(successor.Process.Pid, syscall.SIGKILL)
	successor.Wait()
	between.close()
	between.accepts.Close()
	must(d.t, os.Rename(filepath.Join(d.dir, "kbusd.ctl0"), filepath.Join(d.dir, "kbusd.ctl")))
}

// TestDeviceAndKilledSuccessor: if who takes over dies in the middle, the device is that of the old daemon as before.
func TestDeviceAndKilledSuccessor(t *testing.T) {
	d := startWithDevice(t)
	k := d.openDevice(unix.O_RDWR)
	works(t, k.Bind("$.A", 0))
	for words := hello; words <= readyToGo; words++ {
		_, e := k.Send(message.Header{}, "$.A", fmt.Sprint(words))
		works(t, e)
		d.killSuccessor(words)
		m, ok, e := k.Receive()
		if e != 0 || !ok || string(m.Data) != fmt.Sprint(words) {
			t.Errorf("after the death at word %d: %v, %v, %v", words, &m, ok, e)
		}
		if _, err := os.Stat(d.path()); err != nil {
			t.Errorf("after the death at word %d: %v", words, err)
		}
	}
	d.upgrade()
	_, e := k.Send(message.Header{}, "$.A", "")
	works(t, e)
}
