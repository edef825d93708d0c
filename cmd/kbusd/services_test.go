package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Services are started by a real kbusd, and are real programs: this test binary again, told by its arguments to be one.

// beService answers Requests of a name with its pid and uid: so many, or 0 for any number. One that says so has it exit.
func beService(args []string) {
	switch args[0] {
	case "exit":
		n, _ := strconv.Atoi(args[1])
		os.Exit(n)
	case "hang":
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM)
		<-signals
		os.Exit(0)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "late":
		if _, err := os.ReadFile(args[3]); err != nil { // a pipe
			panic(err)
		}
	}
	ctx := context.Background()
	k, err := kbus.Open(ctx, 0)
	if err == nil {
		err = k.Bind(ctx, args[1], kbus.Replier)
	}
	most, _ := strconv.Atoi(args[2])
	for n := 0; err == nil && (most == 0 || n < most); n++ {
		var m, reply *kbus.Message
		if m, err = k.Receive(ctx); err == nil {
			if status, exits := strings.CutPrefix(string(m.Data), "exit "); exits {
				n, _ := strconv.Atoi(status)
				os.Exit(n)
			}
			if reply, err = m.Reply(fmt.Appendf(nil, "%d %d", os.Getpid(), os.Getuid())); err == nil {
				_, err = k.Send(ctx, reply)
			}
		}
	}
	if args[0] == "stubborn" {
		_, _ = unix.Poll([]unix.PollFd{{Fd: 2}}, -1) // until nobody reads its errors any more
	}
	if err != nil && (most == 0 || err != kbus.ErrAddresseeGone) {
		fmt.Fprintln(os.Stderr, "service:", err)
	}
	os.Exit(0)
}

// served is a kbusd with services.
type served struct {
	*process
	folder, config string
}

// withServices runs kbusd with services, which are given by file name and text; $0 in it is this binary.
func withServices(t *testing.T, files map[string]string) *served {
	s := &served{folder: filepath.Join(t.TempDir(), "kbus.d")}
	s.config = filepath.Join(filepath.Dir(s.folder), "kbusd.toml")
	writeFile(t, s.config, "")
	for name, text := range files {
		s.write(t, name, text)
	}
	s.process = runKbusd(t, "--config", s.config)
	return s
}

func (s *served) write(t *testing.T, name, text string) {
	writeFile(t, filepath.Join(s.folder, name), strings.ReplaceAll(text, "$0", os.Args[0]))
}

// ask sends a Call and gives its sequence number; answer is what came.
func ask(c *rawclient.Client, name string) uint32 { return say(c, name, "?") }

func say(c *rawclient.Client, name, data string) uint32 {
	return c.Put(wire.OpCall, 0, rawclient.Message(message.Header{Flags: message.WantAReply}, name, []byte(data)))
}

func (s *served) answer(c *rawclient.Client) message.Message {
	s.t.Helper()
	f := c.Next()
	if f.Op != wire.OpCall || f.Condition != message.OK {
		s.t.Fatalf("%v came, %v %s", f.Op, f.Condition.Name(), f.Payload)
	}
	return f.Parse(s.t)
}

// pidIn is the process that a reply is of.
func (s *served) pidIn(m message.Message) int {
	s.t.Helper()
	pid, err := strconv.Atoi(strings.Fields(string(m.Data) + " ?")[0])
	if err != nil {
		s.t.Fatalf("no Reply: %v", &m)
	}
	return pid
}

func (s *served) notStarted(c *rawclient.Client, name, why string) {
	s.t.Helper()
	ask(c, name)
	if m := s.answer(c); m.Name != message.NameNotStarted || !strings.Contains(string(m.Data), why) {
		s.t.Errorf("%v; want %s", &m, why)
	}
}

// awaitEnd waits for the end of a process that is not ours to wait for.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err == unix.ESRCH {
		return
	}
	if err != nil {
		t.Skip("no pidfd: ", err)
	}
	defer unix.Close(fd)
	for {
		if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1); n == 1 || err != unix.EINTR {
			return
		}
	}
}

// TestServiceStarts: three Requests at once, of three clients, start one program, and each has its Reply. When the program has
// gone, the next Request starts another.
func TestServiceStarts(t *testing.T) {
	s := withServices(t, map[string]string{"door.toml": "name = \"$.Door\"\nexec = [\"$0\", \"service\", \"serve\", \"$.Door\", \"4\"]\n"})
	s.wait("buses are open", "services=1")
	clients := []*rawclient.Client{s.open(), s.open(), s.open()}
	for _, c := range clients {
		ask(c, "$.Door")
	}
	pid := 0
	for _, c := range clients {
		got := s.pidIn(s.answer(c))
		if pid == 0 {
			pid = got
		}
		if got != pid {
			t.Errorf("two programs answer: %d and %d", pid, got)
		}
	}
	s.wait("service started", "door.toml", fmt.Sprint("pid=", pid))
	ask(clients[0], "$.Door") // its last
	s.answer(clients[0])
	s.wait("service ended", fmt.Sprint("pid=", pid), "status 0")
	ask(clients[1], "$.Door")
	if again := s.pidIn(s.answer(clients[1])); again == pid {
		t.Error("it has not been started again")
	}
}

// TestServiceFails: who asks is told why, once, whatever the reason.
func TestServiceFails(t *testing.T) {
	s := withServices(t, map[string]string{
		"a.toml": "name = \"$.Exits\"\nexec = [\"$0\", \"service\", \"exit\", \"3\"]\n",
		"b.toml": "name = \"$.Missing\"\nexec = [\"/none/such\"]\n",
		"c.toml": "name = \"$.Hangs\"\nexec = [\"$0\", \"service\", \"hang\"]\ndeadline = \"50ms\"\n",
	})
	c := s.open()
	s.notStarted(c, "$.Exits", "the program exited with status 3")
	s.notStarted(c, "$.Exits", "the program exited with status 3") // and perhaps when the next try is: the Keeper's own tests have a clock
	s.notStarted(c, "$.Missing", "it cannot be executed: no such file or directory")
	s.notStarted(c, "$.Hangs", "it has not become the Replier of $.Hangs within 50ms")
	s.wait("service ended", "c.toml") // by the signal, if it has not come to handle that
	list := report(c, t)
	if len(list) != 3 || list[0].State != "failed" || list[0].Failures == 0 || list[0].LastFailure == "" || list[2].PID != 0 {
		t.Errorf("the report: %+v", list)
	}
	if f := c.Must(wire.OpNumMessages, 0, nil); f.Arg != 0 {
		t.Errorf("%d other answers came", f.Arg)
	}
}

// report is how services are.
func report(c *rawclient.Client, t *testing.T) (list []wire.Service) {
	t.Helper()
	for line := range bytes.Lines(c.Ask(wire.OpServices, 0, nil).Payload) {
		var s wire.Service
		if err := json.Unmarshal(line, &s); err != nil {
			t.Error(err)
		}
		list = append(list, s)
	}
	return list
}

// TestServiceOfSomebodyGone: who asks and goes has asked all the same.
func TestServiceOfSomebodyGone(t *testing.T) {
	s := withServices(t, map[string]string{"a.toml": "name = \"$.A\"\nexec = [\"$0\", \"service\", \"serve\", \"$.A\", \"1\"]\n"})
	c := s.open()
	c.Must(wire.OpSendMessage, 0, rawclient.Message(message.Header{Flags: message.WantAReply}, "$.A", nil))
	c.CloseWrite()
	c.Drain()
	s.wait("service ended", "a.toml", "status 0")
}

// TestServiceByHand: a Replier that somebody else starts answers what waits.
func TestServiceByHand(t *testing.T) {
	s := withServices(t, map[string]string{"a.toml": "name = \"$.A\"\nexec = [\"$0\", \"service\", \"hang\"]\ndeadline = \"1h\"\n"})
	c, r := s.open(), s.open()
	ask(c, "$.A")
	s.wait("service started")
	r.Bind("$.A", true)
	r.Put(wire.OpNextWait, 0, nil)
	asked := r.Next().Parse(t)
	r.Must(wire.OpSendMessage, 0, rawclient.Message(message.Header{InReplyTo: asked.ID, To: asked.From}, "$.A", []byte("by hand")))
	if m := s.answer(c); string(m.Data) != "by hand" {
		t.Errorf("%v", &m)
	}
}

// TestServicesReload: files are taken whole or not at all, and what waits for a name that has no service any more is told so.
func TestServicesReload(t *testing.T) {
	s := withServices(t, map[string]string{"a.toml": "name = \"$.A\"\nexec = [\"$0\", \"service\", \"serve\", \"$.A\", \"0\"]\n"})
	c := s.open()
	reload := func(words ...string) {
		t.Helper()
		s.signal(syscall.SIGHUP)
		s.wait(words...)
		s.wait("notify: READY=1")
	}
	s.write(t, "a.toml", "Name = \"$.A\"\nexec = [\"/a\"]\n")
	s.write(t, "b.toml", "name = \"$.B\"\n\nunit = 5\n")
	reload("reload refused", "a.toml:1:1: unknown key", "did you mean", "name")
	s.wait("reload refused", "b.toml:3:8: unit takes a string")
	ask(c, "$.A")
	pid := s.pidIn(s.answer(c))
	// A program that is the Replier is let be when its file changes.
	s.write(t, "a.toml", "name = \"$.A\"\nexec = [\"/none/such\"]\n")
	s.write(t, "b.toml", "name = \"$.B\"\nexec = [\"$0\", \"service\", \"hang\"]\ndeadline = \"1h\"\n")
	reload("reloaded", "services=2")
	ask(c, "$.A")
	if again := s.pidIn(s.answer(c)); again != pid {
		t.Errorf("another program answers: %d, not %d", again, pid)
	}
	ask(c, "$.B")
	s.wait("service started", "b.toml")
	os.RemoveAll(s.folder)
	reload("reloaded", "services=0")
	if m := s.answer(c); m.Name != message.NameNotStarted || !strings.Contains(string(m.Data), "not configured any more") {
		t.Errorf("%v", &m)
	}
	s.wait("service ended", "b.toml")
	if f := c.Ask(wire.OpCall, 0, rawclient.Message(message.Header{Flags: message.WantAReply}, "$.B", nil)); f.Condition != message.ErrNoReplier {
		t.Errorf("without services: %v", f.Condition)
	}
}

// TestServicesEnd: they end with the daemon, when it stops and when it is killed; what waits then has its Status.
func TestServicesEnd(t *testing.T) {
	for _, killed := range []bool{false, true} {
		s := withServices(t, map[string]string{
			"a.toml": "name = \"$.A\"\nexec = [\"$0\", \"service\", \"serve\", \"$.A\", \"0\"]\n",
			"b.toml": "name = \"$.B\"\nexec = [\"$0\", \"service\", \"hang\"]\ndeadline = \"1h\"\n",
		})
		c := s.open()
		ask(c, "$.A")
		pid := s.pidIn(s.answer(c))
		ask(c, "$.B")
		hanging := regexp.MustCompile(`pid=(\d+)`).FindStringSubmatch(s.wait("service started", "b.toml"))
		other, _ := strconv.Atoi(hanging[1])
		if killed {
			s.Process.Kill()
			<-s.ended
			awaitEnd(t, pid)
			awaitEnd(t, other)
			continue
		}
		s.signal(syscall.SIGTERM)
		var status message.Message
		for status.Name == "" {
			if f := c.Next(); f.Op == wire.OpCall {
				status = f.Parse(t)
			}
		}
		if status.Name != message.NameNotStarted || string(status.Data) != "the bus is stopping" {
			t.Errorf("%v", &status)
		}
		s.exits(exitOK)
		for _, p := range []int{pid, other} {
			if err := unix.Kill(p, 0); err != unix.ESRCH {
				t.Errorf("process %d is still there: %v", p, err)
			}
		}
	}
}

// TestServiceUnit: systemd is asked to start it, with the words that it takes. Where there is no systemd another program of that
// name does what it would.
func TestServiceUnit(t *testing.T) {
	bin := t.TempDir()
	script := "#!/bin/sh\n[ \"$*\" = \"start --no-block door.service\" ] || [ \"$*\" = \"--user start --no-block door.service\" ] ||\n" +
		"	{ echo hint >&2; echo \"Failed to start: $*\" >&2; exit 5; }\nexec setsid " + os.Args[0] + " service serve '$.Door' 0 >/dev/null 2>&1 </dev/null &\n" +
		"echo $! >" + filepath.Join(bin, "pid") + "\n"
	if err := os.WriteFile(filepath.Join(bin, "systemctl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	s := withServices(t, map[string]string{
		"a.toml": "name = \"$.Door\"\nunit = \"door.service\"\n",
		"b.toml": "name = \"$.Lamp\"\nunit = \"lamp.service\"\n",
	})
	c := s.open()
	ask(c, "$.Door")
	pid := s.pidIn(s.answer(c))
	t.Cleanup(func() { syscall.Kill(pid, syscall.SIGKILL) })
	s.notStarted(c, "$.Lamp", "lamp.service: systemctl: the program exited with status 5: Failed to start: ")
	s.signal(syscall.SIGTERM)
	s.exits(exitOK)
	awaitEnd(t, pid) // by itself, for its bus has gone
}

// TestServiceDescriptors: a program gets its standard descriptors and none that the daemon has, or has inherited.
func TestServiceDescriptors(t *testing.T) {
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "a.toml"), "name = \"$.A\"\nexec = [\"/bin/sh\", \"-c\", \"exit $(ls /proc/self/fd | wc -l)\"]\n")
	p := command(t, t.TempDir(), "", "--services", folder)
	p.ExtraFiles = []*os.File{os.Stdin, os.Stdin}
	s := &served{process: p}
	s.start()
	s.process.wait("notify: READY=1")
	s.notStarted(s.open(), "$.A", "the program exited with status 4") // the fourth is the directory that ls reads
}

// TestServiceUser: a daemon of root starts programs as others.
func TestServiceUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("this takes root")
	}
	dir, err := os.MkdirTemp("", "kbus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	program := filepath.Join(dir, "service")
	copyProgram(t, os.Args[0], program)
	config := filepath.Join(dir, "kbusd.toml")
	writeFile(t, config, "")
	writeFile(t, filepath.Join(dir, "kbus.d", "a.toml"), fmt.Sprintf("name = \"$.A\"\nexec = [%q, \"service\", \"serve\", \"$.A\", \"0\"]\nuser = \"nobody\"\n", program))
	s := &served{process: command(t, filepath.Join(dir, "run"), "", "--config", config)}
	s.start()
	s.process.wait("notify: READY=1")
	c := s.open()
	ask(c, "$.A")
	if m := s.answer(c); !strings.HasSuffix(string(m.Data), " 65534") {
		t.Errorf("%v", &m)
	}
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err == nil {
		_, err = io.Copy(out, in)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}
