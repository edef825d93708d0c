package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// site is where the brokers of one mode run: a directory for their files, and their processes. Pinned means that all
// of them and all clients share processor 0.
type site struct {
	work    string // directory of the programs
	dir     string
	pinned  bool
	peer    string // whose broker is being started
	started []*exec.Cmd
}

func newSite(work string, pinned bool) (*site, error) {
	dir, err := os.MkdirTemp("", "kbus-bench-")
	return &site{work: work, dir: dir, pinned: pinned}, err
}

// command is a command of this site. It dies with us.
func (s *site) command(environment []string, program string, args ...string) *exec.Cmd {
	line := append([]string{program}, args...)
	if s.pinned {
		line = append([]string{"taskset", "-c", "0"}, line...)
	}
	c := exec.Command(line[0], line[1:]...)
	c.Env = append(os.Environ(), environment...)
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c
}

// start starts a broker, whose output goes to a file.
func (s *site) start(environment []string, program string, args ...string) (pid int, err error) {
	c := s.command(environment, program, args...)
	out, err := os.Create(s.logOf(s.peer))
	if err != nil {
		return 0, err
	}
	defer out.Close()
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		return 0, err
	}
	s.started = append(s.started, c)
	return c.Process.Pid, nil
}

// startAndRead starts a program, whose input does not end, and waits for the first line that it says.
func (s *site) startAndRead(environment []string, program string, args ...string) (string, error) {
	c := s.command(environment, program, args...)
	c.Stderr = os.Stderr
	if _, err := c.StdinPipe(); err != nil {
		return "", err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := c.Start(); err != nil {
		return "", err
	}
	s.started = append(s.started, c)
	return bufio.NewReader(out).ReadString('\n')
}

func (s *site) logOf(peer string) string { return filepath.Join(s.dir, peer+".log") }

// file makes a file for a broker.
func (s *site) file(name, content string) (path string, err error) {
	path = filepath.Join(s.dir, name)
	return path, os.WriteFile(path, []byte(content), 0o600)
}

// waitFor waits until somebody listens there.
func (s *site) waitFor(network, address string) error {
	for until := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial(network, address)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(until) {
			output, _ := os.ReadFile(s.logOf(s.peer))
			return fmt.Errorf("%w\n%s", err, output)
		}
	}
}

// close ends all brokers.
func (s *site) close() {
	for _, c := range s.started {
		c.Process.Signal(syscall.SIGTERM)
	}
	for _, c := range s.started {
		time.AfterFunc(5*time.Second, func() { c.Process.Kill() })
		c.Wait()
	}
	os.RemoveAll(s.dir)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
