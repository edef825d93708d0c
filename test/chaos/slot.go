package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// slot is an actor's place, which the next one of its kind takes after each death.
type slot struct {
	stage  *stage
	door   door
	own    int
	chance *rand.Rand

	sync.Mutex
	now *acting // who has it; nil: nobody
}

// acting is one who plays.
type acting struct {
	process *exec.Cmd
	lines   atomic.Int64
	done    atomic.Bool // it has all answers
	over    atomic.Bool // it has ended, or was dismissed
	killed  atomic.Bool // by the hand of chance
}

func (a *slot) play() {
	for a.live() {
	}
}

// owes reports whether the one who plays still waits for answers. The command line asks nothing.
func (a *slot) owes() bool {
	a.Lock()
	defer a.Unlock()
	return a.now != nil && !a.now.done.Load() && a.door.name != "command line"
}

// dismiss ends the play for who has the slot.
func (a *slot) dismiss() {
	defer a.stage.tell()
	a.Lock()
	defer a.Unlock()
	if a.now != nil {
		a.now.over.Store(true)
		a.now.process.Process.Signal(syscall.SIGKILL)
	}
}

func (a *slot) take(now *acting) {
	defer a.stage.tell()
	a.Lock()
	defer a.Unlock()
	a.now = now
}

// live is one life: until it is killed, or the bus is, or the play comes to its end. It reports whether there is another.
func (a *slot) live() bool {
	s := a.stage
	s.daemon.RLock()
	if s.finishes.Load() {
		s.daemon.RUnlock()
		return false
	}
	l := &life{door: a.door.name, bus: s.bus, keeps: !a.door.deaf, asked: map[string]int{}}
	argv := a.door.command(s, fmt.Sprint(a.own), fmt.Sprint(a.chance.Uint32()>>1))
	c := exec.Command(argv[0], argv[1:]...)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, _ := c.StdinPipe()
	out, _ := c.StdoutPipe()
	var words strings.Builder
	c.Stderr = &limited{b: &words}
	if err := c.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		s.clear()
		os.Exit(1)
	}
	now := &acting{process: c}
	a.take(now)
	s.playing.Add(1)
	defer s.playing.Done()
	s.daemon.RUnlock()

	hand := make(chan struct{})
	go func() {
		defer close(hand)
		a.fate(now, in)
		if !now.over.Load() && !now.killed.Load() {
			fmt.Fprintln(in, "finish")
		}
	}()
	opened := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "{") {
			var missed string
			missed, line = heard(line)
			s.books.line(l, missed)
		}
		switch s.books.line(l, line) {
		case "open":
			opened = true
		case "done":
			now.done.Store(true)
		}
		now.lines.Add(1)
		s.lines.Add(1)
		s.tell()
	}
	a.take(nil)
	dismissed := now.over.Swap(true)
	s.tell()
	<-hand
	err := c.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() && opened {
		s.books.Lock()
		s.books.violation("bus %d: %s has ended: %s", l.bus, l.door, strings.TrimSpace(words.String()))
		s.books.Unlock()
	}
	l.killed = now.killed.Load() || dismissed && !now.done.Load()
	s.books.end(l, now.done.Load())
	return true
}

// fate waits until the actor has said some lines, then stops it for a while, or has it come to its end, and kills it. It
// returns earlier when the actor has ended, or all come to their end.
func (a *slot) fate(now *acting, in io.Writer) {
	s := a.stage
	lines, stops := 10+a.chance.Int64N(300), a.chance.IntN(5) == 0
	goesOn := func() bool { return !now.over.Load() && !s.finishes.Load() }
	s.await(func() bool { return now.lines.Load() >= lines && s.kills > 0 || !goesOn() })
	if !goesOn() {
		return
	}
	if stops {
		others := s.killed.Load() + 3
		now.process.Process.Signal(syscall.SIGSTOP)
		var long atomic.Bool // others may all wait for this one, and then nothing happens
		timer := time.AfterFunc(time.Duration(20+a.chance.IntN(80))*time.Millisecond, func() { long.Store(true); s.tell() })
		s.await(func() bool { return long.Load() || s.killed.Load() >= others || !goesOn() || s.down.Load() })
		timer.Stop()
		now.process.Process.Signal(syscall.SIGCONT)
		if s.down.Load() {
			return
		}
	}
	if !goesOn() {
		return
	}
	if a.door.name != "command line" && a.chance.IntN(3) == 0 { // all its answers come first
		fmt.Fprintln(in, "finish")
		others := s.killed.Load() + 100
		s.await(func() bool { return now.done.Load() || !goesOn() || s.down.Load() || s.killed.Load() >= others })
		if !now.done.Load() && goesOn() && !s.down.Load() {
			s.books.Lock()
			s.books.violation("%s waits for an answer, and a hundred have died meanwhile", a.door.name)
			s.books.Unlock()
		}
		if !goesOn() || s.down.Load() {
			return
		}
	}
	now.killed.Store(true)
	now.process.Process.Signal(syscall.SIGKILL)
	s.killed.Add(1)
	s.tell()
}

// heard is a line of `kbus listen --json` in the words of an actor.
func heard(line string) (missed, hear string) {
	var m struct {
		Kind, Name, ID string
		Missed         int
	}
	if json.Unmarshal([]byte(line), &m) != nil || m.Name != newsName {
		return "", ""
	}
	return fmt.Sprintf("missed 0:0 %d", m.Missed), "hear " + strings.Trim(m.ID, "[]")
}

// limited keeps the first words.
type limited struct{ b *strings.Builder }

func (l *limited) Write(p []byte) (int, error) {
	if l.b.Len() < 2000 {
		l.b.Write(p)
	}
	return len(p), nil
}
