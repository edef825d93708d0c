package starter

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/services"
)

// child is a program that runs, or systemctl. Signals go to its whole process group. That is safe as long as its process has
// not been waited for, since until then the kernel gives its number to nobody else; so who signals holds the lock of the Starter.
type child struct {
	pid    int
	own    *os.Process // that this process has started; nil:
	of     *guarding   // who has it, see guarded.go
	handle int         // pidfd, of one that is not ours; -1: there are none
}

func (c *child) signal(which unix.Signal) {
	switch {
	case c == nil: // it has ended, or never began
	case c.own != nil:
		_ = unix.Kill(-c.pid, which)
	default:
		c.of.signal(c, which)
	}
}

// awaitEnd waits for the end of a child of this process, which stays to be waited for.
func awaitEnd(pid int) {
	for {
		var info unix.Siginfo
		if err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT, nil); err != unix.EINTR {
			return
		}
	}
}

// start starts a service.
func (s *Starter) start(of *services.Service) {
	output, err := newTail(of.Unit != "")
	var process *os.Process
	if err == nil {
		process, err = s.execute(of, output.to)
		output.begin()
	}
	if err != nil {
		s.log.Warn("a service cannot be started", "file", of.File, "error", err)
		s.do(func() { s.keeper.Ended(of, "it cannot be executed: "+reason(err), services.Badly, s.now()) })
		return
	}
	s.log.Info("service started", "file", of.File, "program", of.String(), "pid", process.Pid)
	s.do(func() {
		s.children[of] = &child{pid: process.Pid, own: process, handle: -1}
		s.keeper.Began(of, process.Pid)
	})
	go s.await(of, process, output)
}

// await waits for the end of a program, ends what it has left of its process group, and tells the keeper. While all stands still it
// does nothing of that: then the one who goes on has to.
func (s *Starter) await(of *services.Service, process *os.Process, output *tail) {
	awaitEnd(process.Pid)
	last := output.end()
	s.do(func() {
		s.awaitGoOn()
		if of.Unit == "" {
			_ = unix.Kill(-process.Pid, unix.SIGTERM)
		}
		state, err := process.Wait()
		end, how := services.Unknown, unknownEnd
		if err == nil {
			end, how = ending(state.Sys().(syscall.WaitStatus))
		}
		if of.Unit != "" && end == services.Well {
			delete(s.children, of)
			s.keeper.Asked(of)
			return
		}
		if of.Unit != "" {
			how = strings.TrimSuffix("systemctl: "+how+": "+last, ": ")
		}
		s.hasEnded(of, process.Pid, how, end)
	})
}

// hasEnded is for a program, or systemctl in vain. The caller holds the lock.
func (s *Starter) hasEnded(of *services.Service, pid int, how string, end services.Ending) {
	delete(s.children, of)
	s.log.Info("service ended", "file", of.File, "pid", pid, "how", how)
	s.keeper.Ended(of, how, end, s.now())
}

const unknownEnd = "nobody knows how it ended"

// ending says how a program has ended, also in words.
func ending(w syscall.WaitStatus) (services.Ending, string) {
	end := services.Badly
	if w == 0 {
		end = services.Well
	}
	if w.Signaled() {
		return end, fmt.Sprintf("the program was ended by signal %d (%v)", w.Signal(), w.Signal())
	}
	return end, fmt.Sprintf("the program exited with status %d", w.ExitStatus())
}

// reason is an error without what the program is called, which everybody knows.
func reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// execute starts a program, or systemctl.
func (s *Starter) execute(of *services.Service, out *os.File) (*os.Process, error) {
	path, args := "", of.Exec
	if of.Unit != "" {
		args = []string{"systemctl", "start", "--no-block", of.Unit}
		if os.Geteuid() != 0 && os.Getenv("XDG_RUNTIME_DIR") != "" { // of a login session
			args = []string{"systemctl", "--user", "start", "--no-block", of.Unit}
		}
		var err error
		if path, err = lookFor(args[0]); err != nil {
			return nil, err
		}
	} else {
		path = args[0]
	}
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer nothing.Close()
	attr := &os.ProcAttr{
		Dir: "/", Env: environment(os.Environ(), s.dir(), of.As), Files: []*os.File{nothing, out, out},
		Sys: &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM},
	}
	if as := of.As; as != nil {
		attr.Sys.Credential = &syscall.Credential{Uid: as.UID, Gid: as.GID, Groups: as.Groups}
	}
	return os.StartProcess(path, args, attr)
}

// lookFor finds a program in PATH.
func lookFor(program string) (path string, err error) {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path = filepath.Join(dir, program)
		if filepath.IsAbs(path) && unix.Access(path, unix.X_OK) == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no %s in PATH", program)
}

// ours is what is output to the daemon alone.
var ours = []string{"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "KBUS_DIR",
	"MAINPID", "INVOCATION_ID"}

// environment is that of a program.
func environment(daemons []string, dir string, as *services.Identity) []string {
	without := ours
	set := []string{"KBUS_DIR=" + dir}
	if as != nil {
		without = append(slices.Clone(without), "HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR")
		set = append(set, "HOME="+as.Home, "USER="+as.User, "LOGNAME="+as.User)
	}
	kept := slices.DeleteFunc(slices.Clone(daemons), func(v string) bool {
		key, _, _ := strings.Cut(v, "=")
		return slices.Contains(without, key)
	})
	return append(kept, set...)
}

// tail keeps the end of what a program says.
type tail struct {
	to    *os.File // the program's
	from  *os.File // nil: it is not kept
	ended chan struct{}
	text  []byte
}

const mostTailBytes = 500

// newTail is for a program whose output is kept, or goes to that of the daemon.
func newTail(keeps bool) (t *tail, err error) {
	t = &tail{to: os.Stderr}
	if keeps {
		t.ended = make(chan struct{})
		t.from, t.to, err = os.Pipe()
	}
	return t, err
}

// begin is for when the program has its end of it, or there is no program.
func (t *tail) begin() {
	if t.from == nil {
		return
	}
	t.to.Close()
	go func() {
		defer close(t.ended)
		var b [mostTailBytes]byte
		for {
			n, err := t.from.Read(b[:])
			if err != nil {
				t.from.Close()
				return
			}
			t.text = append(t.text, b[:n]...)
			t.text = t.text[max(0, len(t.text)-mostTailBytes):]
		}
	}()
}

// mostAfterEnd is how long what a program has left may say something more.
const mostAfterEnd = time.Second

// end is for when the program has ended. It gives the last line.
func (t *tail) end() string {
	if t.from == nil {
		return ""
	}
	_ = t.from.SetReadDeadline(time.Now().Add(mostAfterEnd))
	<-t.ended
	text := bytes.TrimSpace(t.text)
	return string(text[bytes.LastIndexByte(text, '\n')+1:])
}
