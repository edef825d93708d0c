package main

import (
	"bufio"
	"encoding/json"
	"errors"
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
	"kbus.example/kbus/internal/recording"
	"kbus.example/kbus/internal/recording/event"
)

// recorded gives the events of a recording as far as they can be read, and why no more can.
func recorded(t *testing.T, file string) (events []recording.Event, err error) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, _, err := recording.Open(f)
	if err != nil {
		return nil, err
	}
	for {
		var e recording.Event
		if err = r.Next(&e); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return events, err
		}
		e.Name, e.Data = slices.Clone(e.Name), slices.Clone(e.Data)
		events = append(events, e)
	}
}

// messages gives names and data of what was sent.
func messages(events []recording.Event) (found []string) {
	for _, e := range events {
		if e.Kind == event.Sent && e.Condition == 0 {
			found = append(found, string(e.Name)+" "+string(e.Data))
		}
	}
	return found
}

// awaitFile looks until a file has what is wanted.
func awaitFile(t *testing.T, file string, so func([]recording.Event) bool) {
	t.Helper()
	await(t, func(*kbus.Observer) bool {
		events, _ := recorded(t, file)
		return so(events)
	})
}

// startRecording starts a recorder, and comes back when it records.
func startRecording(t *testing.T, file string, args ...string) *command {
	t.Helper()
	c := start(t, "kbus", append([]string{"record", "-o", file}, args...)...)
	await(t, func(*kbus.Observer) bool { _, err := os.Stat(file); return err == nil })
	return c
}

func announced(t *testing.T, k *kbus.Ksock, name string, data ...string) {
	t.Helper()
	for _, d := range data {
		_, err := k.Send(t.Context(), kbus.Announcement(name, d))
		must(t, err)
	}
}

// What is said from the moment on when the file is there is in it, in both formats, and the end is in order.
func TestRecord(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	for _, args := range [][]string{{"a.pcapng"}, {"b.mcap"}, {"c.mcap", "--compress", "zstd"}, {"d", "--format", "mcap"}} {
		for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
			file := filepath.Join(t.TempDir(), args[0])
			c := startRecording(t, file, append([]string{"$.Lamp.*", "--json"}, args[1:]...)...)
			announced(t, k, "$.Lamp.Set", "on", "off")
			announced(t, k, "$.Door", "shut")
			_, _ = k.Send(t.Context(), kbus.Request("$.Lamp.None", "x"))
			must(t, c.Process.Signal(signal))
			if status := c.status(t); status != 0 || c.err.Len() > 0 {
				t.Errorf("%s: status %d, %s", args[0], status, &c.err)
			}
			events, err := recorded(t, file)
			got := messages(events)
			if err != nil || !slices.Equal(got, []string{"$.Lamp.Set on", "$.Lamp.Set off"}) || len(events) != 3 || events[2].Serial != 3 {
				t.Errorf("%s: %q, %v", args[0], got, err)
			}
			var figures recordFigures
			must(t, json.Unmarshal(c.out.Bytes(), &figures))
			info, err := os.Stat(file)
			must(t, err)
			if figures.Events != 3 || figures.Messages != 2 || figures.Lives != 1 || figures.Bytes != info.Size() || !slices.Equal(figures.Files, []string{file}) {
				t.Errorf("%s: %s, and the file has %d bytes", args[0], &c.out, info.Size())
			}
		}
	}
}

// What happened is in the file a second later, also when nothing else happens then, and stays there when the recorder is killed.
func TestRecorderKilled(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	for _, name := range []string{"a.pcapng", "a.mcap"} {
		file := filepath.Join(t.TempDir(), name)
		c := startRecording(t, file)
		announced(t, k, "$.A", "1", "2")
		awaitFile(t, file, func(events []recording.Event) bool { return len(messages(events)) == 2 })
		announced(t, k, "$.A", "3") // which may be there or not
		must(t, c.Process.Kill())
		c.status(t)
		events, err := recorded(t, file)
		var broken *recording.Broken
		if n := len(messages(events)); n < 2 || err != nil && (!errors.As(err, &broken) || !broken.Cut) {
			t.Errorf("%s: %d messages, %v", name, n, err)
		}
	}
}

// On standard output a recording can be looked at while it is made.
func TestRecordLive(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	c := exec.Command("kbus", "record", "-o", "-", "--count", "3", "--json")
	out, err := c.StdoutPipe()
	must(t, err)
	report, err := c.StderrPipe()
	must(t, err)
	must(t, c.Start())
	r, format, err := recording.Open(out)
	if err != nil || format != recording.Pcapng {
		t.Fatal(format, err)
	}
	for i := range 3 {
		text := fmt.Sprint(i)
		announced(t, k, "$.A", text)
		var e recording.Event
		if err := r.Next(&e); err != nil || string(e.Data) != text {
			t.Fatalf("%q, %v", e.Data, err)
		}
	}
	var figures recordFigures
	must(t, json.NewDecoder(report).Decode(&figures))
	must(t, c.Wait())
	if figures.Events != 3 || !slices.Equal(figures.Files, []string{"-"}) {
		t.Errorf("%+v", figures)
	}
}

// Files follow each other, in one row of serials; the oldest go, those of an earlier recorder too.
func TestRotation(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	for _, ext := range []string{".pcapng", ".mcap"} {
		dir := t.TempDir()
		number := func(n int) string { return filepath.Join(dir, fmt.Sprintf("a.%06d%s", n, ext)) }
		must(t, os.WriteFile(number(7), nil, 0o600))
		c := start(t, "kbus", "record", "-o", filepath.Join(dir, "a"+ext), "--rotate-size", "1K", "--keep", "3", "$.A", "--max-data", "0")
		for begun := false; !begun; {
			announced(t, k, "$.A", strings.Repeat("x", 100))
			files, err := filepath.Glob(filepath.Join(dir, "*"))
			must(t, err)
			begun = len(files) > 0 && files[len(files)-1] >= number(12) // that one may have gone again
		}
		must(t, c.Process.Signal(os.Interrupt))
		if status := c.status(t); status != 0 {
			t.Fatalf("status %d, %s", status, &c.err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		must(t, err)
		if len(files) != 3 {
			t.Errorf("%s: %s stay", ext, files)
		}
		serial := uint64(0)
		for i, file := range files {
			events, err := recorded(t, file)
			if err != nil || len(events) == 0 {
				t.Errorf("%s: %d events, %v", file, len(events), err)
			}
			for _, e := range events {
				if serial > 0 && e.Serial != serial+1 {
					t.Errorf("%s: %d after %d", file, e.Serial, serial)
				}
				if serial = e.Serial; len(e.Data) != 0 || e.DataBytes != 100 {
					t.Errorf("%d bytes of %d", len(e.Data), e.DataBytes)
				}
			}
			if info, err := os.Stat(file); err != nil || ext == ".pcapng" && (info.Size() > 1400 || i < 2 && info.Size() < 1024) {
				t.Errorf("%s has %d bytes, %v", file, info.Size(), err)
			}
		}
	}
}

// A recording goes on in a capture file, and where the bus has gone when it is back.
func TestRecordGoesOn(t *testing.T) {
	stage := withDaemon(t, 1)
	file := filepath.Join(t.TempDir(), "a.pcapng")
	k := openKsock(t)
	c := startRecording(t, file, "$.A")
	announced(t, k, "$.A", "1")
	must(t, c.Process.Signal(os.Interrupt))
	c.status(t)
	info, err := os.Stat(file)
	must(t, err)

	l := follow(t, "kbus", "record", "-o", file, "--append", "$.A", "--json")
	for more := false; !more; {
		announced(t, k, "$.A", "2")
		now, err := os.Stat(file)
		must(t, err)
		more = now.Size() > info.Size()
	}
	must(t, syscall.Kill(stage.PID, syscall.SIGKILL))
	errors := bufio.NewScanner(l.lines)
	line := func(want string) {
		t.Helper()
		if !errors.Scan() || !strings.Contains(errors.Text(), want) {
			t.Fatalf("%q instead of %q", errors.Text(), want)
		}
	}
	line("bus 0 is gone; the recording goes on when it is back")
	again := exec.Command("kbusd", "--dir", stage.Dir)
	must(t, again.Start())
	t.Cleanup(func() { _ = again.Process.Kill(); _ = again.Wait() })
	line("bus 0 is back")
	k = openKsock(t)
	last := func(events []recording.Event) string { return string(events[len(events)-1].Data) }
	for events, _ := recorded(t, file); last(events) != "3"; events, _ = recorded(t, file) {
		announced(t, k, "$.A", "3")
	}
	must(t, l.Process.Signal(os.Interrupt))
	if status := l.status(t); status != 0 || !strings.Contains(l.out.String(), `"lives":2`) {
		t.Errorf("status %d, %s", status, &l.out)
	}
	events, err := recorded(t, file)
	must(t, err)
	for i, e := range events {
		if e.Serial != uint64(i+1) {
			t.Fatalf("event %d has serial %d", i+1, e.Serial)
		}
	}
}

// follow is start for a command whose errors are read as they come.
func follow(t *testing.T, name string, args ...string) *listened {
	t.Helper()
	l := &listened{command: &command{Cmd: exec.Command(name, args...)}}
	l.Stdout = &l.out
	var err error
	l.lines, err = l.StderrPipe()
	must(t, err)
	must(t, l.Start())
	t.Cleanup(func() {
		if l.ProcessState == nil {
			_ = l.Process.Kill()
			_ = l.Wait()
		}
	})
	return l
}

type listened struct {
	*command
	lines io.Reader
}

// On a terminal a line tells how far it is.
func TestRecordProgress(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	file := filepath.Join(t.TempDir(), "a.pcapng")
	c, person := onTerminal(t, "NO_COLOR=1", "record", "-o", file, "$.A")
	screen := bufio.NewReader(person)
	until(t, screen, "recording $.A")
	announced(t, k, "$.A", "1", "2")
	until(t, screen, "\r2 messages, ")
	if got := until(t, screen, ", 0 missed, "+file); !strings.Contains(got, "bytes") {
		t.Errorf("%q", got)
	}
	must(t, c.Process.Signal(os.Interrupt))
	if got := until(t, screen, atEnd); !strings.Contains(got, "2 events, 2 of them messages that were sent, ") {
		t.Errorf("%q", got)
	}
}

func TestRecordUsage(t *testing.T) {
	withDaemon(t, 1)
	dir := t.TempDir()
	there := filepath.Join(dir, "there.pcapng")
	must(t, os.WriteFile(there, []byte("something"), 0o600))
	for _, c := range []struct {
		args, says string
		status     int
	}{
		{"", "which file is it to be", cli.StatusUsage},
		{"-o a.txt", "does not say the format", cli.StatusUsage},
		{"-o a.pcapng --format text", "there are pcapng and mcap", cli.StatusUsage},
		{"-o a.pcapng --compress zstd", "only an MCAP file", cli.StatusUsage},
		{"-o a.mcap --compress gzip", "there is zstd", cli.StatusUsage},
		{"-o a.mcap --append", "an MCAP file has an end", cli.StatusUsage},
		{"-o a.mcap --keep 3", "--keep goes with", cli.StatusUsage},
		{"-o - --rotate-size 1M", "standard output is one file", cli.StatusUsage},
		{"-o a.mcap --rotate-size 0", "a number of bytes from 1", cli.StatusUsage},
		{"-o " + there, "file exists: take another name, or --append to go on in it", int(syscall.EEXIST)},
		{"-o " + there + " --append", "neither a capture file", int(syscall.EBADMSG)},
		{"-o " + dir + "/none/a.mcap", "no such file", int(syscall.ENOENT)},
		{"-o " + dir + "/none/a.mcap --rotate-size 1M", "write to " + dir + "/none: no such file", int(syscall.ENOENT)},
		{"-o /dev/full --format mcap", "no space left", int(syscall.ENOSPC)},
		{"-o " + dir + "/b.mcap $..A", "an empty word at byte 2", int(syscall.EBADMSG)},
		{"-o " + dir + "/b.mcap --bus 3", "there is only bus 0", int(syscall.ENOENT)},
	} {
		if got := kbusFails(t, c.status, append([]string{"record"}, strings.Fields(c.args)...)...); !strings.Contains(got, c.says) {
			t.Errorf("%s: %s", c.args, got)
		}
	}
	if _, err := os.Stat(dir + "/b.mcap"); err == nil {
		t.Error("a file was begun for nothing")
	}
}
