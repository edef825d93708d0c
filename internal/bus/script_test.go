package bus_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// The scripts in testdata pin down what the bus does, a file for each section of the specification. They are made to be
// read by somebody who knows KBUS and not this code. A line is an operation, or several joined by " ; "; the indented
// lines below it are what they told, in order. Success without news tells nothing. "# " begins a comment. A line
// `bus` ends a scenario and begins another on a fresh bus. script_ops_test.go lists the operations.
//
// No scenario may leave anything behind, whatever it did: see finish.

var update = flag.Bool("update", false, "rewrite the outcomes in testdata/*.txt; then compare each with its rule")

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts:", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file, script{}) })
	}
}

// TestScriptsSlowly is the same without the quick paths.
func TestScriptsSlowly(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file, script{slow: true}) })
	}
}

const (
	separator   = " ; "
	outcomeMark = "  -> "
)

func runScript(t *testing.T, file string, s script) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var performed []string
	differs := false // then the rest of the scenario may, too
	for at := 0; at < len(lines); {
		line := lines[at]
		at++
		performed = append(performed, line)
		operations, _, _ := strings.Cut(line+" ", "# ")
		if operations = strings.TrimSpace(operations); operations == "" {
			continue
		}
		end := at
		for end < len(lines) && strings.HasPrefix(lines[end], outcomeMark) {
			end++
		}
		expected := lines[at:end]
		got, err := s.perform(operations)
		if err != nil {
			t.Fatalf("%s:%d: %s: %v", file, at, operations, err)
		}
		performed = append(performed, got...)
		differs = differs && !strings.HasPrefix(line, "bus")
		if !*update && !differs && !slices.Equal(got, expected) {
			differs = true
			t.Errorf("%s:%d: %s\nexpected:\n%s\ngot:\n%s", file, at, line, shown(expected), shown(got))
		}
		at = end
	}
	if err := s.finish(); err != nil {
		t.Errorf("%s:%d: %v", file, len(lines), err)
	}
	if *update && !s.slow && !s.handsOver {
		if err := os.WriteFile(file, []byte(strings.Join(performed, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func shown(outcome []string) string {
	return word(len(outcome) == 0, "  (nothing)", strings.Join(outcome, "\n"))
}

// script is a scenario under way.
type script struct {
	bus       *bus.Bus
	slow      bool // no quick paths
	handsOver bool // see handOver, for which there are
	limits    bus.Limits
	pieces    int
	ksocks    map[string]*bus.Ksock          // those open, by the name that the script gives them
	asked     map[*bus.Ksock]message.Message // the Request that each has read last and must reply to
	acting    *bus.Ksock                     // of the operation under way
	words     []string                       // of the operation under way, those not yet taken
	told      []string
}

// perform carries out a line and gives what its operations told. An error says what is wrong with the script.
func (s *script) perform(line string) (handedOut []string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	s.told = nil
	s.handOver(line)
	if repeated, ok := strings.CutPrefix(line, "repeat "); ok {
		count, once, _ := strings.Cut(repeated, " ")
		var all []string
		for i := range must(strconv.Atoi(count)) {
			all = append(all, strings.ReplaceAll(once, "@", fmt.Sprint(i+1)))
		}
		line = strings.Join(all, separator)
	}
	for operation := range strings.SplitSeq(line, separator) {
		s.words = split(operation)
		s.operate()
		if len(s.words) > 0 {
			return nil, fmt.Errorf("what is %q?", s.words)
		}
	}
	return s.told, nil
}

// finish closes all Ksocks and checks that nothing is left of them: no binding, no byte charged to anybody, no
// set-aside event, nobody to wake.
func (s *script) finish() error {
	if s.bus == nil {
		return nil
	}
	for _, k := range slices.Collect(s.bus.Ksocks()) {
		s.bus.Close(k)
	}
	s.bus.SetStartable(nil) // what is held outlives who asked
	for s.bus.Sweep(100) {
	}
	i, woken, due := s.bus.Info(), s.bus.Woken(), s.bus.Due()
	if i.Ksocks+i.Bindings+i.SetAside+len(woken)+len(due) != 0 || i.QueueBytes != 0 || i.Tragic {
		return fmt.Errorf("all Ksocks of the scenario are closed, yet to wake: %v, due: %v, bus: %+v", woken, due, i)
	}
	return nil
}

var (
	brief   = regexp.MustCompile(`\(.\*\d+\)`)
	lengthy = regexp.MustCompile(`a{40,}|x{40,}`)
)

// split cuts an operation into words. What is in double quotes is one word and keeps the opening one.
func split(operation string) (words []string) {
	operation = brief.ReplaceAllStringFunc(operation, func(b string) string {
		return strings.Repeat(b[1:2], must(strconv.Atoi(b[3:len(b)-1])))
	})
	for rest := strings.TrimSpace(operation); rest != ""; rest = strings.TrimSpace(rest) {
		w, after, _ := strings.Cut(rest, " ")
		if rest[0] == '"' {
			quoted := must(strconv.QuotedPrefix(rest))
			w, after = `"`+must(strconv.Unquote(quoted)), rest[len(quoted):]
		}
		words, rest = append(words, w), after
	}
	return words
}

// tell adds an outcome line, with long runs in short.
func (s *script) tell(format string, args ...any) {
	l := lengthy.ReplaceAllStringFunc(fmt.Sprintf(format, args...), func(run string) string {
		return fmt.Sprintf("(%c*%d)", run[0], len(run))
	})
	s.told = append(s.told, outcomeMark+l)
}

// must is for what only a mistake in a script can bring about.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func word(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}
