package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
)

// serveLamp answers Requests of $.Lamp.* on a bus as a function says, until the test ends.
func serveLamp(t *testing.T, bus kbus.BusNumber, answer func(data string) string) *kbus.Ksock {
	t.Helper()
	k, err := kbus.Open(t.Context(), bus)
	must(t, err)
	must(t, k.Bind(t.Context(), "$.Lamp.*", kbus.Replier))
	ctx, end := context.WithCancel(t.Context())
	var served sync.WaitGroup
	served.Go(func() {
		_ = k.Serve(ctx, func(_ context.Context, r *kbus.Message) (*kbus.Message, error) {
			return r.Reply([]byte(answer(string(r.Data))))
		})
	})
	t.Cleanup(func() { end(); served.Wait(); _ = k.Close() })
	return k
}

// listening gives what a Listener to everything hears, up to a message of the name $.End.
func listening(t *testing.T, bus kbus.BusNumber) func() []string {
	t.Helper()
	k, err := kbus.Open(t.Context(), bus)
	must(t, err)
	t.Cleanup(func() { _ = k.Close() })
	_, err = k.Queue().SetLimit(t.Context(), 1000)
	must(t, err)
	must(t, k.Bind(t.Context(), "$.*", kbus.Listener))
	return func() (all []string) {
		for m, err := range k.Messages(t.Context()) {
			must(t, err)
			if m.Name == "$.End" {
				break
			}
			all = append(all, fmt.Sprintf("%v %s %s", m.Kind(), m.Name, m.Data))
		}
		return all
	}
}

// conversation records what two Senders say and a Replier answers on bus 0, in both forms, and gives what a Listener heard.
func conversation(t *testing.T) (files, heard []string) {
	t.Helper()
	dir := t.TempDir()
	files = []string{filepath.Join(dir, "a.pcapng"), filepath.Join(dir, "a.mcap")}
	var recorders []*command
	for _, file := range files {
		recorders = append(recorders, startRecording(t, file))
	}
	all := listening(t, 0)
	serveLamp(t, 0, func(data string) string { return "is " + data })
	a, b := openKsock(t), openKsock(t)
	for i := range 20 {
		announced(t, a, "$.A", fmt.Sprint(i))
		announced(t, b, "$.B", fmt.Sprint(i), "\x00\xff")
		for _, k := range []*kbus.Ksock{a, b} {
			_, err := k.Call(t.Context(), kbus.Request("$.Lamp.Set", fmt.Sprint(i)))
			must(t, err)
		}
		_, _ = a.Send(t.Context(), kbus.Request("$.None", ""))
	}
	announced(t, a, "$.End", "")
	heard = all()
	for _, c := range recorders {
		must(t, c.Process.Signal(os.Interrupt))
		if status := c.status(t); status != 0 {
			t.Fatalf("status %d, %s", status, &c.err)
		}
	}
	return files, heard
}

// Either form of a recording has a Listener hear the same again, in the same order, at any speed; the answers are those of now, and
// --compare knows whether they are others.
func TestReplay(t *testing.T) {
	withDaemon(t, 2)
	files, want := conversation(t)
	for i, file := range files {
		all := listening(t, 1)
		r := serveLamp(t, 1, func(data string) string { return "is " + data })
		speed := []string{"1000", "max"}[i]
		var figures replayFigures
		must(t, json.Unmarshal([]byte(kbusOK(t, "replay", file, "--bus", "1", "--compare", "--json", "--speed", speed)), &figures))
		if got := all(); !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", file, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		f := figures
		if f.Sent != 101 || f.Requests != 40 || f.Answered != 40 || f.Compared != 40 || f.Different+f.Refused+f.Missed+f.Unanswered != 0 || i == 0 && f.Reached < 141 {
			t.Errorf("%s: %+v", file, figures)
		}
		must(t, r.Unbind(t.Context(), "$.Lamp.*", kbus.Replier))
	}
}

// A service that answers otherwise than it did is found out.
func TestReplayCompares(t *testing.T) {
	withDaemon(t, 2)
	files, _ := conversation(t)
	serveLamp(t, 1, func(data string) string {
		if data == "7" {
			return "broken"
		}
		return "is " + data
	})
	c := start(t, "kbus", "replay", files[0], "$.Lamp.%", "--bus", "1", "--compare", "--speed", "max")
	status, lines := c.status(t), strings.Split(c.out.String(), "\n")
	if status != 1 || !strings.Contains(c.err.String(), "2 answers different from the recorded") || len(lines) != 4 ||
		!strings.HasPrefix(lines[0], "differs $.Lamp.Set [0:") || !strings.HasSuffix(lines[0], ": recorded 'is 7', now 'broken'") ||
		!strings.HasPrefix(lines[2], "40 messages sent, 40 of them Requests") || !strings.HasSuffix(lines[2], "40 compared, 2 different") {
		t.Errorf("status %d, %s%s", status, &c.out, &c.err)
	}
	if c = start(t, "kbus", "replay", files[1], "$.Lamp.%", "--bus", "1", "--speed", "max"); c.status(t) != 0 {
		t.Errorf("without --compare: %s%s", &c.out, &c.err)
	}
	c = start(t, "kbus", "replay", files[1], "$.Lamp.%", "--bus", "1", "--speed", "max", "--compare", "--json", "--rename", "$.Lamp.*=$.Nobody.*")
	var differs struct {
		Happened      string
		Recorded, Now jsonAnswer
	}
	if c.status(t) != 1 {
		t.Errorf("%s%s", &c.out, &c.err)
	}
	for line := range strings.Lines(c.out.String()) {
		if strings.Contains(line, "differs") {
			must(t, json.Unmarshal([]byte(line), &differs))
			break
		}
	}
	if differs.Recorded.Data == nil || *differs.Recorded.Data != "is 0" || differs.Now.Failure == nil || differs.Now.Failure.Condition != "ErrNoReplier" {
		t.Errorf("%+v", differs)
	}
}

// A dry run sends nothing and needs no bus.
func TestReplayDry(t *testing.T) {
	file := sampleFile(t, "a.mcap")
	t.Setenv("KBUS_DIR", t.TempDir())
	got := kbusFails(t, 0, "replay", file, "--dry-run")
	if !strings.Contains(got, "12 events were too fast for the recorder") {
		t.Error(got)
	}
	c := start(t, "kbus", "replay", file, "--dry-run", "--rename", "$.Lamp.Set=$.Other")
	c.status(t)
	const want = `+0.000000s <Request '$.Other', flags=0x1 (REQ), data='on'>
+1.250000s <Request '$.Other', flags=0x1 (REQ), data='off'>
2 messages to be sent, 2 of them Requests, 1 not sent, for not all of their data was recorded
`
	if c.out.String() != want {
		t.Errorf("%s", &c.out)
	}
}

// Ctrl-C ends a replay between two messages.
func TestReplayInterrupted(t *testing.T) {
	withDaemon(t, 1)
	file := sampleFile(t, "a.pcapng")
	all := listening(t, 0)
	must(t, openKsock(t).Bind(t.Context(), "$.End", kbus.Replier)) // who never answers
	c := start(t, "kbus", "replay", file, "--speed", "0.001", "--rename", "$.Lamp.Set=$.End", "--timeout", "1h")
	all()
	must(t, c.Process.Signal(syscall.SIGTERM))
	if status := c.status(t); status != statusStopped {
		t.Errorf("status %d: %s", status, &c.err)
	}
}

func TestReplayUsage(t *testing.T) {
	withDaemon(t, 1)
	file := sampleFile(t, "a.pcapng")
	for _, c := range []struct {
		args, says string
		status     int
	}{
		{"", "FILE is missing", cli.StatusUsage},
		{"none.mcap", "no such file", int(syscall.ENOENT)},
		{file + " --speed fast", "a number from 0.001", cli.StatusUsage},
		{file + " --speed 0", "a number from 0.001", cli.StatusUsage},
		{file + " --rename $.A", "OLD=NEW", cli.StatusUsage},
		{file + " --dry-run --compare", "nothing to compare", cli.StatusUsage},
		{file + " $..A", "an empty word", int(syscall.EBADMSG)},
		{file + " --bus 3", "there is only bus 0", int(syscall.ENOENT)},
	} {
		if got := kbusFails(t, c.status, append([]string{"replay"}, strings.Fields(c.args)...)...); !strings.Contains(got, c.says) {
			t.Errorf("%s: %s", c.args, got)
		}
	}
}

// Of a damaged file what can be read is replayed, and the error says where it cannot go on.
func TestReplayDamaged(t *testing.T) {
	file := sampleFile(t, "a.pcapng")
	whole, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(file, whole[:len(whole)*3/4], 0o600))
	c := start(t, "kbus", "replay", file, "--dry-run")
	if status := c.status(t); status != int(syscall.ENODATA) || !strings.Contains(c.out.String(), "<Request '$.Lamp.Set'") ||
		!strings.Contains(c.out.String(), " to be sent") || !strings.Contains(c.err.String(), file+": at byte ") {
		t.Errorf("status %d, %s%s", status, &c.out, &c.err)
	}
}
