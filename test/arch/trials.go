package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// What each emulated machine is tried with: the rings, the C library, and programs of the machine that talk with
// programs of this one.

func (w *workshop) ringTests(m *machine) string {
	c := w.command(m, "ring.test", "-test.short", "-ring.steps", "20000")
	c.Dir = "internal/ring"
	return outcome(c)
}

func (w *workshop) claims(m *machine) string {
	return outcome(w.command(m, "ring.test", "-test.run", "TakesBetween", "-ring.takes", fmt.Sprint(m.claims)))
}

// program is one of those that test the C library, with kbusd of the same machine.
func (w *workshop) program(m *machine) string {
	d, err := w.daemon(m)
	if err != nil {
		return err.Error()
	}
	defer d.end()
	c := w.command(m, "modern")
	c.Env = append(c.Env, "KBUS_DIR="+d.dir)
	return outcome(c)
}

func (w *workshop) alone(m *machine) string { return w.talk(m, inGo(m), inGo(m)) }

func (w *workshop) there(m *machine) string {
	return w.talk(m, inGo(m), inGo(&here)) + "; " + w.talk(m, inGo(&here), inGo(m))
}

func (w *workshop) withUs(m *machine) string {
	return w.talk(&here, inGo(m), inGo(&here)) + "; " + w.talk(&here, inGo(&here), inGo(m))
}

func (w *workshop) languages(m *machine) string {
	var all []string
	for _, pair := range [][2]party{
		{inC(m), inGo(&here)}, {inGo(&here), inC(m)}, {inC(&here), inGo(m)}, {inGo(m), inC(&here)}, {inC(m), inC(&here)},
	} {
		all = append(all, w.talk(&here, pair[0], pair[1]))
	}
	return strings.Join(all, "; ")
}

// party is one of two that talk: kbus, or a program in C that does the same.
type party struct {
	m *machine
	c bool
}

func inGo(m *machine) party { return party{m, false} }
func inC(m *machine) party  { return party{m, true} }

// party is what one of them runs, to answer so many questions or to ask one. Rings are for machines of one byte order.
func (w *workshop) party(p party, bus *machine, dir string, answers int) (c *exec.Cmd) {
	switch {
	case p.c && answers > 0:
		c = w.command(p.m, "echo", "answer", "$.Echo", fmt.Sprint(answers))
	case p.c:
		c = w.command(p.m, "echo", "ask", "$.Echo")
	case answers > 0:
		c = w.command(p.m, "kbus", "answer", "$.Echo", "--echo", "--format", "data", "--count", fmt.Sprint(answers))
	default:
		c = w.command(p.m, "kbus", "ask", "$.Echo", "-", "--format", "raw")
	}
	c.Env = append(c.Env, "KBUS_DIR="+dir)
	if p.m.big != bus.big {
		c.Env = append(c.Env, "KBUS_RINGS=off")
	}
	return c
}

// talk has two programs ask and answer, through kbusd of one machine. What does not fit a ring, or lies in the log, is
// among it.
func (w *workshop) talk(bus *machine, answers, asks party) string {
	d, err := w.daemon(bus)
	if err != nil {
		return err.Error()
	}
	defer d.end()
	sizes := []int{1, 1000, 40_000, 150_000, 400_000}
	answer := w.party(answers, bus, d.dir, len(sizes))
	heard := new(strings.Builder)
	answer.Stdout, answer.Stderr = heard, os.Stderr
	if err := answer.Start(); err != nil {
		return err.Error()
	}
	defer answer.Wait()
	bytes := 0
	for i, size := range sizes {
		text := strings.Repeat(string(rune('a'+i)), size)
		for {
			ask := w.party(asks, bus, d.dir, 0)
			complaint := new(strings.Builder)
			ask.Stdin, ask.Stderr = strings.NewReader(text), complaint
			said, err := ask.Output()
			if err != nil && strings.Contains(complaint.String(), "nobody is bound") { // yet
				continue // the number of that error is another one on each machine
			}
			if err != nil || string(said) != text {
				answer.Process.Kill()
				return fmt.Sprintf("%d bytes of %d came back: %v\n%s", len(said), size, err, complaint)
			}
			bytes += len(said)
			break
		}
	}
	return fmt.Sprintf("%d questions of %d bytes", len(sizes), bytes)
}

// recordings are replayed by the C library of a machine, in all its ways. The daemon is one of this machine if bytes and
// numbers of errors are the same.
func (w *workshop) recordings(m *machine) string {
	var all []string
	for _, door := range []string{"rings", "socket", "modern"} {
		by := m
		if !m.local {
			by = &here
		}
		driver := strings.Join(w.line(m, "c/conformance-driver", door), " ")
		c := w.command(by, "conformance.test", "-test.run", "^TestTable$", "-patience", "60s", "-driver", driver)
		c.Dir = "test/conformance"
		c.Env = append(c.Env, "KBUS_TRACES="+w.traces)
		out, err := c.CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if err != nil {
			if len(lines) > 60 {
				lines = append(append(lines[:40:40], "..."), lines[len(lines)-20:]...)
			}
			return fmt.Sprintf("%s: %v\n%s", door, err, strings.Join(lines, "\n"))
		}
		all = append(all, door+" "+lines[len(lines)-1])
	}
	return strings.Join(all, "; ")
}
