package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/handover"
)

// A daemon that cannot take over says why and ends with status 1, and the one that runs goes on as if nothing had been.

// formed is a daemon that writes one form of the state, and reads from another on.
func formed(t *testing.T, writes, reads int) string {
	t.Helper()
	daemonPath(t) // makes the directory
	path := filepath.Join(builtDir, fmt.Sprintf("kbusd-%d-%d", writes, reads))
	if _, err := os.Stat(path); err != nil {
		const variable = "-X kbus.example/kbus/internal/handover."
		must(t, build(path, fmt.Sprintf("-s -w %swrites=%d %sreads=%d", variable, writes, variable, reads)))
	}
	return path
}

// conversation is a Ksock that has something queued, which must be there whatever happens to the daemon.
type conversation struct {
	t *testing.T
	k *kbus.Ksock
	n int
}

func (d *daemon) conversation(t *testing.T) *conversation {
	c := &conversation{t: t, k: d.open()}
	must(t, c.k.Bind(t.Context(), "$.A", kbus.Listener))
	c.send()
	return c
}

func (c *conversation) send() {
	c.t.Helper()
	c.n++
	_, err := c.k.Send(c.t.Context(), &kbus.Message{Name: "$.A", Data: fmt.Append(nil, c.n)})
	must(c.t, err)
}

// goesOn checks that the message is there, and puts another in its place.
func (c *conversation) goesOn() {
	c.t.Helper()
	c.send()
	m, err := c.k.Receive(c.t.Context())
	must(c.t, err)
	if want := fmt.Sprint(c.n - 1); string(m.Data) != want {
		c.t.Errorf("heard %q, want %q", m.Data, want)
	}
}

// refuse runs a daemon that is to take over and cannot.
func (d *daemon) refuse(t *testing.T, says string, command ...string) {
	t.Helper()
	p := exec.Command(command[0], command[1:]...)
	p.Env = append(os.Environ(), "KBUS_DIR="+d.dir)
	var said bytes.Buffer
	p.Stderr = &said
	must(t, startProcess(p))
	err := p.Wait()
	if p.ProcessState.ExitCode() != 1 || !strings.Contains(said.String(), says) {
		t.Errorf("%v: %v, and it says %q, not %q", command, err, said.String(), says)
	}
}

func TestRefusedUpgrades(t *testing.T) {
	onBoth(t, func(t *testing.T, rings bool) {
		d := startDaemon(t)
		d.rings = rings
		talk := d.conversation(t)
		kbusd := daemonPath(t)
		form, _ := handover.Forms()
		for _, c := range []struct {
			says    string
			command []string
		}{
			{"--buses: buses is 2, and in the daemon that runs 1", []string{kbusd, "--replace", "--buses", "2"}},
			{"rings", []string{kbusd, "--replace", "--rings", "64KiB"}},
			{fmt.Sprintf("reads the state of a daemon in forms %d to %[1]d, and that of this one is form %d", form+1, form),
				[]string{formed(t, form+1, form+1), "--replace"}},
			{"no kbusd that can be replaced", []string{kbusd, "--replace", "--dir", t.TempDir()}},
			{"another kbusd serves this directory", []string{kbusd}},
			{"not", []string{"/bin/sh", "-c", "ulimit -n 10; exec " + kbusd + " --replace"}},
		} {
			d.refuse(t, c.says, c.command...)
			talk.goesOn()
		}
		must(t, d.upgrade())
		talk.goesOn()
	})
}

// TestForms: a daemon of a later form takes over from one of the form before, and not the other way round.
func TestForms(t *testing.T) {
	d := startDaemon(t)
	talk := d.conversation(t)
	old := d.gone
	form, oldest := handover.Forms()
	must(t, d.start(formed(t, form+1, form), "--log-level", "error", "--replace"))
	<-old
	talk.goesOn()
	d.refuse(t, fmt.Sprintf("reads the state of a daemon in forms %d to %d, and that of this one is form %d", oldest, form, form+1), daemonPath(t), "--replace")
	talk.goesOn()
}

// TestSilentSuccessor: one that says nothing is killed after a while.
func TestSilentSuccessor(t *testing.T) {
	d := startDaemon(t)
	talk := d.conversation(t)
	silent := exec.Command("python3", "-c", `import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
time.sleep(1e6)`, filepath.Join(d.dir, "kbusd.ctl"))
	must(t, startProcess(silent))
	silent.Wait()
	if s, ok := silent.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
		t.Errorf("it has ended with %v", silent.ProcessState)
	}
	talk.goesOn()
}
