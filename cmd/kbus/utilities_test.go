package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kbus.example/kbus"
)

// linked makes links to kbus by the names of the utilities, and puts them into PATH.
func linked(t *testing.T) (dir string) {
	dir = t.TempDir()
	for name := range utilities {
		must(t, os.Symlink(filepath.Join(bin, "kbus"), filepath.Join(dir, name)))
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	return dir
}

// ran runs a command to its end.
func ran(t *testing.T, name string, args ...string) (out, said string, status int) {
	t.Helper()
	c := start(t, name, args...)
	status = c.status(t)
	return c.out.String(), c.err.String(), status
}

// lines are the lines that a command prints, as they come.
type lines struct {
	t *testing.T
	*bufio.Scanner
}

func printing(t *testing.T, name string, args ...string) lines {
	t.Helper()
	c := exec.Command(name, args...)
	out, err := c.StdoutPipe()
	must(t, err)
	must(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return lines{t, bufio.NewScanner(out)}
}

func (l lines) expect(pattern string) {
	l.t.Helper()
	if !l.Scan() {
		l.t.Fatalf("it has ended: %v; want %q", l.Err(), pattern)
	}
	if !regexp.MustCompile("^" + pattern + "$").MatchString(l.Text()) {
		l.t.Fatalf("it prints %q, want %q", l.Text(), pattern)
	}
}

// TestKmsgTalks is R10.71 and R10.72 with real processes.
func TestKmsgTalks(t *testing.T) {
	withDaemon(t, 2)
	linked(t)
	for _, bus := range []string{"0", "1"} {
		heard := printing(t, "kmsg", "--bus", bus, "listen", "$.A.*")
		heard.expect(`Binding as Listener to '\$\.A\.\*'`)
		heard.expect(`\.\.bound on ksock id 1`)
		out, _, status := ran(t, "kmsg", "-bus", bus, "send", "$.A.B", "s", "abc\x01 and much more than twenty bytes")
		want := "Msg data:\n" +
			"61 62 63 01 20 61 6e 64 20 6d 75 63 68 20 6d 6f 72 65 20 74 68 61 6e 20 74 77 65 6e 74 79 20 62 79 74 65 73 \n" +
			"> Sending $.A.B [want_reply? 0]\n" +
			`<Announcement '$.A.B' data=abc\x01 and much more t...>` + "\n> Sent message 0:1 .. \n"
		if status != 0 || out != want {
			t.Errorf("status %d,\n%swant\n%s", status, out, want)
		}
		heard.expect(`<Announcement '\$\.A\.B' id=\[0:1\] from=2 data=abc\\x01 and much more t\.\.\.>`)
	}
}

func TestKmsgCalls(t *testing.T) {
	withDaemon(t, 1)
	linked(t)
	asked := printing(t, "kmsg", "--full", "reply", "$.Q")
	asked.expect(`Binding as Replier to '\$\.Q'`)
	asked.expect(`\.\.bound on ksock id 1`)
	out, said, status := ran(t, "kmsg", "call", "$.Q", "z", "Are you there, my friend?")
	if status != 0 || said != ">Reading message\n> Got Reply!\n" ||
		!strings.Contains(out, "> Sending $.Q [want_reply? -16]\n") ||
		!strings.HasSuffix(out, "> Sent message 0:1 .. \n<Reply '$.Q' id=[0:2] to=2 from=1 in_reply_to=[0:1]>\n") {
		t.Errorf("status %d, %s, %s", status, out, said)
	}
	asked.expect(`<Request '\$\.Q' id=\[0:1\] from=2 flags=0x3 REQ YOU data=Are you there, my friend\?\\x00>`)
	asked.expect(`Sent <Reply '\$\.Q' id=\[0:2\] to=2 in_reply_to=\[0:1\]>`)
}

// TestKmsgData is FMT, and what was wrong with it (B39).
func TestKmsgData(t *testing.T) {
	withDaemon(t, 1)
	linked(t)
	k := openKsock(t)
	must(t, k.Bind(t.Context(), "$.A", kbus.Listener))
	for _, c := range []struct{ args, data string }{
		{"s abc", "abc"}, {"string abc", "abc"}, {"z abc", "abc\x00"}, {"h 6100ff", "a\x00\xff"}, {"n abc", ""}, {"s ", ""},
	} {
		if _, said, status := ran(t, "kmsg", append([]string{"send", "$.A"}, strings.Split(c.args, " ")...)...); status != 0 {
			t.Fatalf("%s: status %d, %s", c.args, status, said)
		}
		m, err := k.Next(t.Context())
		must(t, err)
		if m == nil || string(m.Data) != c.data {
			t.Errorf("%s: %v, want %q", c.args, m, c.data)
		}
	}
	for _, args := range [][]string{{"send", "$.A", "-"}, {"send", "$.A", "-", "ignored"}} {
		c := exec.Command("kmsg", args...)
		c.Stdin = strings.NewReader("from standard input")
		must(t, c.Run())
		m, err := k.Next(t.Context())
		must(t, err)
		if m == nil || string(m.Data) != "from standard input" {
			t.Errorf("%v", m)
		}
	}
}

// TestKmsgFails is R10.73.
func TestKmsgFails(t *testing.T) {
	withDaemon(t, 1)
	linked(t)
	must(t, openKsock(t).Bind(t.Context(), "$.Taken", kbus.Replier))
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"", 1, "usage"}, {"-help", 4, "usage"}, {"frog $.A", 4, "usage"}, {"--bus", 2, "usage"},
		{"--bus x listen $.A", 2, "usage"},
		{"--full --dump listen $.A", 4, "usage"}, // in that order only
		{"listen", 2, "usage"}, {"reply $.A $.B", 2, "usage"}, {"send $.A s", 3, "usage"}, {"call $.A", 3, "usage"},
		{"-bus 7 listen $.A", 10, "cannot open bus 7"}, {"-bus 7 send $.A s x", 20, "cannot open bus 7"},
		{"reply $.Taken", 11, "cannot bind"}, {"listen Fred", 11, "cannot bind"},
		{"send Fred s x", 21, "cannot send"}, {"call $.Nobody s x", 21, "cannot send"},
		{"send $.A h 123", 22, "pairs of hexadecimal"}, {"send $.A h xy", 22, "pairs of hexadecimal"},
	} {
		_, said, status := ran(t, "kmsg", strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(said, c.says) {
			t.Errorf("kmsg %s: status %d, %s; want %d and %q", c.args, status, said, c.status, c.says)
		}
	}
}

func TestKmsgDumps(t *testing.T) {
	withDaemon(t, 1)
	linked(t)
	heard := printing(t, "kmsg", "-v", "--dump", "listen", "$.A")
	heard.expect(`Binding.*`)
	heard.expect(`\.\.bound.*`)
	_, _, _ = ran(t, "kmsg", "send", "$.A", "s", "0123456789abcdefg")
	for _, want := range []string{
		`Message Announcement`, `  name: +\$\.A`, `  id: +\[0:1\]`, `  in_reply_to: +\[0:0\]`, `  to: +0`,
		`  from: +2`, `  orig_from: +\(0,0\)`, `  final_to: +\(0,0\)`, `  flags: +0x0`, `  data_len: +17`,
		`  0000  30 31 .* 66`, `  0010  67`,
	} {
		heard.expect(want)
	}
}

// TestKspeed is R10.74: a thousand messages, and again.
func TestKspeed(t *testing.T) {
	withDaemon(t, 1)
	linked(t)
	receives := printing(t, "kspeed", "-bus", "0", "listen", "$.Speed")
	receives.expect(`> Listening to \$\.Speed on /dev/kbus0 \.\. `)
	k := openKsock(t)
	must(t, k.Bind(t.Context(), "$.Speed", kbus.Listener))
	sends := printing(t, "kspeed", "send", "$.Speed", "3")
	sends.expect(`> Sending 3 bytes to \$\.Speed on /dev/kbus0 \.\. `)
	for range 2 {
		sends.expect(`> Sent 1000 messages in [0-9.]+ ms => [0-9.]+ msgs/ms `)
		receives.expect(`> Recvd 1000 messages in [0-9.]+ ms => [0-9.]+ msgs/ms `)
	}
	m, err := k.Receive(t.Context())
	must(t, err)
	if string(m.Data) != "UUU" {
		t.Errorf("%v", m)
	}
	for _, args := range []string{"", "send $.A", "send $.A x", "listen", "-bus", "frog $.A 1"} {
		if _, said, status := ran(t, "kspeed", strings.Fields(args)...); status != 1 || !strings.HasPrefix(said, "usage") {
			t.Errorf("kspeed %s: status %d, %s", args, status, said)
		}
	}
	for _, args := range []string{"send $.A 0", "send Fred 1", "-bus 7 listen $.A", "listen Fred", "send $.A 1000000"} {
		if _, said, status := ran(t, "kspeed", strings.Fields(args)...); status != 2 || !strings.HasPrefix(said, "kspeed: ") {
			t.Errorf("kspeed %s: status %d, %s", args, status, said)
		}
	}
}

// TestKbusErrno is R10.70. Its status is always 0.
func TestKbusErrno(t *testing.T) {
	linked(t)
	for args, want := range map[string]string{
		"32":    "Error 32 (0x20) is EPIPE: Broken pipe\n\nKBUS:\n",
		"EPIPE": "EPIPE is error 32 (0x20): Broken pipe\n\nKBUS:\n",
		"5":     "Error 5 (0x5) is EIO: Input/output error\n",
		"EFROG": "Unrecognised error code mnemonic EFROG\n",
		"-list": "  1: EPERM                Operation not permitted\n  2: ENOENT ",
		"":      "usage: ", "1 2": "usage: ", "--help": "Unrecognised error code mnemonic --help\n",
	} {
		out, said, status := ran(t, "kbus-errno", strings.Fields(args)...)
		if status != 0 || said != "" || !strings.HasPrefix(out, want) {
			t.Errorf("kbus-errno %s: status %d, %s%s", args, status, out, said)
		}
	}
}

// TestLimpetIsAnotherProgram: `kbus limpet`, and kbus as runlimpet, become kbus-limpet, beside kbus or else in PATH.
func TestLimpetIsAnotherProgram(t *testing.T) {
	other := filepath.Join(t.TempDir(), limpetProgram)
	must(t, compileArgs(other))
	alone(t)
	linked(t)
	for _, command := range [][]string{{"kbus", "limpet", "pair"}, {"runlimpet", "-s", "host:1"}} {
		_, said, status := ran(t, command[0], command[1:]...)
		if status != 2 || !strings.Contains(said, "there is no kbus-limpet: it should lie beside "+filepath.Join(bin, "kbus")) {
			t.Errorf("%v: status %d, %s", command, status, said)
		}
	}
	for _, dir := range []string{t.TempDir(), bin} {
		program := filepath.Join(dir, limpetProgram)
		must(t, os.Link(other, program))
		t.Setenv("PATH", os.Getenv("PATH")+string(os.PathListSeparator)+dir)
		for _, c := range [][]string{{"kbus", "limpet", "pair", "--bus", "3"}, {"runlimpet", "-s", "--help"}} {
			out, said, status := ran(t, c[0], c[1:]...)
			want := program + " kbus-limpet pair --bus 3\n"
			if c[0] == "runlimpet" {
				want = program + " runlimpet -s --help\n"
			}
			if status != 42 || out != want {
				t.Errorf("%v: status %d, %s%s; want %s", c, status, out, said, want)
			}
		}
	}
}

// alone has the programs of the test elsewhere, with kbus and nothing beside it nor in PATH.
func alone(t *testing.T) {
	all := bin
	t.Cleanup(func() { bin = all })
	bin = t.TempDir()
	must(t, os.Link(filepath.Join(all, "kbus"), filepath.Join(bin, "kbus")))
	t.Setenv("PATH", bin)
}

// compileArgs makes a program that prints where it lies and all its arguments, and ends with status 42.
func compileArgs(program string) error {
	dir, err := os.MkdirTemp("", "kbus")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	source := filepath.Join(dir, "main.go")
	const text = `package main
import ("fmt"; "os"; "strings")
func main() { p, _ := os.Executable(); fmt.Println(p, strings.Join(os.Args, " ")); os.Exit(42) }
`
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		return err
	}
	build := exec.Command("go", "build", "-o", program, source)
	build.Stdout, build.Stderr = io.Discard, os.Stderr
	return build.Run()
}
