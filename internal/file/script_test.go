package file_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus/internal/testing/trace"
)

// TestScripts performs testdata/scripts/*.txt, which pin part 3 and part 8 of the specification operation by operation.
// A line is a command, then " = " and the whole of its outcome; a command without one has no outcome worth telling.
// Further lines of an outcome follow, each behind "| ". "#" starts a comment. Every file starts with a fresh device 0.
// commands_test.go says what the commands are.
func TestScripts(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "scripts", "*.txt"))
	if len(files) == 0 {
		t.Fatal("no scripts")
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			newScript(1).run(t, text)
		})
	}
}

// script is the state of one being performed.
type script struct {
	machine  *machine
	ksocks   map[string]*ksock
	messages map[string][]byte
}

func newScript(devices int) *script {
	return &script{
		machine: newMachine(trace.Config{
			Devices: devices, MostDevices: 256, MaxMessages: 100, MaxMessageBytes: 409600, AbsMaxMessageBytes: 409600,
			MaxSetAside: 1000,
		}),
		ksocks: map[string]*ksock{}, messages: map[string][]byte{},
	}
}

// step is one command of a script.
type step struct {
	line     int
	command  string
	checked  bool
	expected string
}

func (s *script) run(t *testing.T, text []byte) {
	steps := parse(text)
	if len(steps) == 0 {
		t.Fatal("empty script")
	}
	for _, st := range steps {
		got := strings.TrimRight(s.do(strings.Fields(st.command)), " ")
		if st.checked && got != st.expected {
			t.Errorf("line %d: %s\nexpected %s\n     got %s", st.line, st.command, st.expected, got)
		}
		if !st.checked && strings.HasPrefix(got, "E") {
			t.Errorf("line %d: %s\nfailed with %s", st.line, st.command, got)
		}
	}
}

func parse(text []byte) (steps []step) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if more, ok := strings.CutPrefix(line, "| "); ok && len(steps) > 0 {
			steps[len(steps)-1].expected += "\n" + more
			continue
		}
		if strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		command, expected, checked := strings.Cut(line, " =")
		command, _, _ = strings.Cut(command, " #")
		expected, _, _ = strings.Cut(expected, "  #")
		steps = append(steps, step{n, command, checked, strings.TrimSpace(expected)})
	}
	return steps
}

// do performs a command and tells its outcome. A command that does not exist panics: the script is wrong.
func (s *script) do(words []string) string {
	command, args := words[0], words[1:]
	if global := globalCommands[command]; global != nil {
		return global(s, args)
	}
	k := s.ksocks[args[0]]
	if do := ksockCommands[command]; do != nil && k != nil {
		return do(s, k, args[1:])
	}
	panic(fmt.Sprintf("no such command or ksock: %q", words))
}
