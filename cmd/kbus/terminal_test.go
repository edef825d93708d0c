package main

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus"
)

// onTerminal starts a kbus command on a pseudo-terminal, 100 columns wide, and gives the end that a person has.
func onTerminal(t *testing.T, environ string, args ...string) (*exec.Cmd, *os.File) {
	t.Helper()
	return programOnTerminal(t, environ, "kbus", args...)
}

func programOnTerminal(t *testing.T, environ, program string, args ...string) (*exec.Cmd, *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	must(t, err)
	t.Cleanup(func() { _ = person.Close() })
	fd := int(person.Fd())
	must(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	must(t, err)
	terminal, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	must(t, err)
	defer terminal.Close()
	must(t, unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 100}))
	c := exec.Command(program, args...)
	c.Env = append(os.Environ(), "TERM=xterm", environ)
	c.Stdin, c.Stdout, c.Stderr = terminal, terminal, terminal
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	must(t, c.Start())
	t.Cleanup(func() {
		if c.ProcessState == nil {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
	})
	return c, person
}

// atEnd is never shown, so until reads all there is.
const atEnd = "\x00"

// until reads what the terminal shows until it shows what, or nothing more.
func until(t *testing.T, person *bufio.Reader, what string) string {
	t.Helper()
	var seen strings.Builder
	for !strings.HasSuffix(seen.String(), what) {
		b, err := person.ReadByte()
		if err != nil {
			break // EIO: nobody has the other end open any more
		}
		seen.WriteByte(b)
	}
	return seen.String()
}

// TestColours: on a terminal only, and not for those who do not want them.
func TestColours(t *testing.T) {
	withDaemon(t, 1)
	for _, c := range []struct {
		environ string
		colours bool
	}{{"COLOURS=please", true}, {"NO_COLOR=1", false}, {"TERM=dumb", false}} {
		list, person := onTerminal(t, c.environ, "listen", speak)
		shown := bufio.NewReader(person)
		until(t, shown, "listening to "+speak)
		kbusOK(t, "send", speak, "Ahem")
		if got := until(t, shown, "'Ahem'>"); strings.Contains(got, "\x1b[36mAnnouncement\x1b[0m") != c.colours {
			t.Errorf("%s: %q", c.environ, got)
		}
		must(t, list.Process.Signal(os.Interrupt))
		if got := until(t, shown, atEnd); !strings.Contains(got, "1 message heard") {
			t.Errorf("%s: %q", c.environ, got)
		}
		must(t, list.Wait())

		list, person = onTerminal(t, c.environ, "ask", "$.Nobody")
		if got := until(t, bufio.NewReader(person), atEnd); strings.Contains(got, "\x1b") != c.colours {
			t.Errorf("%s: %q", c.environ, got)
		}
		_ = list.Wait() // it fails; TestSessions says how
	}
	if got := start(t, "kbus", "list"); got.status(t) != 0 || strings.Contains(got.out.String(), "\x1b") {
		t.Errorf("colours in a pipe: %q", &got.out)
	}
}

// TestAnswerOnTerminal: what it says to a person.
func TestAnswerOnTerminal(t *testing.T) {
	withDaemon(t, 1)
	answer, person := onTerminal(t, "NO_COLOR=1", "answer", "$.Time", "--with", "noon")
	shown := bufio.NewReader(person)
	if got := until(t, shown, "answering $.Time"); !strings.Contains(got, "Ksock device 0, id 1, mode read/write: ") {
		t.Errorf("%q", got)
	}
	kbusOK(t, "ask", "$.Time")
	until(t, shown, "<Reply")
	must(t, answer.Process.Signal(os.Interrupt))
	if got := until(t, shown, atEnd); !strings.Contains(got, "1 Request answered") {
		t.Errorf("%q", got)
	}
	must(t, answer.Wait())
	await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 0 })
}
