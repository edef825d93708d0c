package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/recording"
	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/testing/sample"
	"kbus.example/kbus/message"
)

// A recording is shown as the monitor has shown it, in both forms.
func TestShowIsMonitor(t *testing.T) {
	withDaemon(t, 1)
	k := openKsock(t)
	dir := t.TempDir()
	files := []string{filepath.Join(dir, "a.pcapng"), filepath.Join(dir, "a.mcap")}
	var recorders []*command
	for _, file := range files {
		recorders = append(recorders, startRecording(t, file))
	}
	next := startMonitor(t, k, "--json")
	r := openKsock(t)
	must(t, r.Bind(t.Context(), "$.Lamp", kbus.Replier))
	_, err := k.Send(t.Context(), kbus.Request("$.Lamp", "on"))
	must(t, err)
	_, _ = k.Send(t.Context(), kbus.Request("$.None", "\x00\xff"))
	must(t, r.Close())
	announced(t, k, "$.End", "\u00e4\n")
	var want []string
	for !strings.Contains(strings.Join(want, ""), "$.End") {
		want = append(want, next())
	}
	for i, file := range files {
		must(t, recorders[i].Process.Signal(os.Interrupt))
		recorders[i].status(t)
		all := strings.Split(strings.TrimSpace(kbusOK(t, "show", file, "--json")), "\n")
		if len(all) < len(want) || !slices.Equal(all[len(all)-len(want):], want) {
			t.Errorf("%s:\n%s\nwant\n%s", file, strings.Join(all, "\n"), strings.Join(want, "\n"))
		}
		for args, want := range map[string][]string{
			"$.None":              {"<Request '$.None', from=1, flags=0x1 (REQ), data=<2 bytes: 00ff>> refused: nobody is bound"},
			"$.Lamp --count 1":    {"bound Ksock 2 as Replier to $.Lamp"},
			"--failures --slow 0": {"refused", "<Status '$.KBUS.Replier.GoneAway'"},
			"--slow 1ns $.Lamp":   {"<Status '$.KBUS.Replier.GoneAway'"},
			"--stats $.End":       {"NAME", "$.End"},
			"--to 0s":             {},
		} {
			got := strings.Split(strings.TrimSpace(kbusOK(t, append([]string{"show", file}, strings.Fields(args)...)...)), "\n")
			if got[0] == "" {
				got = nil
			}
			if len(got) != len(want) {
				t.Errorf("%s:\n%s", args, strings.Join(got, "\n"))
				continue
			}
			for i := range got {
				if !strings.Contains(got[i], want[i]) {
					t.Errorf("%s: %s, want %s", args, got[i], want[i])
				}
			}
		}
	}
}

// newRecording makes a file of the form that its name says.
func newRecording(t *testing.T, name string) (file string, w recording.Writer) {
	t.Helper()
	file = filepath.Join(t.TempDir(), name)
	f, err := os.Create(file)
	must(t, err)
	t.Cleanup(func() { f.Close() })
	format, _ := recording.FormatOf(file)
	w, err = recording.Create(format, f, recording.Plain)
	must(t, err)
	return file, w
}

// sampleFile writes the talk of a lamp into a file.
func sampleFile(t *testing.T, name string) string {
	t.Helper()
	name, w := newRecording(t, name)
	for _, e := range sample.Talk() {
		must(t, w.Write(&e))
	}
	must(t, w.Close())
	return name
}

// Requests without an answer are known at the end of a recording, and so is who owes it.
func TestShowUnanswered(t *testing.T) {
	file := sampleFile(t, "a.pcapng")
	part := filepath.Join(t.TempDir(), "part.mcap")
	kbusOK(t, "convert", file, part, "--to", "2100ms") // before the Status comes
	got := kbusFails(t, 0, "show", part, "--unanswered", "--slow", "1ms")
	if !strings.Contains(got, "12 events were too fast for the recorder") {
		t.Errorf("%q", got)
	}
	c := start(t, "kbus", "show", part, "--unanswered", "--slow", "1ms")
	if c.status(t); !strings.Contains(c.out.String(), "$.Lamp.Set [0:4] of switch (Ksock 2, pid 102), sent 250ms ago: lamp (Ksock 1, pid 101) owes the answer") {
		t.Errorf("%s", &c.out)
	}
}

// Of a damaged file what can be read is shown, the place is named, and the status tells what kind of damage it is.
func TestShowDamaged(t *testing.T) {
	for _, name := range []string{"a.pcapng", "a.mcap"} {
		file := sampleFile(t, name)
		whole, err := os.ReadFile(file)
		must(t, err)
		spoilt := slices.Clone(whole)
		at := bytes.LastIndex(whole, []byte("$.KBUS.Replier.GoneAway"))
		if name == "a.mcap" {
			at = bytes.Index(whole, []byte("$.Picture")) // the second chunk
		}
		for spoilt[at-1] ^= 0xff; name == "a.pcapng" && spoilt[at] == whole[at]; { // a length
			copy(spoilt[at-8:], "\xff\xff\xff\xff\xff\xff\xff\xff")
			spoilt[at] = 0
		}
		for _, c := range []struct {
			content []byte
			status  syscall.Errno
			says    string
			lines   int
		}{
			{whole, 0, "", 10},
			{whole[:len(whole)-len(whole)/4], syscall.ENODATA, ": at byte ", 1},
			{spoilt, syscall.EBADMSG, ": at byte ", 1},
			{[]byte("hello, bus"), syscall.EBADMSG, ": at byte 0: neither a capture file (pcapng) nor an MCAP file", 0},
			{nil, syscall.ENODATA, ": at byte 0: the file is empty", 0},
			{[]byte("\x1f\x8b\x08\x00"), syscall.EBADMSG, "decompress it first", 0},
		} {
			must(t, os.WriteFile(file, c.content, 0o600))
			shown := start(t, "kbus", "show", file)
			status := shown.status(t)
			lines := strings.Count(shown.out.String(), "\n")
			if status != int(c.status) || !strings.Contains(shown.err.String(), c.says) || lines < c.lines || c.lines == 0 && lines > 0 {
				t.Errorf("%s: status %d, %d lines, %s; want %d, %d, %s", name, status, lines, &shown.err, c.status, c.lines, c.says)
			}
			out := filepath.Join(t.TempDir(), name)
			converted := start(t, "kbus", "convert", file, out)
			if status := converted.status(t); status != int(c.status) {
				t.Errorf("%s: converted with status %d, %s", name, status, &converted.err)
			}
			events, err := recorded(t, out)
			if err != nil && len(c.content) > 20 || len(events) < c.lines-1 {
				t.Errorf("%s: %d events are converted, %v", name, len(events), err)
			}
		}
	}
}

// Both forms keep all of an event, files are joined in the order in which they are given, and a part is a part.
func TestConvert(t *testing.T) {
	file, dir := sampleFile(t, "a.pcapng"), t.TempDir()
	want, err := recorded(t, file)
	must(t, err)
	at := file
	for i, name := range []string{"b.mcap", "c.pcapng", "d.mcap", "e.pcapng"} {
		next := filepath.Join(dir, name)
		args := []string{"convert", at, next, "--json"}
		if i == 2 {
			args = append(args, "--compress", "zstd")
		}
		var figures convertFigures
		must(t, json.Unmarshal([]byte(kbusOK(t, args...)), &figures))
		got, err := recorded(t, next)
		must(t, err)
		for i := range got {
			if len(got[i].Data)+len(want[i].Data) == 0 {
				got[i].Data = want[i].Data
			}
			if len(got[i].Name)+len(want[i].Name) == 0 {
				got[i].Name = want[i].Name
			}
		}
		if !reflect.DeepEqual(got, want) || figures.Events != 10 {
			t.Errorf("%s:\n%+v\nwant\n%+v", name, got, want)
		}
		at = next
	}
	joined := filepath.Join(dir, "joined.mcap")
	kbusOK(t, "convert", file, at, joined)
	events, err := recorded(t, joined)
	must(t, err)
	for i, e := range events {
		if e.Serial != uint64(i+1) {
			t.Errorf("event %d of %d has serial %d", i, len(events), e.Serial)
		}
	}
	part := filepath.Join(dir, "part.pcapng")
	kbusOK(t, "convert", joined, part, "--name", "$.Lamp.*", "--from", "500ms")
	if events, err = recorded(t, part); err != nil || len(events) != 2*(5+1) { // a Status among them, with one that only tells of a loss
		t.Errorf("%d events, %v", len(events), err)
	}
	c := start(t, "bash", "-c", "kbus convert - - --format mcap <"+file+" | kbus show - --count 3")
	if status := c.status(t); status != 0 || strings.Count(c.out.String(), "\n") != 3 {
		t.Errorf("status %d, %s%s", status, &c.out, &c.err)
	}
}

func TestShowUsage(t *testing.T) {
	file := sampleFile(t, "a.pcapng")
	for _, c := range []struct {
		args, says string
		status     int
	}{
		{"show", "FILE is missing", cli.StatusUsage},
		{"show none.pcapng", "no such file", int(syscall.ENOENT)},
		{"show " + file + " $..A", "an empty word", int(syscall.EBADMSG)},
		{"show " + file + " --from soon", "is no moment", cli.StatusUsage},
		{"show " + file + " --stats --failures", "one or the other", cli.StatusUsage},
		{"convert " + file, "IN and OUT", cli.StatusUsage},
		{"convert " + file + " a.txt", "does not say the format", cli.StatusUsage},
		{"convert " + file + " " + file, "file exists: take another name\n", int(syscall.EEXIST)},
	} {
		if got := kbusFails(t, c.status, strings.Fields(c.args)...); !strings.Contains(got, c.says) {
			t.Errorf("%s: %s", c.args, got)
		}
	}
}

// Whatever a file says, a terminal obeys nothing of it.
func TestShowHostile(t *testing.T) {
	const evil = "\x1b]0;mine\a\x1b[2J\r\n"
	file, w := newRecording(t, "a.pcapng")
	bind := append([]byte{1, 0, 0, 0, 1, 0, 0, 0, byte(len(evil)), 0, 0, 0}, evil...)
	wall := int64(1e18)
	for kind := range event.Kind(12) {
		for _, name := range []string{"$.A" + evil, kbus.NameReplierBindEvent, ""} {
			for flags := range message.Flags(2) {
				wall++
				must(t, w.Write(&recording.Event{Kind: kind, Wall: wall, Boot: 1, Ksock: 1, Program: evil, Name: []byte(name), Data: bind, DataBytes: uint32(len(bind)),
					Header: message.Header{ID: message.ID{Serial: 1}, Flags: flags}, Replier: 1}))
			}
		}
	}
	must(t, w.Close())
	for _, args := range []string{"show", "show --stats", "show --data hex", "show --data none", "show --unanswered --slow 1ns", "show --json", "replay --dry-run", "replay --dry-run --json"} {
		c := start(t, "kbus", append(strings.Fields(args), file)...)
		if status := c.status(t); status != 0 || c.out.Len() == 0 || strings.ContainsAny(c.out.String()+c.err.String(), "\x1b\a\r") {
			t.Errorf("%s: status %d, %q", args, status, c.out.String()+c.err.String())
		}
	}
}

// A recording may be of several buses, and each line says of which it is; figures are told apart, too.
func TestShowBuses(t *testing.T) {
	file, w := newRecording(t, "a.mcap")
	for i, bus := range []uint32{3, 7, 7} {
		must(t, w.Write(&recording.Event{Serial: uint64(i + 1), Bus: bus, Kind: event.Sent, Wall: 1e18, Boot: 1, Ksock: 1, Program: "till", Name: []byte("$.A"),
			Missed: uint64(i / 2), Header: message.Header{ID: message.ID{Serial: uint32(i + 1)}, Flags: message.WantAReply}}))
	}
	must(t, w.Close())
	t.Setenv("TZ", "UTC")
	const lost = "1 event missed after [0:2] on bus 7: they came too fast\n"
	for _, c := range []struct{ args, want string }{
		{"", "2001-09-09T01:46:40.000000Z bus 3 till[0] uid 0 <Request '$.A', id=[0:1], flags=0x1 (REQ)> reached 0\n" +
			"2001-09-09T01:46:40.000000Z bus 7 till[0] uid 0 <Request '$.A', id=[0:2], flags=0x1 (REQ)> reached 0\n" +
			lost +
			"2001-09-09T01:46:40.000000Z bus 7 till[0] uid 0 <Request '$.A', id=[0:3], flags=0x1 (REQ)> reached 0\n"},
		{"--stats", lost + "BUS  NAME  MESSAGES  BYTES  REACHED  SKIPPED  REFUSED  STATUSES  ANSWERED  MEAN  LONGEST\n" +
			"3    $.A   1         0      0        0        0        0         0         -     -\n" +
			"7    $.A   2         0      0        0        0        0         0         -     -\n"},
		{"--unanswered --count 1", lost + "2001-09-09T01:46:40.000000Z bus 3 unanswered $.A [0:1] of till (Ksock 1, pid 0), sent 0s ago: it waits for room in its Replier's queue\n"},
	} {
		shown := start(t, "kbus", append([]string{"show", file}, strings.Fields(c.args)...)...)
		if shown.status(t); shown.out.String() != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.args, &shown.out, c.want)
		}
	}
	part := filepath.Join(t.TempDir(), "part.pcapng")
	for bus, n := range map[string]int{"3": 1, "7": 2, "0": 0} {
		if got := start(t, "kbus", "show", file, "--bus", bus); got.status(t) != 0 || strings.Count(got.out.String(), "bus "+bus+" till") != n || strings.Count(got.out.String(), "till") != n {
			t.Errorf("of bus %s: %s", bus, &got.out)
		}
		kbusOK(t, "convert", file, part, "--bus", bus)
		if events, err := recorded(t, part); err != nil || len(events) != n {
			t.Errorf("of bus %s: %d events, %v", bus, len(events), err)
		}
		must(t, os.Remove(part))
	}
	for _, args := range []string{"", "--stats", "--unanswered"} {
		shown := start(t, "kbus", append([]string{"show", file, "--json"}, strings.Fields(args)...)...)
		shown.status(t)
		for _, line := range strings.Split(strings.TrimSpace(shown.out.String()), "\n") {
			var has struct{ Bus uint32 }
			if must(t, json.Unmarshal([]byte(line), &has)); has.Bus != 3 && has.Bus != 7 {
				t.Errorf("%s: %s", args, line)
			}
		}
	}
}
