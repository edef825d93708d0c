package conformance

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kbus.example/kbus/internal/testing/trace"
	"kbus.example/kbus/test/conformance/driver"
)

// Written cases are in cases/*.txt, a file for each row of the table. They say nothing of any language or transport:
//
//	== one copy for each binding        a case, on a fresh bus 0
//	needs results                       what a front end must be able to do for it; nothing: whole or piecewise messages
//	open a rw = 1                       a command, " = ", and the whole of its outcome
//
// An outcome of several lines goes on in lines that begin with "| ". A command without one must succeed. "#" begins a
// comment. words_test.go has the commands.

// script is one case, being performed.
type script struct {
	t      *testing.T
	system trace.System
	ksocks map[string]trace.Ksock
	ids    map[string]uint32
}

// step is one command.
type step struct {
	line     int
	command  string
	checked  bool
	expected string
}

// written is a case as it is in the file.
type written struct {
	file  string
	steps []step
}

func writtenGroups(t *testing.T) (groups []*group) {
	files, err := filepath.Glob(filepath.Join("cases", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("there are no written cases")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, title, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".txt"), "-")
		g := &group{title: strings.ReplaceAll(title, "-", " "), cases: parseCases(t, file, text)}
		groups = append(groups, g)
	}
	return groups
}

func parseCases(t *testing.T, file string, text []byte) (cases []*tableCase) {
	var c *tableCase
	var w *written
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if name, begins := strings.CutPrefix(line, "== "); begins {
			w = &written{file: file}
			c = &tableCase{name: name, run: w.run}
			cases = append(cases, c)
			continue
		}
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		if c == nil {
			t.Fatalf("%s:%d: a command before the first case", file, n)
		}
		if needs, ok := strings.CutPrefix(line, "needs "); ok {
			c.needs = strings.Fields(needs)
			continue
		}
		if more, ok := strings.CutPrefix(line, "| "); ok && len(w.steps) > 0 {
			w.steps[len(w.steps)-1].expected += "\n" + more
			continue
		}
		line, _, _ = strings.Cut(line, "  #")
		command, expected, checked := strings.Cut(line, " =")
		w.steps = append(w.steps, step{n, strings.TrimSpace(command), checked, strings.TrimSpace(expected)})
	}
	return cases
}

// ordinary is the system of written cases.
var ordinary = trace.Config{
	Devices: 1, MostDevices: 256, MaxMessages: 100, MaxMessageBytes: 409600, AbsMaxMessageBytes: 409600,
	MaxSetAside: 1000, MaxNameBytes: 1000,
}

func (w *written) run(t *testing.T, f *front) {
	mortal := false
	for _, st := range w.steps {
		mortal = mortal || st.command == "kill"
	}
	s := script{t, f.start(t, ordinary, mortal), map[string]trace.Ksock{}, map[string]uint32{}}
	follower, follows := s.system.(trace.Follower)
	for _, st := range w.steps {
		if follows {
			follower.Follow(st.command)
		}
		got := s.do(strings.Fields(st.command))
		if st.checked && got != st.expected {
			t.Errorf("%s:%d: %s\nexpected %s\n     got %s", w.file, st.line, st.command, st.expected, got)
		}
		if !st.checked && isErrno(got) {
			t.Errorf("%s:%d: %s\nfailed with %s", w.file, st.line, st.command, got)
		}
	}
	for _, k := range s.ksocks {
		k.Close()
	}
	s.system.End()
}

// await repeats a question to the bus until so. It waits for what happens, and gives up only when nothing ever does.
func (s *script) await(so func() bool) {
	for gaveUp := time.Now().Add(driver.Patience); !so(); {
		if time.Now().After(gaveUp) {
			s.t.Fatalf("nothing has happened for %v", driver.Patience)
		}
	}
}
