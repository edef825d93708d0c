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

	"kbus"
	"kbus/internal/server"
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
	program := filepath.Join(t.TempDir(), strings.TrimSuffix(source, filepath.Ext(source)))
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
	ctx, done := context.WithTimeout(t.Context(), hang)
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
func TestPrograms(t *testing.T) {
	for _, source := range []string{"ksocks.c", "modern.c", "limpets.c", "old.c"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			program := compile(t, "gcc", source)
			for _, rings := range []string{"on", "off"} {
				dir, stop := serve(t, func(c *server.Config) { c.Buses = 2 })
				said := run(t, dir, rings, program)
				stop()
				if source == "old.c" && said != oldSays {
					t.Errorf("rings %s: it says\n%s", rings, said)
				}
			}
		})
	}
}

const oldSays = `<Reply '$.Lamp.Set' id=[0:2] to=2 from=1 in_reply_to=[0:1] data=on>
<Reply '$.Lamp.Set' id=[0:4] to=2 from=1 in_reply_to=[0:3] data=off>
<Reply '$.Lamp.Set' id=[0:6] to=2 from=1 in_reply_to=[0:5] data=dimmed>
`

func TestMessages(t *testing.T) { run(t, "", "on", compile(t, "gcc", "messages.c")) }

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
	const flags = "-fsanitize=address,undefined -fno-sanitize-recover=all"
	dir := t.TempDir()
	made(t, "libkbus.a")
	said, err := exec.Command("make", "-s", "-j2", "-C", "..", "OUT="+dir, "CFLAGS=-O1 -g", "EXTRA="+flags,
		dir+"/libkbus.a").CombinedOutput()
	if err != nil {
		t.Skipf("gcc has no sanitizers here: %v\n%s", err, said)
	}
	for _, source := range []string{"messages.c", "ksocks.c", "modern.c", "limpets.c"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			program := compileWith(t, filepath.Join(dir, "libkbus.a"), "gcc", source, strings.Fields(flags)...)
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

// The program in docs/c.md, compiled as a user does it: from what was installed, with pkg-config.
func TestInstalled(t *testing.T) {
	if _, err := exec.LookPath("pkg-config"); err != nil {
		t.Skip("pkg-config is not installed")
	}
	page, err := os.ReadFile("../../../docs/c.md")
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(page), "```c\n")
	program, _, found := strings.Cut(program, "```")
	if !found {
		t.Fatal("docs/c.md has no program")
	}
	made(t, "libkbus.so")
	prefix := t.TempDir()
	said, err := exec.Command("make", "-s", "-C", "..", "OUT="+library.dir, "PREFIX="+prefix, "install").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	t.Setenv("PKG_CONFIG_PATH", prefix+"/lib/pkgconfig")
	// kbus.pc was made for another place.
	flags, err := exec.Command("pkg-config", "--define-variable=prefix="+prefix, "--define-variable=libdir="+prefix+"/lib",
		"--define-variable=includedir="+prefix+"/include", "--cflags", "--libs", "kbus").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(prefix+"/lamp.c", []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-Wall", "-Wextra", "-Werror", "-o", prefix + "/lamp", prefix + "/lamp.c"},
		strings.Fields(string(flags))...)
	if said, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	dir, stop := serve(t, nil)
	defer stop()
	lamp := exec.Command(prefix + "/lamp")
	lamp.Env = append(os.Environ(), "KBUS_DIR="+dir, "LD_LIBRARY_PATH="+prefix+"/lib")
	var says bytes.Buffer
	lamp.Stdout, lamp.Stderr = &says, &says
	if err := lamp.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, done := context.WithTimeout(t.Context(), hang)
	defer done()
	awaitReplier(t, ctx, dir, "$.Lamp.Set")
	k, err := kbus.Open(0, kbus.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for _, state := range []string{"on", "off"} {
		reply, err := k.Call(ctx, kbus.Request("$.Lamp.Set", state))
		if err != nil || string(reply.Data) != "done" {
			t.Fatal(reply, err)
		}
	}
	if err := lamp.Wait(); err != nil || says.String() != "the lamp is on\nthe lamp is off\n" {
		t.Errorf("%v, %q", err, &says)
	}
	for _, page := range []string{"kbus_ksock_send.3", "kbus_bus_receive.3", "kbus_limpet_new_context.3",
		"kbus_msg_is_reply.3"} {
		if text, err := os.ReadFile(prefix + "/share/man/man3/" + page); err != nil || !bytes.Contains(text,
			[]byte(".SH SYNOPSIS")) {
			t.Errorf("%s: %v", page, err)
		}
	}
	if st, err := os.Stat(prefix + "/lib/libkbus.so.1"); err != nil || st.Size() > 1<<20 {
		t.Error(st, err)
	}
}

// awaitReplier waits until somebody is bound as Replier: the bus announces it.
func awaitReplier(t *testing.T, ctx context.Context, dir, name string) {
	t.Helper()
	k, err := kbus.Open(0, kbus.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if err := k.Bind("$.KBUS.ReplierBindEvent", kbus.Listener); err != nil {
		t.Fatal(err)
	}
	if _, err := k.SetReportReplierBinds(true); err != nil {
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
