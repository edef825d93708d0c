package process

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// An actor is a client process, this binary in a role. The test gives it cues, lines on its standard input; it answers
// with values on its standard output. It leaves when its input ends.
type actor struct {
	t       testing.TB
	d       *daemon
	name    string
	pid     int
	process *exec.Cmd
	cues    io.WriteCloser
	pipe    *os.File // what it says
	says    *gob.Decoder
	over    bool
}

// cast starts an actor. args are what its role expects.
func (d *daemon) cast(role string, args ...any) *actor {
	d.t.Helper()
	self, err := os.Executable()
	must(d.t, err)
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = fmt.Sprint(a)
	}
	name := role + " " + strings.Join(words, " ")
	a := &actor{t: d.t, d: d, name: name, process: exec.Command(self, words...)}
	a.process.Env = append(os.Environ(), roleVariable+"="+role, "KBUS_DIR="+d.dir, "KBUS_RINGS="+onOff(d.rings))
	a.process.Stderr = os.Stderr
	a.cues, err = a.process.StdinPipe()
	must(d.t, err)
	pipe, err := a.process.StdoutPipe()
	must(d.t, err)
	a.pipe = pipe.(*os.File)
	a.says = gob.NewDecoder(pipe)
	must(d.t, startProcess(a.process))
	a.pid = a.process.Process.Pid
	d.t.Cleanup(a.kill)
	return a
}

// cue tells the actor to go on.
func (a *actor) cue(line string) {
	a.t.Helper()
	if _, err := io.WriteString(a.cues, line+"\n"); err != nil {
		a.t.Fatalf("%s does not hear %q: %v", a.name, line, err)
	}
}

// hear waits for what the actor says next.
func hear[T any](a *actor) (said T) {
	a.t.Helper()
	must(a.t, a.pipe.SetReadDeadline(time.Now().Add(*patienceFlag)))
	switch err := a.says.Decode(&said); {
	case errors.Is(err, os.ErrDeadlineExceeded):
		a.t.Fatalf("%s says nothing. %s", a.name, a.d.describe())
	case err != nil:
		a.t.Fatalf("%s has left the stage: %v", a.name, err)
	}
	return said
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// ready is what an actor says when it has nothing to say but that.
type ready struct{ Ksock uint32 }

// kill is kill -9, and returns when the process is no more.
func (a *actor) kill() {
	if !a.over {
		a.over = true
		a.signal(syscall.SIGKILL)
		a.process.Wait()
	}
}

// dismiss has the actor leave by itself.
func (a *actor) dismiss() {
	a.t.Helper()
	a.over = true
	a.cues.Close()
	if err := a.process.Wait(); err != nil {
		a.t.Errorf("%s left with %v", a.name, err)
	}
}

func (a *actor) signal(s syscall.Signal) {
	a.t.Helper()
	must(a.t, syscall.Kill(a.pid, s))
}

// stop stops the process, and returns when it stands still.
func (a *actor) stop() {
	a.t.Helper()
	a.signal(unix.SIGSTOP)
	var how unix.WaitStatus
	for {
		_, err := unix.Wait4(a.pid, &how, unix.WUNTRACED, nil)
		if err == unix.EINTR {
			continue
		}
		must(a.t, err)
		if !how.Stopped() {
			a.t.Fatalf("%s did not stop: %x", a.name, how)
		}
		return
	}
}

// resume undoes stop.
func (a *actor) resume() {
	a.t.Helper()
	a.signal(syscall.SIGCONT)
}
