// Package journal is a log that tests can wait on: for a line with certain words, however late it comes. If whoever writes it
// ends without that line, the test fails and says what there is of it.
package journal

import (
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// Journal is a writer for a log. It is safe for concurrent use.
type Journal struct {
	t     testing.TB
	mu    sync.Mutex
	more  sync.Cond
	lines []string
	end   string // how whoever writes it has ended; "": not yet
}

// New makes an empty Journal for a test.
func New(t testing.TB) *Journal {
	j := &Journal{t: t}
	j.more.L = &j.mu
	return j
}

// Run starts a program whose standard error is the Journal, and kills it when the test ends.
func Run(t testing.TB, program *exec.Cmd) *Journal {
	t.Helper()
	j := New(t)
	program.Stderr = j
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = program.Wait() // which reads the rest of what it says
		j.End(program.ProcessState.String())
	}()
	t.Cleanup(func() {
		_ = program.Process.Kill()
		<-ended
	})
	return j
}

// End says that no more lines will come, and why.
func (j *Journal) End(how string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.end = how
	j.more.Broadcast()
}

// Write takes one line.
func (j *Journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, string(line))
	j.more.Broadcast()
	return len(line), nil
}

// Await returns the first line that has all the words, when it comes. The test fails if it cannot come any more.
func (j *Journal) Await(words ...string) string {
	j.t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		for _, line := range j.lines {
			if HasAll(line, words) {
				return line
			}
		}
		if j.end != "" {
			j.t.Fatalf("it has ended (%s), and has never said %q. It has said:\n%s", j.end, words, strings.Join(j.lines, ""))
		}
		j.more.Wait()
	}
}

// Count counts the lines so far that have all the words.
func (j *Journal) Count(words ...string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range j.lines {
		if HasAll(line, words) {
			n++
		}
	}
	return n
}

// HasAll reports whether all the words are in a line.
func HasAll(line string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(line, w) {
			return false
		}
	}
	return true
}
