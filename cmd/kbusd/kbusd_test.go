package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"kbus.example/kbus/internal/rundir"
	"kbus.example/kbus/internal/server"
	"kbus.example/kbus/internal/testing/rawclient"
)

// The tests run kbusd as what it is, a process: this test binary, told by its environment to be kbusd.

const beKbusd = "BE_KBUSD"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "service" { // first, for a service has the environment of its kbusd
		beService(os.Args[2:])
	}
	if os.Getenv(beKbusd) != "" {
		main() // and what it starts in its place is kbusd too
	}
	os.Exit(m.Run())
}

// process is a running kbusd with all that it tells: log lines, and notifications as systemd gets them.
type process struct {
	*exec.Cmd
	t   *testing.T
	dir string
	now int // which process it is, once it has been replaced

	mu    sync.Mutex
	more  sync.Cond
	lines []string // of the log, and "notify: STATE"
	over  bool     // no more will come
	ended chan struct{}
}

// command is kbusd, not started yet, with its sockets in dir. shell, if not empty, is done by the shell that becomes
// kbusd, for what must be so before it starts.
func command(t *testing.T, dir, shell string, args ...string) *process {
	t.Helper()
	if shell == "" {
		shell = ":"
	}
	args = append([]string{"-c", shell + `; exec "$0" "$@"`, os.Args[0], "--dir", dir}, args...)
	p := &process{Cmd: exec.Command("/bin/sh", args...), t: t, dir: dir, ended: make(chan struct{})}
	p.more.L = &p.mu
	p.Env = append(os.Environ(), beKbusd+"=1")
	p.Stderr = p
	return p
}

// run starts kbusd with its own directory and waits until it is ready.
func runKbusd(t *testing.T, args ...string) *process {
	p := command(t, t.TempDir(), "", args...)
	p.start()
	p.wait("notify: READY=1")
	return p
}

// start starts the process and listens to what it tells systemd.
func (p *process) start() {
	p.t.Helper()
	socket := filepath.Join(p.t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		p.t.Fatal(err)
	}
	p.Env = append(p.Env, "NOTIFY_SOCKET="+socket)
	go func() {
		var b [1000]byte
		for {
			n, err := conn.Read(b[:])
			if err != nil || n == 0 {
				p.end()
				return
			}
			fmt.Fprintf(p, "notify: %s\n", bytes.ReplaceAll(b[:n], []byte("\n"), []byte(" ")))
		}
	}()
	if err := p.Cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func() {
		p.Cmd.Wait()
		if last, err := net.Dial("unixgram", socket); err == nil { // behind all that kbusd has told systemd
			last.Write(nil)
			last.Close()
		}
		close(p.ended)
	}()
	p.t.Cleanup(func() {
		p.Process.Kill()
		<-p.ended
		conn.Close()
		if p.t.Failed() {
			p.t.Logf("what kbusd said:\n%s", strings.Join(p.lines, "\n"))
		}
	})
}

// Write takes what kbusd says.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range bytes.Lines(b) {
		p.lines = append(p.lines, strings.TrimSpace(string(line)))
	}
	p.more.Broadcast()
	return len(b), nil
}

// end says that no more lines will come.
func (p *process) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.more.Broadcast()
}

// wait waits for a line with all the words, after those that earlier waits have found, and gives it. The test fails if kbusd has
// ended without it.
func (p *process) wait(words ...string) string {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for i, line := range p.lines {
			if has(line, words) {
				p.lines[i] = "(seen) " + strings.Join(words, " ")
				return line
			}
		}
		if p.over {
			p.t.Fatalf("kbusd has ended, and has never said %q", words) // what it has said follows, see start
		}
		p.more.Wait()
	}
}

func has(line string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(line, w) || strings.HasPrefix(line, "(seen)") {
			return false
		}
	}
	return true
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// exits waits for the end and checks its status.
func (p *process) exits(want int) {
	p.t.Helper()
	<-p.ended
	if got := p.ProcessState.ExitCode(); got != want {
		p.t.Errorf("exit status %d (%v); want %d", got, p.ProcessState, want)
	}
}

func (p *process) path(bus int) string { return rundir.SocketPath(p.dir, uint32(bus)) }

func (p *process) open() *rawclient.Client {
	p.t.Helper()
	return rawclient.Open(p.t, p.path(0))
}

// says runs kbusd to its end and gives what it printed.
func says(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(args, &out, &err)
	return status, out.String(), err.String()
}

func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.toml"), filepath.Join(dir, "bad.toml")
	strangers := filepath.Join(dir, "strangers.toml")
	write(t, strangers, "administration = \"group:nosuchgroup\"\n")
	write(t, good, "buses = 2\n")
	write(t, bad, "buses = 2\n\n[limts]\nconnections = 1\n")
	for _, c := range []struct {
		args           string
		status         int
		stdout, stderr string // what is among it
	}{
		{"--help", 0, "usage: kbusd [flags]", ""},
		{"--version", 0, server.Version, ""},
		{"--check", 0, "ok", ""},
		{"--config " + good + " --check", 0, good + " ok", ""},
		{"--config " + bad + " --check", 1, "",
			bad + `:4: unknown key "limts.connections"; did you mean "limits.connections"?`},
		{"--config " + bad, 1, "", bad + ":4: "},
		{"--config /none/kbusd.toml --check", 1, "", "/none/kbusd.toml"},
		{"--buses 257 --check", 2, "", "--buses: buses must be 1 to 256, not 257"},
		{"--socket-group nosuchgroup --check", 2, "", "--socket-group: socket.group is an unknown group: \"nosuchgroup\""},
		{"--config " + strangers + " --check", 1, "", strangers + `:1: administration is an unknown group: "nosuchgroup"`},
		{"--buses many --config " + bad + " --drain 5 --check", 2, "",
			"invalid value \"many\" for flag --buses: \"many\" is no number that fits\n" +
				"invalid value \"5\" for flag --drain: \"5\" is no duration; write for instance \"5s\"\n" + bad + ":4: "},
		{"--buses many", 2, "", "invalid value \"many\" for flag --buses"},
		{"--socket-mode 999", 2, "", `"999" is no file mode`},
		{"--drain 5", 2, "", `write for instance "5s"`},
		{"--log-level wern", 2, "", `did you mean "warn"?`},
		{"--frobnicate", 2, "", "--frobnicate\nusage: kbusd"},
		{"start", 2, "", `unexpected argument "start"`},
	} {
		status, stdout, stderr := says(t, strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
			t.Errorf("kbusd %s: status %d, printed %q, %q", c.args, status, stdout, stderr)
		}
		if (stdout == "") == (stderr == "") {
			t.Errorf("kbusd %s: printed %q and %q", c.args, stdout, stderr)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSecondDaemon(t *testing.T) {
	p := runKbusd(t)
	second := command(t, p.dir, "")
	second.start()
	second.exits(exitFailure)
	second.wait("cannot start", "another kbusd serves this directory", fmt.Sprint("pid ", p.Process.Pid))
	p.open()
}

func TestJSONLog(t *testing.T) {
	p := runKbusd(t, "--log-format", "json")
	p.wait(`"msg":"buses are open"`, `"buses":1`)
	p.signal(syscall.SIGTERM)
	p.exits(exitOK)
	p.wait(`"msg":"stopping"`)
}

// The log must hold nobody up: not the bus, and not for ever the end.
func TestLogNobodyReads(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := command(t, t.TempDir(), "", "--log-level", "debug")
	p.Stderr = w
	p.start()
	w.Close()
	p.wait("notify: READY=1")
	for range 3000 { // a line each: more than pipe and buffer hold
		c := p.open()
		c.CloseWrite()
		c.Drain()
	}
	lost := make(chan string)
	go func() {
		defer close(lost)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			if strings.Contains(lines.Text(), "log lines lost") {
				lost <- lines.Text()
				return
			}
		}
	}()
	if line := <-lost; !strings.Contains(line, "lines=") {
		t.Errorf("the log does not say what it lost: %q", line)
	}
	r.Close() // and now writing fails
	p.open()
	p.signal(syscall.SIGTERM)
	p.exits(exitOK)
}
