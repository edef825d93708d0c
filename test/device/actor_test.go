package device

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/testing/descriptor"
)

// An actor is another process, in a role. It is cued by lines and answers each with a number, an errno or a message.

type actor struct {
	t       testing.TB
	process *exec.Cmd
	cues    io.Writer
	says    *json.Decoder
}

// part is an actor from inside.
type part struct {
	lines *bufio.Scanner
}

// cast starts an actor. Files become its descriptors 3 and up.
func cast(t testing.TB, role string, attr *syscall.SysProcAttr, files ...*os.File) *actor {
	t.Helper()
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), roleVariable+"="+role)
	c.Stderr, c.ExtraFiles = os.Stderr, files
	if attr == nil {
		attr = &syscall.SysProcAttr{}
	}
	attr.Pdeathsig = syscall.SIGKILL
	c.SysProcAttr = attr
	cues, err := c.StdinPipe()
	must(t, err)
	says, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	a := &actor{t, c, cues, json.NewDecoder(says)}
	t.Cleanup(a.kill)
	return a
}

// ask cues the actor and gives what it says.
func (a *actor) ask(format string, args ...any) (said int) {
	a.t.Helper()
	_, err := fmt.Fprintf(a.cues, format+"\n", args...)
	must(a.t, err)
	must(a.t, a.says.Decode(&said))
	return said
}

// kill is kill -9, and returns when the process is no more.
func (a *actor) kill() {
	if a.process.ProcessState == nil {
		a.process.Process.Kill()
		a.process.Wait()
	}
}

func perform(role func(*part)) {
	role(&part{bufio.NewScanner(os.Stdin)})
	os.Exit(0)
}

// cue waits for the next cue; "" at the end.
func (p *part) cue() (word, rest string) {
	if !p.lines.Scan() {
		os.Exit(0)
	}
	fmt.Sscanf(p.lines.Text(), "%s %s", &word, &rest)
	return word, rest
}

func (p *part) say(n int) { fmt.Println(n) }

// opener opens what it is told, and says the errno. It closes it again.
func opener(p *part) {
	for {
		_, path := p.cue()
		d, errno := descriptor.Open(path, unix.O_RDWR)
		p.say(int(errno))
		if errno == 0 {
			d.Close()
		}
	}
}

// holder opens a device and does what it is told with it.
func holder(p *part) {
	var d descriptor.Descriptor
	for {
		switch word, arg := p.cue(); word {
		case "open":
			var errno unix.Errno
			d, errno = descriptor.Open(arg, unix.O_RDWR)
			p.say(int(errno))
		case "use": // a descriptor that was inherited
			d = 3
			p.say(0)
		case "take": // one that comes through a socket, which is descriptor 3
			d = receiveDescriptor(3)
			p.say(0)
		case "bind":
			p.say(int(d.Bind(arg, 1)))
		case "next":
			_, n, errno := d.Next()
			p.say(int(n) - int(errno))
		case "poll": // until there is something
			ready, _ := d.Poll(unix.POLLIN, -1)
			p.say(int(ready))
		case "close":
			d.Close()
			p.say(0)
		}
	}
}

// heir holds descriptors that it inherits, and never looks at them.
func heir(p *part) {
	for {
		p.cue()
		p.say(0)
	}
}

func receiveDescriptor(socket int) descriptor.Descriptor {
	control := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(socket, make([]byte, 1), control, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		panic(err)
	}
	all, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil {
		panic(err)
	}
	fds, err := unix.ParseUnixRights(&all[0])
	if err != nil {
		panic(err)
	}
	return descriptor.Descriptor(fds[0])
}
