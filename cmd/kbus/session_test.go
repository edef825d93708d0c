package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"kbus.example/kbus"
)

// A session in testdata/*.session is what one sees at a terminal: commands and, behind a bar, what they print on both
// outputs, then the exit status in brackets when it is not 0. Each runs with a fresh daemon of two buses.
//
//	$ COMMAND          runs it in a shell
//	& NAME N COMMAND   starts it and goes on when it has N bindings
//	= NAME             waits for its end
//	! NAME             interrupts it (SIGINT) and waits for its end
//
// Output that is no text is shown quoted. What differs from run to run is replaced: process ids by PID, user ids by
// UID, and the runtime directory by DIR. `go test ./cmd/kbus -run TestSessions -update` writes down what is printed
// now.
var update = flag.Bool("update", false, "write testdata anew")

func TestSessions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.session")
	must(t, err)
	if len(files) == 0 {
		t.Fatal("no sessions")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".session"), func(t *testing.T) {
			stage := withDaemon(t, 2)
			text, err := os.ReadFile(file)
			must(t, err)
			s := &session{dir: stage.Dir, running: map[string]*command{}}
			for line := range strings.Lines(string(text)) {
				s.line(t, strings.TrimRight(line, "\n"))
			}
			compare(t, file, s.seen.String())
		})
	}
}

// compare compares with a file, or writes it.
func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		must(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		if i >= len(gotLines) || i >= len(wantLines) || gotLines[i] != wantLines[i] {
			t.Fatalf("%s:%d differs; all of it is now:\n%s", file, i+1, got)
		}
	}
}

type session struct {
	dir     string
	running map[string]*command
	pids    []int
	seen    strings.Builder
}

// line does what a line of the file says. Lines of output are passed over: it is written down anew.
func (s *session) line(t *testing.T, line string) {
	sign, rest, _ := strings.Cut(line, " ")
	switch sign {
	case "#", "":
	case "$":
		s.end(t, line, start(t, "/bin/sh", "-c", rest))
		return
	case "&":
		words := strings.SplitN(rest, " ", 3)
		more, err := strconv.Atoi(words[1])
		must(t, err)
		s.background(t, words[0], more, words[2])
	case "=":
		s.end(t, line, s.running[rest])
		return
	case "!":
		must(t, s.running[rest].Process.Signal(os.Interrupt))
		s.end(t, line, s.running[rest])
		return
	default:
		return
	}
	fmt.Fprintln(&s.seen, line)
}

func (s *session) background(t *testing.T, name string, more int, text string) {
	c := start(t, "/bin/sh", "-c", "exec "+text)
	s.running[name] = c
	s.pids = append(s.pids, c.Process.Pid)
	await(t, func(o *kbus.Observer) bool {
		list, err := o.Bindings(t.Context())
		must(t, err)
		its := 0 // of others some may still go
		for _, b := range list {
			if b.PID == uint32(c.Process.Pid) {
				its++
			}
		}
		return its == more
	})
}

// end waits for a command and writes down what it printed.
func (s *session) end(t *testing.T, line string, c *command) {
	status := c.status(t)
	s.pids = append(s.pids, c.Process.Pid)
	fmt.Fprintln(&s.seen, line)
	printed := c.out.String() + c.err.String()
	if strings.Contains(strings.Join(c.Args, " "), "--json") {
		for text := range strings.Lines(printed) {
			if !json.Valid([]byte(text)) {
				t.Errorf("%s: not JSON: %s", line, text)
			}
		}
	}
	if strings.ContainsRune(printed, 0) {
		printed = strconv.Quote(printed)
	}
	for line := range strings.Lines(s.same(printed)) {
		fmt.Fprintln(&s.seen, strings.TrimRight("| "+line, " \n"))
	}
	if status != 0 {
		fmt.Fprintf(&s.seen, "[%d]\n", status)
	}
}

var ids = regexp.MustCompile(`"(uid|pid)":\d+`)

// same replaces what differs from run to run, where it can be nothing else: a process id is a small number.
func (s *session) same(text string) string {
	text = strings.ReplaceAll(text, s.dir, "DIR")
	text = ids.ReplaceAllStringFunc(text, func(id string) string {
		return map[byte]string{'u': `"uid":UID`, 'p': `"pid":PID`}[id[1]]
	})
	for _, pid := range s.pids {
		text = strings.NewReplacer(
			fmt.Sprintf(" %8d  ", pid), "      PID  ",
			fmt.Sprintf(" %d UID ", pid), " PID UID ",
		).Replace(text)
	}
	return text
}
