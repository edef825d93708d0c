package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kbus.example/kbus/internal/handover"
	"kbus.example/kbus/internal/server"
)

// An upgrade: another process, of a newer program perhaps, takes over from this one, and no client notices. Either it asks for
// that (--replace), or SIGUSR2 has this one start it, from where its own program lies. docs/handover.md is the manual.

// handoverEnv tells a daemon that was started to take over by which descriptor it is joined to the one that runs.
const handoverEnv = "KBUSD_HANDOVER"

var errSignal = errors.New("a signal has come meanwhile")

// successor is a process that wants to take over.
type successor struct {
	conn *handover.Conn
	pid  int
	ours bool // our child
}

// executable is where the program of this process lay when it was started. Another may lie there by now.
var executable, executableErr = os.Executable()

// awaitSuccessors makes the control socket, unless there is one, and has d.successors give who comes there.
func (d *daemon) awaitSuccessors() {
	if !d.control.IsThere() {
		d.control.Close()
		control, err := server.OpenControl(d.server)
		if err != nil {
			d.log.Warn("kbusd --replace will not find this daemon", "reason", err)
			d.control = nil
			return
		}
		d.control = control
	}
	go serveControl(d.control, d.successors)
}

func serveControl(control *server.Control, to chan<- successor) {
	for {
		conn, pid, err := control.Accept()
		if err != nil {
			return
		}
		to <- successor{conn: conn, pid: pid}
	}
}

// startSuccessor starts the program that lies where ours did.
func (d *daemon) startSuccessor() (s successor, err error) {
	if executableErr != nil {
		return s, executableErr
	}
	conn, theirs, err := handover.Pair()
	if err != nil {
		return s, err
	}
	defer syscall.Close(theirs)
	const at = 3 // behind input, output and errors
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "WATCHDOG_PID=") || strings.HasPrefix(v, handoverEnv+"=")
	})
	args := slices.DeleteFunc(slices.Clone(os.Args), func(a string) bool { return a == "--replace" || a == "-replace" })
	pid, err := syscall.ForkExec(executable, args, &syscall.ProcAttr{
		Env:   append(env, handoverEnv+"="+strconv.Itoa(at)),
		Files: []uintptr{0, 1, 2, uintptr(theirs)},
		Sys:   &syscall.SysProcAttr{Cloneflags: parentage()},
	})
	if err != nil {
		conn.Close()
		return s, fmt.Errorf("%s: %w", executable, err)
	}
	return successor{conn, pid, true}, nil
}

// parentage has the daemon of a service be a child of systemd, as we are: it waits for its children, and may hear of the end of others
// late or never. If we did not stay as the guardian of our programs, it would come to that by itself. Who is the first process
// cannot have brothers.
func parentage() uintptr {
	if os.Getenv("NOTIFY_SOCKET") == "" || os.Getpid() == 1 {
		return 0
	}
	return syscall.CLONE_PARENT
}

// replaceMe has a new process take over, and reports whether it has: then this one must exit at once.
func (d *daemon) replaceMe() bool {
	s, err := d.startSuccessor()
	if err != nil {
		d.log.Error("nobody takes over", "reason", err)
		return false
	}
	return d.handOver(s)
}

// handOver lets a process take over, and reports whether it has.
func (d *daemon) handOver(s successor) bool {
	defer s.conn.Close()
	began := time.Now()
	if err := d.maySucceed(s); err != nil {
		d.log.Error("nobody takes over: this daemon goes on", "reason", err, "from", s.pid)
		s.conn.Refuse(err)
		return false
	}
	notify(watchdogState) // it is not fed meanwhile
	d.log.Info("handing over", "to", s.pid)
	done := withoutCollection()
	still, err := server.HandOver(d.server, s.conn, server.Passing{
		Settings: d.settings.Shown(), Control: d.control,
		BeforeGo: func() error {
			if len(d.signals) > 0 {
				return errSignal
			}
			notify("MAINPID=" + strconv.Itoa(s.pid)) // systemd would not believe it of the other one
			return nil
		},
	})
	done()
	if err == nil {
		d.log.Info("handed over", "to", s.pid, "took", time.Since(began).Round(time.Microsecond),
			"stood still", still.Round(time.Microsecond))
		d.forward(s.pid)
		return true
	}
	d.log.Error("nobody takes over: this daemon goes on", "reason", err, "from", s.pid)
	notify("MAINPID=" + strconv.Itoa(os.Getpid()))
	// It has descriptors of ours, and must not keep them: clients would not see their connections end.
	if !s.conn.AwaitEnd() {
		_ = syscall.Kill(s.pid, syscall.SIGKILL)
	}
	if s.ours {
		_, _ = syscall.Wait4(s.pid, nil, 0, nil)
	}
	return false
}

// maySucceed is for one that was started elsewhere than a daemon which is a service. systemd would not take it for the main
// process, think that the service has ended, and start another daemon at the next client.
func (d *daemon) maySucceed(s successor) error {
	if os.Getpid() == 1 {
		return errors.New("this daemon is the first process, and all others would end with it: restart its container")
	}
	if !s.ours && !sameNamespace(s.pid) {
		return errors.New("who takes over must be in the PID namespace of this daemon: what each calls a process is another to the other")
	}
	if s.ours || os.Getenv("NOTIFY_SOCKET") == "" {
		return nil
	}
	ours, err := os.ReadFile("/proc/self/cgroup")
	theirs, failed := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", s.pid))
	if err == nil && (failed != nil || string(ours) != string(theirs)) {
		return errors.New("this daemon is a service, and who takes over must be in its control group: use systemctl reload, or SIGUSR2")
	}
	return nil
}

// sameNamespace reports whether we and another process mean the same by the number of a process, as far as can be seen.
func sameNamespace(pid int) bool {
	ours, err := os.Readlink("/proc/self/ns/pid")
	theirs, failed := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
	return pid > 0 && (err != nil || failed != nil || ours == theirs)
}

// forward passes on the signals that have come for this process and that it will not look at any more.
func (d *daemon) forward(pid int) {
	for {
		select {
		case sig := <-d.signals:
			if number, ok := sig.(syscall.Signal); ok {
				_ = syscall.Kill(pid, number)
			}
		default:
			return
		}
	}
}

// predecessor is the daemon to take over from; nil: there is none, this one begins.
func (d *daemon) predecessor() (*handover.Conn, error) {
	if text := os.Getenv(handoverEnv); text != "" {
		os.Unsetenv(handoverEnv)
		fd, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("%s is %q", handoverEnv, text)
		}
		syscall.CloseOnExec(fd)
		return handover.NewConn(fd)
	}
	if d.line.replace {
		return server.AskToTakeOver(d.settings.Server)
	}
	return nil, nil
}

// takeOver has this process go on in the place of another. Who is to end while it waits for that one does not begin.
func (d *daemon) takeOver(conn *handover.Conn) (err error) {
	early, ended := make(chan os.Signal, 1), make(chan bool)
	signal.Notify(early, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		ends := len(d.signals) > 0 // one that has come before that
		if !ends {
			_, ends = <-early
		}
		if ends {
			conn.Interrupt()
		}
		ended <- ends
		close(ended)
	}()
	interrupted, asked := false, false
	noMore := func() {
		signal.Stop(early)
		close(early)
		interrupted, asked = <-ended, true
	}
	done := withoutCollection()
	d.server, d.control, err = server.TakeOver(d.settings.Server, conn, func(theirs map[string]string) error {
		if noMore(); interrupted || len(d.signals) > 0 {
			return errSignal
		}
		return d.settings.Fits(theirs)
	}, d.log)
	done()
	if !asked {
		noMore()
	}
	if interrupted {
		err = errSignal
	}
	if err != nil {
		return fmt.Errorf("cannot take over: %w", err)
	}
	return nil
}

// succeed takes over, if that is to be. Who asks a daemon that just then hands over to another is hung up on, and asks that other one.
func (d *daemon) succeed() (tookOver bool, err error) {
	for range mostAsked {
		conn, failed := d.predecessor()
		if conn == nil || failed != nil {
			return false, cmp.Or(err, failed)
		}
		err = d.takeOver(conn)
		conn.Close()
		if !d.line.replace || !errors.Is(err, handover.ErrSilent) {
			break
		}
	}
	return err == nil, err
}

// mostAsked is how many daemons are asked, one after the other: so many may hand over at once.
const mostAsked = 100

// start begins, or takes over.
func (d *daemon) start() error {
	tookOver, err := d.succeed()
	if err != nil {
		return err
	}
	if !tookOver {
		config := d.settings.Server
		if config.Listeners, err = handedOver(); err != nil {
			return err
		}
		if d.server, err = server.Start(config, d.log); err != nil {
			return err
		}
	}
	d.successors = make(chan successor)
	d.awaitSuccessors()
	return nil
}
