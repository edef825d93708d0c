package test

import (
	"bufio"
	"os"
	"os/exec"
	"testing"
)

// A talker is a program whose lines the test waits for.
type talker struct{ lines *bufio.Scanner }

// talk starts a program.
func talk(t *testing.T, c *exec.Cmd) talker {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout = w
	if c.Stderr == nil {
		c.Stderr = os.Stderr
	}
	err = c.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
		r.Close()
	})
	return talker{bufio.NewScanner(r)}
}

// next is the next line that it says.
func (k talker) next(t *testing.T) string {
	t.Helper()
	if !k.lines.Scan() {
		t.Fatalf("it has ended, or said nothing: %v", k.lines.Err())
	}
	return k.lines.Text()
}

func (k talker) wants(t *testing.T, line string) {
	t.Helper()
	if said := k.next(t); said != line {
		t.Fatalf("it says %q instead of %q", said, line)
	}
}
