package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Programs that a daemon has started go on when another takes over from it, and the other has them as if it had started them
// itself. Each of these is with real programs.

const (
	serves   = "name = \"$.A\"\nexec = [\"$0\", \"service\", \"serve\", \"$.A\", \"0\"]\n"
	hangs    = "name = \"$.B\"\nexec = [\"$0\", \"service\", \"hang\"]\ndeadline = \"1h\"\n"
	also     = "name = \"$.C\"\nexec = [\"$0\", \"service\", \"serve\", \"$.C\", \"0\"]\n"
	stubborn = "name = \"$.C\"\nexec = [\"$0\", \"service\", \"stubborn\", \"$.C\", \"0\"]\n"
)

// answers asks a service, and gives the pid of the program that answers.
func (s *served) answers(c *rawclient.Client, name string) int {
	s.t.Helper()
	ask(c, name)
	return s.pidIn(s.answer(c))
}

// started is the program of a file that has been started.
func (s *served) started(file string) int {
	s.t.Helper()
	pid, _ := strconv.Atoi(regexp.MustCompile(`pid=(\d+)`).FindStringSubmatch(s.wait("service started", file))[1])
	return pid
}

func (s *served) isGone(pid int) {
	s.t.Helper()
	if err := unix.Kill(pid, 0); err != unix.ESRCH {
		s.t.Errorf("process %d is still there: %v", pid, err)
	}
}

func TestProgramsLiveOverUpgrades(t *testing.T) {
	s := withServices(t, map[string]string{"a.toml": serves})
	c, all := s.open(), s.open()
	pid := s.answers(c, "$.A")
	over, asked := make(chan struct{}), make(chan int)
	go func() { // asks all the time
		for n := 0; ; n++ {
			select {
			case <-over:
				asked <- n
				return
			default:
			}
			ask(all, "$.A")
			if f := all.Next(); f.Condition != message.OK || !strings.HasPrefix(string(f.Parse(t).Data), fmt.Sprint(pid, " ")) {
				t.Errorf("asked meanwhile: %v, %q", f.Condition.Name(), f.Payload)
				<-over
			}
		}
	}()
	for range 3 {
		s.replace()
		if again := s.answers(c, "$.A"); again != pid {
			t.Errorf("another program answers: %d, not %d", again, pid)
		}
		if r := report(c, t); len(r) != 1 || r[0].State != "running" || int(r[0].PID) != pid || r[0].Failures != 0 {
			t.Errorf("%+v", r)
		}
	}
	close(over)
	t.Logf("%d were answered meanwhile", <-asked)
}

// TestProgramsEndGenerationsLater: how a program ends is known to the daemon that runs then, and what follows is as ever. Each program
// is of another daemon here.
func TestProgramsEndGenerationsLater(t *testing.T) {
	s := withServices(t, map[string]string{"a.toml": serves, "b.toml": hangs, "c.toml": also})
	c, b := s.open(), s.open()
	a := s.answers(c, "$.A")
	s.replace()
	ask(b, "$.B")
	hanging := s.started("b.toml")
	s.replace()
	other := s.answers(c, "$.C")
	s.replace()
	guardian := s.now
	s.replace()

	say(c, "$.A", "exit 0")
	s.wait("service ended", "a.toml", fmt.Sprint("pid=", a), "status 0")
	s.answer(c)
	awaitEnd(t, s.Process.Pid) // the guardian of that one, which has no other
	if again := s.answers(c, "$.A"); again == a {
		t.Errorf("it has not been started again")
	}
	s.replace()
	say(c, "$.A", "exit 3")
	s.wait("service ended", "a.toml", "status 3")
	s.answer(c)
	s.notStarted(c, "$.A", "it has failed once, last: the program exited with status 3; next try in 1 s")
	syscall.Kill(hanging, syscall.SIGKILL)
	s.wait("service ended", "b.toml", fmt.Sprint("pid=", hanging), "ended by signal 9")
	if m := s.answer(b); m.Name != message.NameNotStarted || !strings.Contains(string(m.Data), "ended by signal 9") {
		t.Errorf("%v", &m)
	}
	s.replace() // and how it has failed is known still
	r := report(c, t)
	if r[0].State != "failed" || r[0].Failures != 1 || r[0].LastFailure != "the program exited with status 3" || r[1].Failures != 1 ||
		r[2].State != "running" || int(r[2].PID) != other {
		t.Errorf("%+v", r)
	}
	if err := unix.Kill(guardian, 0); err != nil {
		t.Error("the guardian of the third: ", err)
	}
}

// TestProgramsEndWithTheNextDaemon: when a daemon is killed that has started none of them, and when it stops.
func TestProgramsEndWithTheNextDaemon(t *testing.T) {
	for _, killed := range []bool{false, true} {
		s := withServices(t, map[string]string{"a.toml": serves, "b.toml": hangs, "c.toml": stubborn})
		c, b := s.open(), s.open()
		all := []int{s.answers(c, "$.A")}
		s.replace()
		ask(b, "$.B")
		all = append(all, s.started("b.toml"), s.answers(c, "$.C"))
		guardians := []int{s.Process.Pid, s.now}
		s.replace()
		if killed {
			s.signalNow(syscall.SIGKILL)
			for _, pid := range append(all, guardians...) {
				awaitEnd(t, pid)
			}
			continue
		}
		s.signalNow(syscall.SIGTERM)
		s.wait("a service has not ended in time and is killed", "c.toml")
		awaitEnd(t, s.now)
		for _, pid := range all {
			s.isGone(pid)
		}
		for _, pid := range guardians {
			awaitEnd(t, pid)
		}
	}
}

// TestGuardianKilled: its programs end, the daemon says so, and the next Request starts another. One that does not end by itself is
// killed.
func TestGuardianKilled(t *testing.T) {
	s := withServices(t, map[string]string{"a.toml": serves, "c.toml": stubborn})
	c := s.open()
	a, other := s.answers(c, "$.A"), s.answers(c, "$.C")
	s.replace()
	s.replace()
	s.Process.Kill()
	for file, pid := range map[string]int{"a.toml": a, "c.toml": other} {
		s.wait("the guardian of a service has ended before it", file, fmt.Sprint("pid=", pid))
		awaitEnd(t, pid)
		s.wait("service ended", file, fmt.Sprint("pid=", pid), "nobody knows how it ended")
	}
	for _, one := range report(c, t) {
		if one.Failures != 0 {
			t.Errorf("a failure is counted that was none of its own: %+v", one)
		}
	}
	if again := s.answers(c, "$.A"); again == a {
		t.Errorf("it is still %d", a)
	}
	s.replace()
}

// TestGuardianIsLeftAlone: it has nothing of a daemon any more, and signals that are meant for that do nothing to it.
func TestGuardianIsLeftAlone(t *testing.T) {
	s := withServices(t, map[string]string{"a.toml": serves, "c.toml": also})
	c := s.open()
	s.answers(c, "$.A")
	pid := s.answers(c, "$.C")
	s.replace()
	say(c, "$.A", "exit 0")
	s.wait("service ended", "a.toml") // so it is one by now
	s.answer(c)
	dir := fmt.Sprintf("/proc/%d/fd", s.Process.Pid)
	list, err := os.ReadDir(dir)
	sockets := 0
	for _, fd := range list {
		switch to, _ := os.Readlink(filepath.Join(dir, fd.Name())); {
		case strings.HasPrefix(to, "socket:"):
			sockets++
		case strings.HasPrefix(to, "pipe:"):
			t.Errorf("descriptor %s is %s", fd.Name(), to)
		}
	}
	if err != nil || sockets != 1 {
		t.Errorf("%d sockets, %v", sockets, err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Process.Pid))
	_, mask, _ := strings.Cut(string(status), "SigIgn:\t")
	ignored, _ := strconv.ParseUint(strings.SplitN(mask, "\n", 2)[0], 16, 64)
	for _, which := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2} {
		if err != nil || ignored&(1<<(which-1)) == 0 {
			t.Errorf("%v is not ignored: %x, %v", which, ignored, err)
		}
		s.signal(which)
	}
	say(c, "$.C", "exit 3")
	s.wait("service ended", "c.toml", fmt.Sprint("pid=", pid), "status 3")
}

// TestGuardianIsLeftAloneAtOnce: nor while a process becomes one. (TERM can end it in its first milliseconds. INT and USR2 might still be
// passed on to the new daemon.)
func TestGuardianIsLeftAloneAtOnce(t *testing.T) {
	s := withServices(t, map[string]string{"a.toml": serves})
	c := s.open()
	pid := s.answers(c, "$.A")
	t.Cleanup(func() { syscall.Kill(cmp.Or(s.now, s.Process.Pid), syscall.SIGKILL) })
	for _, which := range []syscall.Signal{syscall.SIGHUP, syscall.SIGUSR1} {
		becomes := cmp.Or(s.now, s.Process.Pid)
		s.signalNow(syscall.SIGUSR2)
		line := s.wait("handed over", "took=")
		if _, err := fmt.Sscanf(line[strings.Index(line, "to="):], "to=%d", &s.now); err != nil {
			t.Fatal(err)
		}
		for is := false; !is; is = looksAfter(t, becomes) {
			for range 100 {
				if err := syscall.Kill(becomes, which); err != nil {
					t.Fatalf("%v: %v", which, err)
				}
			}
		}
		s.replaced()
		if again := s.answers(c, "$.A"); again != pid {
			t.Fatalf("%v: another program answers: %d, not %d", which, again, pid)
		}
		say(c, "$.A", "exit 0") // the next is of the daemon that is there now
		s.answer(c)
		s.wait("service ended", fmt.Sprint("pid=", pid))
		pid = s.answers(c, "$.A")
	}
}

// looksAfter reports whether a process is a guardian by now. While it executes itself anew its first thread is a zombie already.
func looksAfter(t *testing.T, pid int) bool {
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	status, failed := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil || failed != nil || len(threads) == 1 && strings.Contains(string(status), "State:\tZ") {
		t.Fatal("it has ended: ", err, failed)
	}
	return strings.Contains(string(line), "looks after")
}

// TestStoppedGuardian: one that cannot say how its programs have ended does not keep the daemon from its end.
func TestStoppedGuardian(t *testing.T) {
	s := withServices(t, map[string]string{"a.toml": serves})
	pid := s.answers(s.open(), "$.A")
	s.replace()
	s.signal(syscall.SIGSTOP)
	defer s.signal(syscall.SIGCONT)
	s.signalNow(syscall.SIGTERM)
	s.wait("stopping")
	s.signalNow(syscall.SIGTERM)
	s.wait("service ended", fmt.Sprint("pid=", pid), "its guardian does not say")
	awaitEnd(t, s.now)
}

// TestGuardianKilledWhileOneStarts: that is no failure of the program either, and who waits for it has another started.
func TestGuardianKilledWhileOneStarts(t *testing.T) {
	s := withServices(t, map[string]string{"b.toml": hangs})
	c := s.open()
	ask(c, "$.B")
	pid := s.started("b.toml")
	s.replace()
	s.Process.Kill()
	s.wait("service ended", fmt.Sprint("pid=", pid), "its guardian has ended before it")
	s.started("b.toml")
	if r := report(s.open(), t); len(r) != 1 || r[0].Failures != 0 {
		t.Errorf("%+v", r)
	}
}

// TestProgramsStayWhenNobodyTakesOver: the daemon that goes on still has them.
func TestProgramsStayWhenNobodyTakesOver(t *testing.T) {
	s := withServices(t, map[string]string{"a.toml": serves})
	c := s.open()
	pid := s.answers(c, "$.A")
	rules := filepath.Join(filepath.Dir(s.config), "rules.d", "10-a.toml")
	for round := range 2 {
		writeFile(t, rules, "[[rule]]\nallow = [\"open\", \"request\", \"reply\"]\n")
		s.signalNow(syscall.SIGUSR2)
		s.wait("nobody takes over", "rules in force")
		s.wait("notify: MAINPID=") // as before
		os.Remove(rules)
		if again := s.answers(c, "$.A"); again != pid {
			t.Errorf("another program answers: %d, not %d", again, pid)
		}
		if round == 0 {
			s.replace() // the next time it is one that has a guardian
		}
	}
	say(c, "$.A", "exit 0")
	s.wait("service ended", "a.toml", fmt.Sprint("pid=", pid), "status 0")
	s.answer(c)
	pid = s.answers(c, "$.A")
	s.signalNow(syscall.SIGTERM)
	awaitEnd(t, s.now)
	s.isGone(pid)
}

// TestProgramsOfReloadedDaemon: a reload ends what it would end if the daemon had started it.
func TestProgramsOfReloadedDaemon(t *testing.T) {
	s := withServices(t, map[string]string{"a.toml": serves, "b.toml": hangs})
	c, b := s.open(), s.open()
	pid := s.answers(c, "$.A")
	ask(b, "$.B")
	other := s.started("b.toml")
	s.replace()
	os.RemoveAll(s.folder)
	s.signalNow(syscall.SIGHUP)
	s.wait("reloaded", "services=0")
	s.wait("service ended", "b.toml", fmt.Sprint("pid=", other))
	if m := s.answer(b); m.Name != message.NameNotStarted || !strings.Contains(string(m.Data), "not configured any more") {
		t.Errorf("%v", &m)
	}
	if again := s.answers(c, "$.A"); again != pid { // it is the Replier
		t.Errorf("another program answers: %d, not %d", again, pid)
	}
	s.replace() // also of who has no services of its own
	s.signalNow(syscall.SIGTERM)
	awaitEnd(t, s.now)
	s.isGone(pid)
}

// TestProgramsFilesChangedMeanwhile: a daemon that takes over reads the files as they are then, which is as a reload.
func TestProgramsFilesChangedMeanwhile(t *testing.T) {
	s := withServices(t, map[string]string{"a.toml": serves, "b.toml": hangs})
	c, b := s.open(), s.open()
	pid := s.answers(c, "$.A")
	ask(b, "$.B")
	other := s.started("b.toml")
	s.write(t, "a.toml", "name = \"$.A\"\nexec = [\"$0\", \"service\", \"exit\", \"3\"]\n")
	os.Remove(filepath.Join(s.folder, "b.toml"))
	s.replace()
	s.wait("service ended", "b.toml", fmt.Sprint("pid=", other))
	say(c, "$.A", "exit 0")
	s.wait("service ended", "a.toml", fmt.Sprint("pid=", pid), "status 0")
	s.answer(c)
	s.notStarted(c, "$.A", "the program exited with status 3")
}

// TestStartsLiveOverUpgrades: a Request that waits for a program has its Reply when that is the Replier, under whichever daemon.
func TestStartsLiveOverUpgrades(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	s := withServices(t, map[string]string{
		"a.toml": fmt.Sprintf("name = \"$.A\"\nexec = [\"$0\", \"service\", \"late\", \"$.A\", \"0\", %q]\ndeadline = \"1h\"\n", pipe)})
	c := s.open()
	ask(c, "$.A")
	pid := s.started("a.toml")
	for range 2 {
		s.replace()
		if r := report(c, t); r[0].State != "starting" || int(r[0].PID) != pid {
			t.Errorf("%+v", r)
		}
	}
	writeFile(t, pipe, "")
	if got := s.pidIn(s.answer(c)); got != pid {
		t.Errorf("%d answers, not %d", got, pid)
	}
}

// TestUnitsAreStartedFirst: an upgrade waits for systemd's answer, but not for long.
func TestUnitsAreStartedFirst(t *testing.T) {
	bin := t.TempDir()
	pipe := filepath.Join(bin, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, "systemctl"), []byte("#!/bin/sh\nexec cat "+pipe+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	s := withServices(t, map[string]string{"a.toml": "name = \"$.A\"\nunit = \"a.service\"\ndeadline = \"1h\"\n"})
	s.wait("buses are open")
	c := s.open()
	ask(c, "$.A")
	s.started("a.toml")
	s.signalNow(syscall.SIGUSR2)
	s.wait("nobody takes over", "by systemd")
	s.wait("notify: MAINPID=") // as before
	s.signalNow(syscall.SIGUSR2)
	s.wait("handing over")
	s.wait("handing over")
	writeFile(t, pipe, "")
	s.replaced()
	r := s.open()
	r.Bind("$.A", true)
	r.Put(wire.OpNextWait, 0, nil)
	if m := r.Next().Parse(t); m.Name != "$.A" {
		t.Errorf("%v", &m)
	}
}
