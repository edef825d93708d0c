package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/report"
)

// member is a bus with its Limpet, in processes.
type member struct {
	testbed *testbed
	id      int
	dir     string
	env     []string // of its processes, besides ours
	flags   []string // of its daemon
	daemon  *process
	limpet  *process
	server  *process // that is no Limpet
	others  []*process
}

// process is a program that says when it is ready, in the way it says so to systemd.
type process struct {
	cmd  *exec.Cmd
	gone chan struct{}
	err  error // of its end
}

const patience = 60 * time.Second // to wait in vain, and say so

// start starts a program in the member's namespace and returns when it is ready.
func (b *member) start(name string, args ...string) (*process, error) {
	path := filepath.Join(b.dir, name+".ready")
	_ = os.Remove(path) // of the process before
	notes, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	defer notes.Close()
	p, err := b.launch(name, path, args...)
	if err != nil {
		return nil, err
	}
	go func() { <-p.gone; notes.Close() }()
	_ = notes.SetReadDeadline(time.Now().Add(patience)) // cannot fail
	for note := make([]byte, 1000); ; {
		n, err := notes.Read(note)
		if err != nil {
			p.kill()
			return nil, fmt.Errorf("bowl %d: %s does not become ready: %w\n%s", b.id, name, err, b.logged(name))
		}
		if strings.Contains(string(note[:n]), "READY=1") {
			return p, nil
		}
	}
}

// launch starts it, and does not wait. What follows a dot in the name tells several of one program apart.
func (b *member) launch(name, notify string, args ...string) (*process, error) {
	file, _, _ := strings.Cut(name, ".")
	program, err := filepath.Abs(filepath.Join(b.testbed.play.bin, file))
	if name == serverRole {
		program, err = os.Executable()
	}
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(b.dir, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &process{gone: make(chan struct{})}
	p.cmd = exec.Command("ip", append([]string{"netns", "exec", b.testbed.namespace(b.id), program}, args...)...)
	p.cmd.Env = append(append(os.Environ(), "KBUS_DIR="+b.dir, "NOTIFY_SOCKET="+notify), b.env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := startHere(p.cmd); err != nil {
		return nil, err
	}
	go func() { p.err = p.cmd.Wait(); close(p.gone) }()
	return p, nil
}

// kill is kill -9, and returns when the process is no more. (ip has become the program it was to run.)
func (p *process) kill() {
	if p != nil {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.gone
	}
}

// resident is the memory of a process, in MiB.
func (p *process) resident() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	var kilobytes float64
	_, err = fmt.Sscan(rest, &kilobytes)
	return kilobytes / 1024, err
}

// said is the end of a program's log.
func (b *member) logged(name string) string {
	text, _ := os.ReadFile(filepath.Join(b.dir, name+".log")) // or nothing
	return string(text[max(0, len(text)-4000):])
}

func (b *member) startDaemon(more ...string) (err error) {
	b.daemon, err = b.start("kbusd", slices.Concat([]string{"--log-level", "error"}, b.flags, more)...)
	return err
}

func (b *member) address() string { return fmt.Sprintf("10.99.0.%d", b.id) }

// startServing starts the Limpet with a server that is one of a cluster.
func (b *member) startServing(more ...string) (err error) {
	var routes []string
	for _, other := range b.testbed.members {
		if other != b {
			routes = append(routes, other.address()+":6222")
		}
	}
	args := []string{"serve", "--id", fmt.Sprint(b.id), "--federation", "test", "--store", filepath.Join(b.dir, "store"),
		"--listen", b.address() + ":4222", "--insecure"}
	if len(routes) > 0 {
		args = append(args, "--peers", b.address()+":6222", "--routes", strings.Join(routes, ","))
	}
	b.limpet, err = b.start("kbus-limpet", append(args, more...)...)
	return err
}

// startAll starts all members at once, as machines do.
func (h *testbed) startAll() error {
	results := make(chan error)
	for _, b := range h.members {
		go func() { results <- errors.Join(b.startDaemon(), b.startServing()) }()
	}
	var all error
	for range h.members {
		all = errors.Join(all, <-results)
	}
	return all
}

func (b *member) kill() {
	for _, p := range b.others {
		p.kill()
	}
	b.others = nil
	b.limpet.kill()
	b.server.kill()
	b.daemon.kill()
}

func (b *member) open(opts ...kbus.Option) (*kbus.Ksock, error) {
	return kbus.Open(context.Background(), 0, append(opts, kbus.Dir(b.dir))...)
}

// status asks the Limpet how the federation looks.
func (b *member) status() (s report.Status, err error) {
	k, err := b.open()
	if err != nil {
		return s, err
	}
	defer k.Close()
	s, _, err = report.Ask(b.testbed.play.ctx, k)
	return s, err
}

// pause has a process stand still, until goOn.
func (p *process) pause() error { return p.cmd.Process.Signal(syscall.SIGSTOP) }
func (p *process) goOn() error  { return p.cmd.Process.Signal(syscall.SIGCONT) }

// runs tells whether a process has not ended.
func (p *process) runs() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// output runs kbus-limpet to its end.
func (b *member) output(args ...string) ([]byte, error) {
	return exec.Command(filepath.Join(b.testbed.play.bin, "kbus-limpet"), args...).CombinedOutput()
}
