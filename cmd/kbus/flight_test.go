package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/recording/event"
)

// flightRecorder is one that runs, and what it tells of its files.
type flightRecorder struct {
	*exec.Cmd
	told *bufio.Scanner
	dir  string
}

func startFlight(t *testing.T, ext string, args ...string) *flightRecorder {
	t.Helper()
	f := &flightRecorder{dir: t.TempDir()}
	f.Cmd = exec.Command("kbus", append([]string{"record", "--json", "-o", filepath.Join(f.dir, "a"+ext)}, args...)...)
	f.Stderr = os.Stderr
	out, err := f.StdoutPipe()
	must(t, err)
	f.told = bufio.NewScanner(out)
	must(t, f.Start())
	t.Cleanup(func() { _ = f.Process.Kill(); _ = f.Wait() })
	if !f.told.Scan() || f.told.Text() != fmt.Sprintf(`{"keeps":300,"pid":%d}`, f.Process.Pid) {
		t.Fatal(f.told.Text())
	}
	return f
}

type flightFile struct {
	File, Because string
	Events        int
}

// next is the next file.
func (f *flightRecorder) next(t *testing.T) (file flightFile) {
	t.Helper()
	if !f.told.Scan() {
		t.Fatal("it has ended")
	}
	if err := json.Unmarshal(f.told.Bytes(), &file); err != nil {
		t.Fatalf("%s: %v", f.told.Text(), err)
	}
	return file
}

// A file has all the reasons that there were for it, but not thousands.
func TestReasonsOfAFile(t *testing.T) {
	var w flightWriter
	for n := range 9 {
		w.because(fmt.Sprint("reason ", n))
	}
	if w.due != "reason 0; reason 1; reason 2; reason 3; reason 4" {
		t.Error(w.due)
	}
}

// The memory is written at a signal, what happened before it and nothing twice; what nobody asks for is in no file.
func TestFlight(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	for _, ext := range []string{".pcapng", ".mcap"} {
		f := startFlight(t, ext, "--last", "5m")
		heard := listening(t, 0)
		announced(t, k, "$.A", "1", "2", "3")
		announced(t, k, "$.End", "")
		heard()
		for want := []string{"$.A 1", "$.A 2", "$.A 3", "$.End "}; ; { // the daemon may keep events a moment longer
			must(t, f.Process.Signal(syscall.SIGUSR1))
			file := f.next(t)
			if file.Because != "SIGUSR1" {
				t.Fatalf("%+v", file)
			}
			if file.Events == 0 {
				continue
			}
			events, err := recorded(t, file.File)
			must(t, err)
			got := messages(events)
			if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
				t.Fatalf("%q, want %q", got, want)
			}
			if want = want[len(got):]; len(want) == 0 {
				break
			}
		}
		announced(t, k, "$.A", "4")
		must(t, f.Process.Signal(syscall.SIGTERM))
		rest, err := io.ReadAll(scannerReader{f.told})
		must(t, err)
		if err := f.Wait(); err != nil || !strings.Contains(string(rest), `"files":[`) || strings.Contains(string(rest), "because") {
			t.Errorf("%v, %s", err, rest)
		}
		files, _ := filepath.Glob(filepath.Join(f.dir, "*"))
		for _, file := range files {
			if events, _ := recorded(t, file); slices.Contains(messages(events), "$.A 4") {
				t.Errorf("%s has what nobody asked for", file)
			}
		}
	}
}

// scannerReader reads the rest of what a scanner reads.
type scannerReader struct{ *bufio.Scanner }

func (s scannerReader) Read(b []byte) (int, error) {
	if !s.Scan() {
		return 0, io.EOF
	}
	return copy(b, s.Text()+"\n"), nil
}

// A Request that is not answered in time has it written, although only other names are recorded; the Request is in the file.
func TestFlightUnanswered(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	r := openKsock(t)
	must(t, r.Bind(t.Context(), "$.Lamp.Set", kbus.Replier)) // who never answers
	f := startFlight(t, ".pcapng", "--last", "5m", "--trigger-unanswered", "1ms", "--trigger", "$.Alarm.*", "$.Lamp.*")
	_, err := k.Send(t.Context(), kbus.Request("$.Lamp.Set", "on"))
	must(t, err)
	file := f.next(t)
	if !strings.HasPrefix(file.Because, "Request $.Lamp.Set [0:") || !strings.HasSuffix(file.Because, "is not answered") {
		t.Errorf("%+v", file)
	}
	events, err := recorded(t, file.File)
	must(t, err)
	id := strings.TrimSuffix(strings.TrimPrefix(file.Because, "Request $.Lamp.Set "), " is not answered")
	if !slices.ContainsFunc(events, func(e event.Event) bool { return e.Kind == event.Sent && e.Header.ID.String() == id }) {
		t.Errorf("%s is not in the file", id)
	}
}

// A message of a name has it written, but not each of a flood; what is due when it ends is written then. Old files go.
func TestFlightTriggered(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	f := startFlight(t, ".mcap", "--last", "5m", "--trigger", "$.Alarm.*", "--keep", "2", "$.A")
	announced(t, k, "$.A", "before")
	announced(t, k, "$.B", "")
	announced(t, k, "$.Alarm.Fire", "!")
	file := f.next(t)
	events, err := recorded(t, file.File)
	must(t, err)
	if got := messages(events); !slices.Equal(got, []string{"$.A before", "$.Alarm.Fire !"}) || !strings.HasPrefix(file.Because, "Announcement $.Alarm.Fire [0:") {
		t.Errorf("%q, %+v", got, file)
	}
	for i := range 20 {
		announced(t, k, "$.Alarm.Fire", fmt.Sprint(i))
	}
	must(t, f.Process.Signal(os.Interrupt))
	file = f.next(t)
	if events, err = recorded(t, file.File); err != nil || len(events) != 20 || file.Events != 20 {
		t.Errorf("%d events, %+v, %v", len(events), file, err)
	}
	_, _ = io.ReadAll(scannerReader{f.told})
	must(t, f.Wait())
	names, _ := filepath.Glob(filepath.Join(f.dir, "*"))
	if len(names) != 2 {
		t.Errorf("%s are there", names)
	}
}

// A place that can no longer be written to is told of when it is needed, and is the status in the end.
func TestFlightFails(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	f := startFlight(t, ".mcap", "--last", "5m", "--trigger", "$.Alarm.*")
	must(t, os.RemoveAll(f.dir))
	announced(t, k, "$.Alarm.Late", "")
	must(t, f.Process.Signal(os.Interrupt))
	_, _ = io.ReadAll(scannerReader{f.told})
	if _ = f.Wait(); f.ProcessState.ExitCode() != int(syscall.ENOENT) {
		t.Errorf("%v", f.ProcessState)
	}
}

// A message that is longer than the memory is missing, and counted where it is missing.
func TestFlightMemory(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	f := startFlight(t, ".mcap", "--last", "5m", "--memory", "128K", "$.A")
	announced(t, k, "$.A", "before", strings.Repeat("x", 200_000), "after")
	var events []event.Event
	for len(messages(events)) < 2 { // the daemon may keep events a moment longer
		must(t, f.Process.Signal(syscall.SIGUSR1))
		if file := f.next(t); file.Events > 0 {
			more, err := recorded(t, file.File)
			must(t, err)
			events = append(events, more...)
		}
	}
	if got := messages(events); !slices.Equal(got, []string{"$.A before", "$.A after"}) || events[0].Missed != 0 || events[1].Missed != 1 || events[1].Serial != 3 {
		t.Errorf("%q, %+v", got, events)
	}
}

func TestFlightUsage(t *testing.T) {
	withDaemon(t, 1)
	for args, want := range map[string]string{
		"-o a.mcap --trigger $.A":                                "--trigger goes with --last",
		"-o a.mcap --memory 1M":                                  "--memory goes with --last",
		"-o - --last 1m":                                         "standard output is none",
		"-o a.mcap --last 1m --rotate-size 1M":                   "leave --append and --rotate",
		"-o a.mcap --last 1m --memory 1K":                        "at least 128K",
		"-o a.mcap --last -1m":                                   "a length of time is needed",
		"-o a.mcap --last 1m --failures --trigger-unanswered 1s": "no Request is seen",
	} {
		if got := kbusFails(t, cli.StatusUsage, append([]string{"record"}, strings.Fields(args)...)...); !strings.Contains(got, want) {
			t.Errorf("%s: %s", args, got)
		}
	}
	if got := kbusFails(t, int(syscall.EBADMSG), "record", "-o", "a.mcap", "--last", "1m", "--trigger", "$..A"); !strings.Contains(got, "empty word") {
		t.Error(got)
	}
	if got := kbusFails(t, int(syscall.ENOENT), "record", "-o", fmt.Sprint(t.TempDir(), "/none/a.mcap"), "--last", "1m"); !strings.Contains(got, "no such file") {
		t.Error(got)
	}
}
