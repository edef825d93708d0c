package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPlayTranscript compares with the recorded play: every id, every flag, in order.
func TestPlayTranscript(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	compare(t, "testdata/play.transcript", kbusOK(t, "play", "--transcript"))
	nothingLeft(t)
}

// TestBowls: two goldfish on two buses, joined by real Limpets; every id as R9.40 and R9.41 have it.
func TestBowls(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	compare(t, "testdata/bowls.transcript", kbusOK(t, "play", "--bowls", "--transcript"))
	nothingLeft(t)
	show := kbusOK(t, "play", "--bowls", "--fast")
	for _, want := range []string{"A PLAY ABOUT TWO BOWLS", "kbus-limpet  one on each bus, joined (processes ", "Scene 4. ", "Exeunt"} {
		if !strings.Contains(show, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// TestPlayIsWhole: the lines that the introduction is about, should somebody record a new transcript without looking.
func TestPlayIsWhole(t *testing.T) {
	recorded, err := os.ReadFile("testdata/play.transcript")
	must(t, err)
	rest := string(recorded)
	for _, line := range []string{
		"Rosencrantz: Ksock device 0, id 1, mode read/write",
		"Audience: <Announcement '$.Actor.Speak', id=[0:2], from=1, data='Ahem'>",
		"Guildenstern: Ksock device 0, id 3, mode read/write",
		"Guildenstern: <Request '$.Actor.Ask.Guildenstern', id=[0:6], from=1, flags=0x3 (REQ,YOU), data='Were you speaking to me?'>",
		"Guildenstern: <Request '$.Actor.Ask.Guildenstern', id=[0:6], from=1, flags=0x1 (REQ), data='Were you speaking to me?'>",
		"Guildenstern: <Reply '$.Actor.Ask.Guildenstern', to=1, in_reply_to=[0:6], data='Yes, yes I was'>",
		"Rosencrantz: <Reply '$.Actor.Ask.Guildenstern', id=[0:7], to=1, from=3, in_reply_to=[0:6], data='Yes, yes I was'>",
		"Rosencrantz: <Request '$.Actor.CoinToss', to=3, flags=0x1 (REQ), data='Head'>",
		"Guildenstern: <Request '$.Actor.CoinToss', id=[0:10], to=3, from=1, flags=0x3 (REQ,YOU), data='Head'>",
		"Guildenstern: A head - amazing",
		"Rosencrantz: <Reply '$.Actor.CoinToss', id=[0:13], to=1, from=3, in_reply_to=[0:12], data='Head count is 2'>",
		"Falstaff: Ksock device 0, id 4, mode read/write",
		"Rosencrantz: Error 32 (0x20) is EPIPE: Broken pipe",
		"Audience: <Reply '$.Actor.CoinToss', id=[0:13], to=1, from=3, in_reply_to=[0:12], data='Head count is 2'>",
		"Rosencrantz: no message left",
		"Falstaff: no message left",
	} {
		_, after, found := strings.Cut(rest, line+"\n")
		if !found {
			t.Fatalf("missing, or out of order: %s", line)
		}
		rest = after
	}
}

func TestPlayShow(t *testing.T) {
	show := kbusOK(t, "play", "--fast")
	for _, want := range []string{"Scene 1. ", "Scene 8. ", "Rosencrantz  │ (opens bus 0", "Exeunt"} {
		if !strings.Contains(show, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(show, "\x1b") {
		t.Error("colours in a pipe")
	}
	transcript, err := os.ReadFile("testdata/play.transcript")
	must(t, err)
	for line := range strings.Lines(string(transcript)) {
		if _, says, _ := strings.Cut(line, ": "); !strings.Contains(show, "│ "+says) {
			t.Errorf("%q is missing", says)
		}
	}
	lines := strings.SplitAfter(strings.TrimSpace(kbusOK(t, "play", "--json")), "\n")
	var last struct {
		Scene       int
		Actor, Says string
	}
	must(t, json.Unmarshal([]byte(lines[len(lines)-1]), &last))
	if len(lines) != strings.Count(string(transcript), "\n") || last.Scene != 8 || last.Actor != "Falstaff" {
		t.Errorf("%d lines, the last is %+v", len(lines), last)
	}
}

// TestPlayWaitsForEnter: on a terminal each scene does, and at the end of the input the rest is played.
func TestPlayWaitsForEnter(t *testing.T) {
	play, person := onTerminal(t, "COLOURS=please", "play")
	shown := bufio.NewReader(person)
	for scene, before := range []string{"in /tmp", "reached nobody", "Can you hear me?"} {
		got := until(t, shown, "Enter goes on")
		if !strings.Contains(got, before) && scene > 0 || strings.Contains(got, "Scene 3") {
			t.Fatalf("before scene %d: %q", scene+1, got)
		}
		_, err := person.Write([]byte("\n"))
		must(t, err)
	}
	until(t, shown, "Enter goes on")
	_, err := person.Write([]byte{4}) // Ctrl-D
	must(t, err)
	if got := until(t, shown, atEnd); !strings.Contains(got, "Exeunt") || !strings.Contains(got, "\x1b[35m") {
		t.Errorf("%q", got)
	}
	must(t, play.Wait())
}

// TestPlayInterrupted: whenever Ctrl-C comes, nothing is left: no process, no file.
func TestPlayInterrupted(t *testing.T) {
	must(t, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)) // orphans become ours
	defer func() { must(t, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)) }()
	t.Setenv("TMPDIR", t.TempDir())
	for _, at := range []string{"", "A PLAY", "Scene 1"} {
		play := exec.Command("kbus", "play")
		out, err := play.StdoutPipe()
		must(t, err)
		must(t, play.Start())
		if at != "" {
			until(t, bufio.NewReader(out), at)
		} else {
			// The child handles the signal from when it has begun to build the stage, and not before.
			for {
				if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
					break
				}
			}
		}
		must(t, play.Process.Signal(syscall.SIGINT))
		_ = play.Wait() // its status is looked at
		if got := play.ProcessState.ExitCode(); got != 130 {
			t.Errorf("interrupted at %q: status %d", at, got)
		}
		nothingLeft(t)
		var orphan unix.Siginfo
		if err := unix.Waitid(unix.P_ALL, 0, &orphan, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil); err != unix.ECHILD {
			t.Errorf("interrupted at %q: a process is left: %v", at, err)
		}
	}
}

// TestPlayUnread: when nobody reads any more, the play ends and cleans up.
func TestPlayUnread(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	play := exec.Command("kbus", "play", "--fast")
	out, err := play.StdoutPipe()
	must(t, err)
	must(t, play.Start())
	must(t, out.Close())
	if _ = play.Wait(); play.ProcessState.ExitCode() != 130 {
		t.Errorf("%v", play.ProcessState)
	}
	nothingLeft(t)
}

// TestPlayWithoutDaemon: a kbus that is alone says what it misses.
func TestPlayWithoutDaemon(t *testing.T) {
	alone := filepath.Join(t.TempDir(), "kbus")
	must(t, os.Link(filepath.Join(bin, "kbus"), alone))
	t.Setenv("PATH", "/nowhere")
	c := start(t, alone, "play")
	got := c.status(t)
	if got != int(syscall.ENOENT) || !strings.Contains(c.err.String(), "no kbusd beside this program, nor in PATH") {
		t.Errorf("status %d, %s", got, &c.err)
	}
	must(t, os.Link(filepath.Join(bin, "kbusd"), filepath.Join(filepath.Dir(alone), "kbusd")))
	c = start(t, alone, "play", "--bowls")
	got = c.status(t)
	if got != int(syscall.ENOENT) || !strings.Contains(c.err.String(), "no kbus-limpet beside this program, nor in PATH") {
		t.Errorf("without a Limpet: status %d, %s", got, &c.err)
	}
}

func nothingLeft(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	must(t, err)
	for _, e := range left {
		t.Errorf("%s is left", e.Name())
	}
}
