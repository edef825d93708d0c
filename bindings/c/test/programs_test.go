package test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/server"
)

// hang is when a program is given up: only one that is broken comes near it.
const hang = 2 * time.Minute

// compile makes a program of a source file here, with the library in it. more are further arguments.
func compile(t *testing.T, compiler, source string, more ...string) string {
	t.Helper()
	return compileWith(t, made(t, "libkbus.a"), compiler, source, more...)
}

func compileWith(t *testing.T, archive, compiler, source string, more ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(source), filepath.Ext(source)))
	args := append([]string{"-Wall", "-Wextra", "-Werror", "-g", "-I../include", "-I../include/kbus", "-o",
		program, filepath.Join("testdata", source)}, more...)
	if compiler == "gcc" {
		args = append([]string{"-std=c99", "-D_GNU_SOURCE"}, args...)
	}
	if said, err := exec.Command(compiler, append(args, archive, "-pthread")...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", source, err, said)
	}
	return program
}

// run runs a program to its end against the bus in dir, and gives what it has written.
func run(t *testing.T, dir, rings string, line ...string) string {
	t.Helper()
	return runWithin(t, hang, dir, rings, line...)
}

func runWithin(t *testing.T, limit time.Duration, dir, rings string, line ...string) string {
	t.Helper()
	ctx, done := context.WithTimeout(t.Context(), limit)
	defer done()
	c := exec.CommandContext(ctx, line[0], line[1:]...)
	c.Env = append(os.Environ(), "KBUS_DIR="+dir, "KBUS_RINGS="+rings)
	said, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(line, " "), err, said)
	}
	return string(said)
}

// Each program runs by itself against a bus of its own, through rings and through the socket.
func everyWay(t *testing.T, source string) {
	t.Helper()
	program := compile(t, "gcc", source)
	for _, rings := range []string{"on", "off"} {
		dir, stop := serve(t, func(c *server.Config) { c.Buses = 2 })
		run(t, dir, rings, program)
		stop()
	}
}

func TestPrograms(t *testing.T) {
	for _, source := range []string{"ksocks.c", "modern.c", "arena.c", "limpets.c", "traces.c"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			everyWay(t, source)
		})
	}
}

// What a Ksock is told beside its messages: how many it missed, who sent one; and answers that come too late.
func TestTold(t *testing.T) { everyWay(t, "told.c") }

// Neither addresses nor descriptors are left for rings.
func TestNoRoomToMap(t *testing.T) {
	dir, stop := serve(t, nil)
	defer stop()
	run(t, dir, "on", compile(t, "gcc", "cramped.c"))
}

func TestFullBell(t *testing.T) { run(t, "", "on", compile(t, "gcc", "bell.c")) }

func TestForks(t *testing.T) { everyWay(t, "forks.c") }

func TestSignals(t *testing.T) { everyWay(t, "signals.c") }

func TestCancelledThreads(t *testing.T) { everyWay(t, "cancelled.c") }

// Bad pointers, through rings and through the socket. (Device: see the conformance table's cases with pointers.)
func TestPointers(t *testing.T) {
	program := compile(t, "gcc", "pointers.c")
	for _, rings := range []string{"on", "off"} {
		dir, stop := serve(t, nil)
		run(t, dir, rings, program, filepath.Join(dir, "bus0.sock"))
		stop()
	}
}

func TestMessages(t *testing.T) { run(t, "", "on", compile(t, "gcc", "messages.c")) }

// The words that are shared with the daemon are right when what they count comes round.
func TestCountsComeRound(t *testing.T) { run(t, "", "on", compile(t, "gcc", "round.c")) }

func TestRunsOfResults(t *testing.T) { run(t, "", "on", compile(t, "gcc", "runs.c")) }

func TestHeadersInC99(t *testing.T) {
	compile(t, "gcc", "messages.c", "-pedantic", "-Wconversion", "-Wshadow")
}

func TestHeadersInCPlusPlus(t *testing.T) {
	if _, err := exec.LookPath("g++"); err != nil {
		t.Skip("g++ is not installed")
	}
	run(t, "", "on", compile(t, "g++", "headers.cc", "-pedantic"))
}

// The daemon is killed while programs wait.
func TestKilled(t *testing.T) {
	program := compile(t, "gcc", "gone.c")
	for _, rings := range []string{"on", "off"} {
		t.Run("rings "+rings, func(t *testing.T) {
			t.Parallel()
			dir := shortDir(t)
			defer os.RemoveAll(dir)
			daemon := exec.Command(os.Args[0])
			daemon.Env = append(os.Environ(), daemonVariable+"="+dir)
			await(t, daemon, 1)
			ctx, done := context.WithTimeout(t.Context(), hang)
			defer done()
			c := exec.CommandContext(ctx, program)
			c.Env = append(os.Environ(), "KBUS_DIR="+dir, "KBUS_RINGS="+rings)
			var said bytes.Buffer
			c.Stderr = &said
			await(t, c, 2)
			daemon.Process.Kill()
			daemon.Wait()
			if err := c.Wait(); err != nil {
				t.Errorf("%v\n%s", err, &said)
			}
		})
	}
}

// await starts a program and waits until it has said "ready" so many times.
func await(t *testing.T, c *exec.Cmd, times int) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c.Stdout = w
	err = c.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(r)
	for range times {
		if !lines.Scan() || lines.Text() != "ready" {
			t.Fatalf("%s has not got ready: %q, %v", c.Path, lines.Text(), lines.Err())
		}
	}
}

const daemonVariable = "KBUS_C_TEST_DAEMON"

// beDaemon is a daemon in a process of its own, which can be killed.
func beDaemon(dir string) {
	config := server.Default()
	config.Dir = dir
	s, err := server.Start(config, nil)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	s.Wait()
}

// The same programs with a library that watches itself: addresses, and what C leaves undefined.
func TestSanitizers(t *testing.T) {
	archive, flags := sanitized(t, "address,undefined")
	for _, source := range []string{"messages.c", "ksocks.c", "modern.c", "arena.c", "limpets.c", "told.c", "forks.c", "signals.c"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			program := compileWith(t, archive, "gcc", source, flags...)
			for _, rings := range []string{"on", "off"} {
				where, stop := serve(t, func(c *server.Config) { c.Buses = 2 })
				run(t, where, rings, program)
				stop()
			}
		})
	}
}

func TestValgrind(t *testing.T) {
	if _, err := exec.LookPath("valgrind"); err != nil {
		t.Skip("valgrind is not installed")
	}
	program := compile(t, "gcc", "modern.c")
	for _, rings := range []string{"on", "off"} {
		dir, stop := serve(t, nil)
		run(t, dir, rings, "valgrind", "-q", "--error-exitcode=1", "--leak-check=full", "--track-fds=no", program)
		stop()
	}
}

// awaitReplier waits until somebody is bound as Replier: the bus announces it.
func awaitReplier(t *testing.T, ctx context.Context, dir, name string) {
	t.Helper()
	k, err := kbus.Open(ctx, 0, kbus.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if err := k.Bind(ctx, "$.KBUS.ReplierBindEvent", kbus.Listener); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Settings().SetReportReplierBinds(ctx, true); err != nil {
		t.Fatal(err)
	}
	for m, err := range k.Messages(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(m.Data, []byte(name)) {
			return
		}
	}
}
