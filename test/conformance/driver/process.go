// Package driver plays the conformance table through front ends in other languages. Each language has a small program,
// the driver, that reads one command per line and writes exactly one line of answer:
//
//	open 0 0 rw        ->  0 1          errno, id of the Ksock
//	bind 0 242e41 1    ->  0
//	send 0             ->  0 0 7        errno, network, serial
//
// Words are separated by one space; bytes are lower-case hexadecimal, "-" for none; numbers are decimal; an errno of 0
// is success; the number behind a command is a handle, given out by us and never used twice. ksock.go has all commands.
//
// A driver is a foreign program that may be wrong in any way. One that dies, hangs, says too much or something that is
// no answer is broken, and a Breakdown says so with the command and what it wrote to standard error.
package driver

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// mostAnswerBytes has room for the longest message in hexadecimal.
const mostAnswerBytes = 4 << 20

// usualAnswerBytes has room for most; a machine of 32 bits has no addresses for the longest of each driver of a run.
const usualAnswerBytes = 64 << 10

// Patience is how long a driver may take for one answer. It is there to end a hang, and decides nothing else.
const Patience = 20 * time.Second

// Process is a running driver. It is not safe for concurrent use.
type Process struct {
	command  *exec.Cmd
	patience time.Duration
	in       *os.File
	out      *os.File
	answers  *bufio.Reader
	said     tail // on standard error
	asked    int  // commands so far
	handles  int  // given out so far
}

// Breakdown is a driver that is of no use any more.
type Breakdown struct {
	Line    int    // which command it was, from 1
	Command string // the command
	Fault   string // what is wrong
	Said    string // the end of standard error
}

// Error is one line, and behind it what the driver said.
func (b *Breakdown) Error() string {
	text := fmt.Sprintf("the driver %s, at its line %d: %s", b.Fault, b.Line, b.Command)
	if b.Said != "" {
		text += "\nit said: " + b.Said
	}
	return text
}

// Start starts a driver with that command line, in a directory, and in our environment and env.
func Start(command []string, dir string, env []string, patience time.Duration) (*Process, error) {
	p := &Process{command: exec.Command(command[0], command[1:]...), patience: patience}
	theirIn, ourIn, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close()
	ourOut, theirOut, err := os.Pipe()
	if err != nil {
		ourIn.Close()
		return nil, err
	}
	defer theirOut.Close()
	p.in, p.out, p.answers = ourIn, ourOut, bufio.NewReaderSize(ourOut, usualAnswerBytes)
	p.command.Stdin, p.command.Stdout, p.command.Stderr = theirIn, theirOut, &p.said
	p.command.Dir = dir
	p.command.Env = append(os.Environ(), env...)
	p.command.WaitDelay = patience // for children that keep standard error open
	if err := p.command.Start(); err != nil {
		ourIn.Close()
		ourOut.Close()
		return nil, err
	}
	return p, nil
}

// Ask gives a command and waits for the words of its answer. After a Breakdown the Process can only be killed.
func (p *Process) Ask(command string) (words []string, err error) {
	p.asked++
	broken := func(fault string) ([]string, error) {
		p.Kill() // so that all of what it said is there
		return nil, &Breakdown{p.asked, abridged(command), fault, p.said.String()}
	}
	if p.answers.Buffered() > 0 {
		return broken("wrote more than one line of answer to the command before")
	}
	hangs := time.Now().Add(p.patience)
	p.in.SetDeadline(hangs)
	p.out.SetDeadline(hangs)
	if _, err := io.WriteString(p.in, command+"\n"); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return broken("has ended, " + p.ending())
	}
	line, err := p.line()
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return broken(fmt.Sprintf("answers with more than %d bytes", mostAnswerBytes))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return broken(fmt.Sprintf("hangs (for %v)", p.patience))
	case err != nil:
		return broken("has ended, " + p.ending())
	}
	return strings.Split(string(line[:len(line)-1]), " "), nil
}

// line reads one line, which is good until the next; ErrBufferFull if it is too long.
func (p *Process) line() (line []byte, err error) {
	for len(line) <= mostAnswerBytes {
		piece, err := p.answers.ReadSlice('\n')
		if line == nil && !errors.Is(err, bufio.ErrBufferFull) {
			return piece, err
		}
		if line = append(line, piece...); !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
	return nil, bufio.ErrBufferFull
}

// Broken is the Breakdown of a driver that has answered, but not with an answer to that command.
func (p *Process) Broken(command string, words []string) error {
	p.Kill()
	fault := fmt.Sprintf("gives no answer but %q", abridged(strings.Join(words, " ")))
	return &Breakdown{p.asked, abridged(command), fault, p.said.String()}
}

// ending tells how a process ended that has closed its output.
func (p *Process) ending() string {
	p.Kill()
	return p.command.ProcessState.String()
}

// Lives reports whether it has not been killed.
func (p *Process) Lives() bool { return p.command.ProcessState == nil }

// Kill ends the process at once, and returns when it is gone. A process that has ended stays as it is.
func (p *Process) Kill() {
	if !p.Lives() {
		return
	}
	p.in.Close()
	p.command.Process.Kill()
	_ = p.command.Wait() // how it ended is in ProcessState
	p.out.Close()
}

// End lets the driver end by itself, and tells if it does not do so in order.
func (p *Process) End() error {
	words, err := p.Ask("end")
	if err != nil {
		return err
	}
	if len(words) != 1 || words[0] != "0" {
		return p.Broken("end", words)
	}
	p.in.Close()
	timer := time.AfterFunc(p.patience, func() { p.command.Process.Kill() })
	defer timer.Stop()
	err = p.command.Wait()
	p.out.Close()
	if err != nil {
		return &Breakdown{p.asked, "end", "ends badly: " + err.Error(), p.said.String()}
	}
	return nil
}

// abridged is a command that may carry a long message.
func abridged(line string) string {
	if len(line) > 200 {
		return fmt.Sprintf("%s... (%d bytes)", line[:200], len(line))
	}
	return line
}

// tail keeps the end of what is written to it.
type tail struct {
	mutex sync.Mutex
	bytes []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.bytes = append(t.bytes, b...)
	if extra := len(t.bytes) - tailBytes; extra > 0 {
		t.bytes = t.bytes[extra:]
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return string(bytes.TrimSpace(t.bytes))
}
