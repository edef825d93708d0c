package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/recording"
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/testing/sample"
	"kbus.example/kbus/message"
)

// What show, convert and replay have in common: they read recordings.

// A person on a terminal sees how far a command is that takes long, and at the end nothing of that.
func TestProgressOfReading(t *testing.T) {
	whole, err := os.ReadFile(sampleFile(t, "a.pcapng"))
	must(t, err)
	for _, args := range []string{"show FILE --stats", "convert FILE OUT", "replay FILE --dry-run"} {
		dir := t.TempDir()
		file := filepath.Join(dir, "pipe")
		must(t, syscall.Mkfifo(file, 0o600))
		args = strings.NewReplacer("FILE", file, "OUT", filepath.Join(dir, "b.mcap")).Replace(args)
		c, person := onTerminal(t, "NO_COLOR=1", strings.Fields(args)...)
		screen := bufio.NewReader(person)
		in, err := os.OpenFile(file, os.O_WRONLY, 0)
		must(t, err)
		_, err = in.Write(whole[:len(whole)-1])
		must(t, err)
		far := fmt.Sprintf("%s of %s, 9 events", inUnits(int64(len(whole)-1)), file)
		if got := until(t, screen, far); !strings.HasSuffix(got, "\r"+far) {
			t.Fatalf("%s: %q", args, got)
		}
		_, err = in.Write(whole[len(whole)-1:])
		must(t, err)
		must(t, in.Close())
		if got := until(t, screen, atEnd); !strings.HasPrefix(got, "\x1b[K\r\x1b[K") && !strings.HasPrefix(got, "\x1b[K\r"+far) {
			t.Errorf("%s: %q", args, got)
		}
		must(t, c.Wait())
	}
	f, err := os.Open(sampleFile(t, "a.pcapng"))
	must(t, err)
	defer f.Close()
	far := newReading(f, "a.pcapng")
	_, err = far.Read(make([]byte, len(whole)/4))
	must(t, err)
	if got := far.String(); got != "25 % of a.pcapng, 0 events" && got != "24 % of a.pcapng, 0 events" {
		t.Error(got)
	}
}

// Standard output that is a pipe has no progress beside it: what is behind the pipe may have the terminal.
func TestNoProgressBesideAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	null, err := os.Open(os.DevNull)
	must(t, err)
	defer null.Close()
	if !isPipe(w) || isPipe(null) {
		t.Error("pipes are not told from others")
	}
}

// A command that can read nothing leaves no file, and one damaged file does not hide those behind it.
func TestConvertWhatIsThere(t *testing.T) {
	dir, good := t.TempDir(), sampleFile(t, "a.pcapng")
	whole, err := os.ReadFile(good)
	must(t, err)
	cut, out := filepath.Join(dir, "cut.pcapng"), filepath.Join(dir, "out.mcap")
	must(t, os.WriteFile(cut, whole[:len(whole)-1], 0o600))
	text := filepath.Join(dir, "a.txt")
	must(t, os.WriteFile(text, []byte("hello, bus"), 0o600))
	for args, status := range map[string]syscall.Errno{"none.pcapng": syscall.ENOENT, good + " none.pcapng": syscall.ENOENT, text: syscall.EBADMSG} {
		kbusFails(t, int(status), append(append([]string{"convert"}, strings.Fields(args)...), out)...)
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("convert %s leaves a file", args)
		}
	}
	said := kbusFails(t, int(syscall.ENODATA), "convert", cut, good, cut, out)
	events, err := recorded(t, out)
	must(t, err)
	if len(events) != 9+10+9 || strings.Count(said, "cut.pcapng: at byte") != 2 {
		t.Errorf("%d events, %s", len(events), said)
	}
}

// The figures of a recording are those of the bus in JSON, too.
func TestShowStatsJSON(t *testing.T) {
	file := sampleFile(t, "a.mcap")
	stats := func(args ...string) string {
		c := start(t, "kbus", append([]string{"show", file, "--stats"}, args...)...)
		if status := c.status(t); status != 0 {
			t.Fatalf("status %d, %s", status, &c.err)
		}
		return c.out.String()
	}
	got := stats("--json")
	if rows := strings.Count(stats(), "\n") - 1; rows != 1+3 || strings.Count(got, "\n") != rows || !strings.Contains(got, `"name":"$.Picture","messages":1,"bytes":5000`) {
		t.Errorf("%d rows, %s", rows, got)
	}
}

// At the end of a recording every Request without an answer is told of, also one that was sent just before, and no more lines
// than are wanted.
func TestShowUnansweredAtTheEnd(t *testing.T) {
	file, w := newRecording(t, "a.pcapng")
	for n := range uint32(3) {
		must(t, w.Write(&recording.Event{Kind: event.Sent, Serial: uint64(n), Wall: 1e18, Boot: 1, Ksock: 2, Name: []byte("$.A"), Replier: 1,
			Header: message.Header{ID: message.ID{Serial: n + 1}, Flags: message.WantAReply}}))
	}
	must(t, w.Close())
	for args, want := range map[string]int{"": 3, "--count 2": 2, "--slow 1ms": 0, "--json": 3} {
		if got := kbusOK(t, append([]string{"show", file, "--unanswered"}, strings.Fields(args)...)...); strings.Count(got, "\n") != want {
			t.Errorf("%s: %s", args, got)
		}
	}
}

// A recording of two buses, or of two lives of one, has the same ids for different Requests: each answer goes to its own.
func TestShowTwoBuses(t *testing.T) {
	file, w := newRecording(t, "a.mcap")
	asks := func(bus uint32, second int64) {
		must(t, w.Write(&recording.Event{Kind: event.Sent, Bus: bus, Wall: second * 1e9, Ksock: 2, Name: []byte("$.A"), Replier: 1,
			Header: message.Header{ID: message.ID{Serial: 1}, Flags: message.WantAReply}}))
	}
	answers := func(bus uint32, second int64) {
		must(t, w.Write(&recording.Event{Kind: event.Sent, Bus: bus, Wall: second * 1e9, Ksock: 1, Name: []byte("$.A"),
			Header: message.Header{ID: message.ID{Serial: 2}, InReplyTo: message.ID{Serial: 1}, To: 2}}))
	}
	asks(0, 100)
	asks(1, 101)
	answers(1, 102)
	answers(0, 105)
	asks(2, 200) // the daemon dies
	asks(2, 210)
	answers(2, 211)
	must(t, w.Close())
	got := kbusOK(t, "show", file, "--slow", "1ns")
	for _, want := range []string{"after 1s", "after 5s", "after 1s"} {
		at := strings.Index(got, want)
		if at < 0 {
			t.Fatalf("no %s in %s", want, got)
		}
		got = got[at:]
	}
}

// A file that was made by others to harm becomes one that tools can read, and an error is one line.
func TestConvertHostile(t *testing.T) {
	talk := sample.Talk()
	for i := range talk {
		talk[i].Program = strings.Repeat("\u00e4", 40_000)
	}
	file, w := newRecording(t, "a.mcap")
	for _, e := range talk {
		must(t, w.Write(&e))
	}
	must(t, w.Close())
	out := filepath.Join(filepath.Dir(file), "b.pcapng")
	kbusOK(t, "convert", file, out)
	bytes, err := os.ReadFile(out)
	must(t, err)
	if len(bytes) > 10_000 {
		t.Errorf("%d bytes", len(bytes))
	}
	if got, err := recorded(t, out); err != nil || len(got) != len(talk) {
		t.Errorf("%d events, %v", len(got), err)
	}
}

// A time that is negative is a mistake, and not the same as none.
func TestTimesAreNotNegative(t *testing.T) {
	for _, args := range []string{
		"monitor --for -1s", "monitor --slow -1s", "top --every -1s", "show a.pcapng --slow -1s", "replay a.pcapng --timeout -1s", "record -o a.pcapng --for -1s",
		"record -o a.pcapng --rotate-every -1s", "record -o a.pcapng --last -1s", "record -o a.pcapng --last 1s --trigger-unanswered -1s",
		"ask $.A --timeout -1s", "send $.A --wait --timeout -1s", "wait $.A --timeout -1s", "keep $.A --every -1s", "bench --for -1s",
	} {
		if got := kbusFails(t, cli.StatusUsage, strings.Fields(args)...); !strings.Contains(got, "a length of time is needed, as 500ms, 10s or 1h30m") {
			t.Errorf("%s: %s", args, got)
		}
	}
	for args, says := range map[string]string{"record -o a.pcapng --max-data -5": "--max-data is a number of bytes", "record -o a.pcapng --last 0s": "--last 0 keeps nothing"} {
		if got := kbusFails(t, cli.StatusUsage, strings.Fields(args)...); !strings.Contains(got, says) {
			t.Errorf("%s: %s", args, got)
		}
	}
}
