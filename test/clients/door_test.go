package clients

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// door is a client library, and how its rules are reached.
type door struct {
	name      string
	command   []string         // that drives it; nil: this process
	build     []string         // what makes that
	needs     string           // the program that building or starting it needs
	aside     map[wire.Op]bool // what it asks for reasons of its own, that are answered without a word in the script
	mute      bool             // it has an errno and no text
	rings     bool             // the bus grants it rings; its scripts are those in testdata/rings
	uncounted bool             // it does not tell how many a message has reached
	like      string           // another door, of which all that scripts say is said of this one too
	cancels   bool             // its operations are given up from without; the others give up by themselves
	web       bool             // it comes through a WebSocket
	path      string           // of the bus's socket
	address   string           // what it opens, if that is not the path
	process   *process         // nil: none has begun
}

// doors. The compatible functions of C keep the descriptor readable while a message waits.
func doors() []*door {
	python := filepath.Join("test", "clients", "python", "driver.py")
	made := filepath.Join("bindings", "c", "build", "clients-driver")
	build := []string{"make", "-s", "-C", "bindings/c", "clients"}
	readable := map[wire.Op]bool{wire.OpWaitReadable: true, wire.OpReset: true}
	return []*door{
		{name: "go"},
		{name: "compatible", command: []string{made, "compatible"}, build: build, needs: "gcc", aside: readable, mute: true, uncounted: true},
		{name: "modern", command: []string{made, "modern"}, build: build, needs: "gcc"},
		{name: "go-rings", rings: true},
		{name: "modern-rings", command: []string{made, "modern-rings"}, build: build, needs: "gcc", rings: true},
		{name: "python", command: []string{"python3", python, "blocking"}, needs: "python3"},
		{name: "asyncio", command: []string{"python3", python, "asyncio"}, needs: "python3", cancels: true},
		{name: "javascript", command: []string{"node", filepath.Join("bindings", "js", "driver", "clients.js")}, needs: "node", like: "asyncio", cancels: true},
		{name: "javascript-web", command: []string{"node", filepath.Join("bindings", "js", "driver", "clients.js")}, needs: "node", like: "asyncio", cancels: true, web: true},
	}
}

// client is a door that has been opened.
type client interface {
	perform(operation)
	ended() <-chan string // a line for each operation: its label, and what became of it
	said() string         // what it has said beside that, for people
}

// limitMS is how long an operation with a limit waits. Nothing depends on it but how long the test takes.
const limitMS = 50

// operation is one of the program's.
type operation struct {
	label, verb string
	argument    string // a name, a path, a directory or a number
	message     message.Message
	timeout     int // milliseconds; -1: none
	keep        bool
	words       []string
}

// read takes the words apart.
func (o *operation) read(p *player) {
	m, isMessage := messageOf(p, o.words)
	if o.verb == "call" {
		m.Flags |= message.WantAReply
	}
	switch o.message = m; {
	case isMessage:
		o.argument = m.Name
	case o.verb == "open" && len(o.words) == 0:
		o.argument = cmp.Or(p.door.address, p.door.path)
	case len(o.words) > 0:
		o.argument = o.words[0]
	default:
		o.argument = "-"
	}
}

// line is the operation for a driver.
func (o *operation) line() string {
	m, data, keep := &o.message, "-", 0
	if len(m.Data) > 0 {
		data = fmt.Sprintf("%x", m.Data)
	}
	if o.keep {
		keep = 1
	}
	return fmt.Sprintf("%s %s %s %d %d %d:%d %s %d %d\n", o.label, o.verb, o.argument, m.Flags, m.To, m.InReplyTo.Network,
		m.InReplyTo.Serial, data, o.timeout, keep)
}

// start opens the door. A process plays one script after the other, for as long as none has failed.
func (d *door) start(t *testing.T) client {
	if d.command == nil {
		return newLibrary(t, d.rings)
	}
	if d.process == nil {
		d.process = begin(t, d)
	}
	t.Cleanup(func() {
		if t.Failed() {
			d.end(t)
		}
	})
	return d.process
}

// end ends the process, if there is one.
func (d *door) end(t *testing.T) {
	if d.process == nil {
		return
	}
	if err := d.process.end(); err != nil && !t.Failed() {
		t.Errorf("%s ends badly: %v\n%s", d.name, err, d.process.said())
	}
	d.process = nil
}

// process is a client that is driven by lines.
type process struct {
	cancels bool
	command *exec.Cmd
	in      io.WriteCloser
	lines   chan string // closed at the end
	read    chan struct{}
	errors  buffer
}

func begin(t *testing.T, d *door) *process {
	c := exec.Command(d.command[0], d.command[1:]...)
	c.Dir = root
	c.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(root, "bindings", "python"), "PYTHONDONTWRITEBYTECODE=1", "KBUS_RINGS="+map[bool]string{true: "on", false: "off"}[d.rings])
	if strings.Contains(d.command[0], "/") {
		c.Path = filepath.Join(root, d.command[0])
	}
	p := &process{cancels: d.cancels, command: c, lines: make(chan string, 1024), read: make(chan struct{})}
	c.Stderr = &p.errors
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p.in = in
	go func() {
		defer close(p.read)
		defer close(p.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.lines <- lines.Text()
		}
	}()
	return p
}

// end has it end, and kills it if it does not.
func (p *process) end() error {
	p.in.Close()
	timer := time.AfterFunc(*patience, func() { p.command.Process.Kill() })
	defer timer.Stop()
	<-p.read
	return p.command.Wait()
}

func (p *process) perform(o operation) {
	if o.verb != "giveup" || p.cancels {
		io.WriteString(p.in, o.line())
	}
}

func (p *process) ended() <-chan string { return p.lines }

func (p *process) said() string { return p.errors.String() }

// buffer is what a process says to people.
type buffer struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.String()
}
