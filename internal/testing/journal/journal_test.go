package journal

import (
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// failing is a test that says how it has failed.
type failing struct {
	testing.TB
	said chan string
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) {
	f.said <- fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// A program that ends without the line that is waited for fails the test, with what it has said and how it has ended.
func TestAwaitOfAProgramThatEnds(t *testing.T) {
	f := &failing{t, make(chan string, 1)}
	j := Run(f, exec.Command("/bin/sh", "-c", "echo it is broken >&2; exit 3"))
	go j.Await("buses are open")
	if said := <-f.said; !HasAll(said, []string{"buses are open", "it is broken", "exit status 3"}) {
		t.Error(said)
	}
	if line := j.Await("it is", "broken"); !strings.Contains(line, "it is broken") {
		t.Error(line)
	}
}
