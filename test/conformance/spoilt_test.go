package conformance

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kbus.example/kbus/test/conformance/driver"
)

// A table that cannot fail is worth nothing. So it is run here against drivers that are wrong in one way each: the good
// one (driver.Serve over the Go library, which must pass), with its answers spoilt on their way out.

// spoiling changes an answer; n counts them from 1.
type spoiling func(n int, answer string) string

var spoilings = map[string]spoiling{
	"good":       nil,
	"wrong id":   on(func(n int, a string) bool { return n == 1 && a == "0 1" }, "0 2"),
	"wrong byte": replacing("242e", "242f"),
	"refusing":   on(func(n int, a string) bool { return a == "0" }, "98"),
	"mute":       on(fifth, ""),
	"babbling":   on(fifth, "hello"),
	"chatty":     on(fifth, "0\n0"),
	"endless":    on(fifth, strings.Repeat("0", 5<<20)),
	"dead": func(n int, answer string) string {
		if n == 5 {
			fmt.Fprintln(os.Stderr, "I am slain")
			os.Exit(3)
		}
		return answer
	},
	"hanging": func(n int, answer string) string {
		if n == 5 {
			io.Copy(io.Discard, os.Stdin) // until the table ends it
			os.Exit(0)
		}
		return answer
	},
}

func fifth(n int, _ string) bool { return n == 5 }

func on(when func(n int, answer string) bool, instead string) spoiling {
	return func(n int, answer string) string {
		if when(n, answer) {
			return instead
		}
		return answer
	}
}

func replacing(old, new string) spoiling {
	return func(_ int, answer string) string { return strings.ReplaceAll(answer, old, new) }
}

// spoiler is where a spoilt driver writes to; each answer is one Write.
type spoiler struct {
	out   io.Writer
	spoil spoiling
	n     int
}

func (s *spoiler) Write(b []byte) (int, error) {
	s.n++
	_, err := fmt.Fprintln(s.out, s.spoil(s.n, strings.TrimSuffix(string(b), "\n")))
	return len(b), err
}

// beDriver is a driver of the Go library, good or spoilt.
func beDriver(as string) error {
	spoil, known := spoilings[as]
	if !known {
		return fmt.Errorf("there is no driver %q", as)
	}
	fail := func(what ...any) {
		fmt.Fprintln(os.Stderr, what...)
		os.Exit(1)
	}
	var out io.Writer = os.Stdout
	if spoil != nil {
		out = &spoiler{out: out, spoil: spoil}
	}
	dir := os.Getenv("KBUS_DIR")
	door := &shared{libraryOn(dir, 0, false, fail), daemon{dir: dir}}
	return driver.Serve(os.Stdin, out, door, []string{"bytes", "whole", "reports", "unknown", "original"})
}

// shared is the library to a daemon to which the table may add buses, and which may be another one in the next case: so
// nothing that has been opened to look at it is kept from one look to the next.
type shared struct {
	*library
	daemon daemon
}

func (s *shared) Bindings() string {
	defer s.library.End()
	s.library.devices = s.daemon.devices()
	return s.library.Bindings()
}

func (s *shared) Stats() string {
	defer s.library.End()
	s.library.devices = s.daemon.devices()
	return s.library.Stats()
}

var lastLine = regexp.MustCompile(`\nconformance: (\d+) cases, 1 front ends, (\d+) failures\n$`)

func TestTheTableNoticesDriversThatAreWrong(t *testing.T) {
	traces := t.TempDir()
	for _, name := range []string{"scen-01-ids_start.jsonl", "rand-1001.jsonl"} {
		text, err := os.ReadFile(filepath.Join(module(), "internal/file/testdata/traces", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(traces, name), text, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for as, says := range map[string]string{
		"good":       "driver .* 2 of 2 cases",
		"wrong id":   `expected {"ksock":1}\n\s+got +{"ksock":2}`,
		"wrong byte": "operations diverge",
		"refusing":   "EADDRINUSE",
		"mute":       `no answer but "", at its line 5: `,
		"babbling":   `no answer but "hello", at its line 5: [^\n]*\n\s+while performing {"i":`,
		"chatty":     "more than one line of answer",
		"endless":    "more than 4194304 bytes, at its line 5",
		"dead":       `has ended, exit status 3, at its line 5: [^\n]*\n\s+it said: I am slain`,
		"hanging":    "hangs .*, at its line 5: ",
	} {
		t.Run(as, func(t *testing.T) {
			t.Parallel()
			run := exec.Command(os.Args[0], "-test.run", "TestTable/driver/recordings", "-patience", "1s", "-driver", os.Args[0])
			if as == "good" {
				run.Args = append(run.Args, "-patience", "1m", "-again")
			}
			run.Env = append(os.Environ(), "KBUS_TRACES="+traces, roleOfDriver+"="+as)
			out, err := run.CombinedOutput()
			var failed *exec.ExitError
			if err != nil && !errors.As(err, &failed) {
				t.Fatal(err)
			}
			last := lastLine.FindSubmatch(out)
			if good := as == "good"; last == nil || (string(last[2]) == "0") != good || (err == nil) != good {
				t.Errorf("%v; the last line is %q", err, last)
			}
			if !regexp.MustCompile(says).Match(out) {
				t.Errorf("nothing like %q in\n%.3000s", says, out)
			}
		})
	}
}
