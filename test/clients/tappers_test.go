package clients

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/programs"
)

// A tapper is a tap of one library that prints what it is shown, until somebody says $.End: a line for each event with
// kind, errno, name, data, id, in reply to, from, to, flags; whose doing: Ksock, pid, uid, program (which are checked and taken
// out here); whether as Replier, the Replier, reached, skipped, set aside, bytes of data.
//
// Its arguments: 1 if it is slow, which means that it begins to read when it is told to, and prints no more than how many
// there were when it has lost some; then the filter: 1 for only failures, most data or "all", Ksock, kinds, kinds of
// messages, patterns.
type tapper struct {
	library string
	lines   *bufio.Reader
	in      io.Writer
	wait    func() error
}

// startTaps starts one of each library, and returns when all look.
func (p *tapPrograms) startTaps(t *testing.T, dir, arguments string) (taps []*tapper) {
	t.Helper()
	words := strings.Fields(arguments)
	script := filepath.Join(root, "test", "clients", "taps", "tap.py")
	for library, command := range map[string][]string{
		"C": {p.c}, "Python": {"python3", script, "blocking"}, "asyncio": {"python3", script, "asyncio"},
	} {
		if _, err := exec.LookPath(command[0]); err != nil {
			t.Log(library, "is not tried:", err)
			continue
		}
		c := exec.Command(command[0], append(command[1:], words...)...)
		c.Env = append(os.Environ(), "KBUS_DIR="+dir, "PYTHONPATH="+filepath.Join(root, "bindings", "python"), "PYTHONDONTWRITEBYTECODE=1")
		c.Stderr = os.Stderr
		in, err := c.StdinPipe()
		must(t, err)
		out, err := c.StdoutPipe()
		must(t, err)
		must(t, c.Start())
		t.Cleanup(func() { _ = c.Process.Kill() })
		taps = append(taps, &tapper{library: library, lines: bufio.NewReader(out), in: in, wait: c.Wait})
	}
	taps = append(taps, tapInGo(t, dir, words))
	for _, tap := range taps {
		if said, _ := tap.lines.ReadString('\n'); said != "ready\n" {
			t.Fatalf("%s does not look: %q", tap.library, said)
		}
	}
	return taps
}

// endTaps tells slow ones to read, waits until all have ended and gives what they have said, which must be the same.
func endTaps(t *testing.T, taps []*tapper) string {
	t.Helper()
	var first string
	for i, tap := range taps {
		_, _ = io.WriteString(tap.in, "\n")
		all, err := io.ReadAll(tap.lines)
		must(t, err)
		if err := tap.wait(); err != nil {
			t.Errorf("%s: %v", tap.library, err)
		}
		said := withoutPeer(t, tap.library, strings.TrimSpace(string(all)))
		if i == 0 {
			first = said
		} else if said != first {
			t.Errorf("%s is shown\n%s\n\n%s is shown\n%s", tap.library, said, taps[0].library, first)
		}
	}
	return first
}

// withoutPeer takes pid, uid and program out of lines, when they are right: all is done by this process, or by the bus.
func withoutPeer(t *testing.T, library, said string) string {
	t.Helper()
	program, err := os.ReadFile("/proc/self/comm")
	must(t, err)
	ours := []string{fmt.Sprint(os.Getpid()), fmt.Sprint(os.Getuid()), strings.TrimSpace(string(program))}
	lines := strings.Split(said, "\n")
	for i, line := range lines {
		words := strings.Fields(line)
		if len(words) != 19 {
			continue
		}
		if peer := words[10:13]; !slices.Equal(peer, ours) && !(words[9] == "0" && slices.Equal(peer, []string{"0", "0", "-"})) {
			t.Errorf("%s: %s: whose doing it is should be %v", library, line, ours)
		}
		lines[i] = strings.Join(slices.Delete(words, 10, 13), " ")
	}
	return strings.Join(lines, "\n")
}

// tapPrograms are built once for several daemons.
type tapPrograms struct{ daemon, c string }

func buildTaps(t *testing.T) *tapPrograms {
	t.Helper()
	dir := t.TempDir()
	p := &tapPrograms{daemon: filepath.Join(dir, "kbusd"), c: filepath.Join(dir, "tap")}
	must(t, programs.Build(dir, "kbusd"))
	var commands [][]string
	if _, err := exec.LookPath("gcc"); err == nil {
		commands = append(commands, []string{"make", "-s", "-C", "bindings/c", "build/libkbus.a"},
			[]string{"gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-Ibindings/c/include", "-o", p.c, "test/clients/taps/tap.c",
				"bindings/c/build/libkbus.a", "-pthread"})
	}
	for _, command := range commands {
		c := exec.Command(command[0], command[1:]...)
		c.Dir = root
		if said, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, said)
		}
	}
	return p
}

// tapInGo is one in this process.
func tapInGo(t *testing.T, dir string, words []string) *tapper {
	t.Helper()
	number := func(s string) int { n, err := strconv.Atoi(s); must(t, err); return n }
	f := kbus.TapFilter{OnlyFailures: words[1] == "1", Ksock: kbus.KsockID(number(words[3])), Patterns: words[6:]}
	if words[2] != "all" {
		if f.MaxData = number(words[2]); f.MaxData == 0 {
			f.MaxData = -1
		}
	}
	for kind := kbus.EventLost; kind <= kbus.EventUnbound; kind++ {
		if slices.Contains(strings.Split(words[4], ","), kind.String()) {
			f.Kinds = append(f.Kinds, kind)
		}
	}
	for word, kind := range map[string]kbus.Kind{"announcement": kbus.AnnouncementKind, "request": kbus.RequestKind, "reply": kbus.ReplyKind} {
		if slices.Contains(strings.Split(words[5], ","), word) {
			f.Messages = append(f.Messages, kind)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	o, err := kbus.Observe(ctx, 0, kbus.Dir(dir))
	must(t, err)
	t.Cleanup(func() { o.Close() })
	events, err := o.Tap(ctx, f)
	must(t, err)
	out, print := io.Pipe()
	told, tell := net.Pipe()
	go func() {
		defer print.Close()
		fmt.Fprintln(print, "ready")
		if words[0] == "1" {
			_, _ = told.Read(make([]byte, 1))
		}
		go io.Copy(io.Discard, told)
		shown, lost := uint64(0), uint64(0)
		for e, err := range events {
			if err != nil {
				fmt.Fprintln(print, "ended", err)
				return
			}
			lost += e.Lost
			if e.Event != kbus.EventLost {
				shown++
			}
			if words[0] != "1" {
				printEvent(print, e)
			} else if lost > 0 {
				fmt.Fprintln(print, "lost some of", shown+lost)
				return
			}
			if e.Message.Name == "$.End" {
				return
			}
		}
	}()
	return &tapper{library: "Go", lines: bufio.NewReader(out), in: tell, wait: func() error { return nil }}
}

func printEvent(w io.Writer, e *kbus.Event) {
	m := &e.Message
	errno, data := 0, "-"
	if c, is := e.Err.(kbus.Condition); is {
		errno = int(c.Errno())
	}
	if len(m.Data) > 0 {
		data = fmt.Sprintf("%x", m.Data)
	}
	dash := func(s string) string { return map[bool]string{true: "-", false: s}[s == ""] }
	fmt.Fprintln(w, e.Event, errno, dash(m.Name), data, plain(m.ID), plain(m.InReplyTo), uint32(m.From), uint32(m.To), uint32(m.Flags),
		uint32(e.By.Ksock), e.By.PID, e.By.UID, dash(e.By.Program), map[bool]int{true: 1}[e.AsReplier], uint32(e.Replier), e.Reached, e.Skipped,
		e.SetAside, e.DataBytes)
}

// startDaemon starts a kbusd of its own, and returns when it is ready.
func (p *tapPrograms) startDaemon(t *testing.T) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "kbus")
	must(t, err)
	notes, err := programs.NewReady(dir)
	must(t, err)
	defer notes.Close()
	daemon := exec.Command(p.daemon, "--dir", dir, "--log-level", "error")
	daemon.Env = append(os.Environ(), notes.Variable())
	daemon.Stderr = os.Stderr
	must(t, daemon.Start())
	ended := make(chan struct{})
	go func() { _ = daemon.Wait(); notes.Close(); close(ended) }()
	t.Cleanup(func() {
		_ = daemon.Process.Kill()
		<-ended
		os.RemoveAll(dir)
	})
	if err := notes.Await(0); err != nil {
		t.Fatal(err)
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
