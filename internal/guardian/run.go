package guardian

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/services"
)

// Run looks after programs, children of this process, until none is left.
func Run(socket int, pids []int) {
	// Who signals all processes of a terminal or of a service means the daemon, which tells us what follows.
	for _, which := range meantForDaemon {
		signal.Ignore(which)
	}
	_ = os.WriteFile("/proc/self/comm", []byte("kbusd"), 0) // it was executed under another name
	unix.CloseOnExec(socket)
	g := &guardian{socket: socket, left: pids, words: make(chan Word)}
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	go g.listen()
	for g.look(); len(g.left) > 0; g.look() {
		select {
		case <-children:
		case w, ok := <-g.words:
			g.obey(w, ok)
		case <-g.late:
			g.signal(unix.SIGKILL, g.left...)
		}
	}
}

// guardian is what it knows.
type guardian struct {
	socket int
	left   []int            // programs that have not ended
	words  chan Word        // of the daemon; nil once it has ended
	late   <-chan time.Time // they have not ended in time
}

// listen waits for words. They end with the daemon.
func (g *guardian) listen() {
	to := g.words
	for {
		w, ok, _ := Receive(g.socket)
		if !ok {
			close(to)
			return
		}
		to <- w
	}
}

// obey does what a word says. Without a daemon all programs are to end.
func (g *guardian) obey(w Word, ok bool) {
	switch {
	case !ok:
		g.words = nil
		g.signal(unix.SIGTERM, g.left...)
		g.late = time.After(services.Grace)
	case w.Kind == Signal:
		for _, pid := range g.left {
			if pid == int(w.PID) {
				g.signal(unix.Signal(w.Value), pid)
			}
		}
	}
}

// signal is for programs of g.left, which have not been waited for: so the numbers of their groups are nobody else's.
func (g *guardian) signal(which unix.Signal, pids ...int) {
	for _, pid := range pids {
		_ = unix.Kill(-pid, which)
	}
}

// look waits for programs that have ended, and says so. What they have left of their process groups is to end as well.
func (g *guardian) look() {
	var left []int
	for _, pid := range g.left {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, nil)
		if err == nil && info.Signo == 0 || err == unix.EINTR {
			left = append(left, pid)
		}
		if err != nil || info.Signo == 0 {
			continue
		}
		g.signal(unix.SIGTERM, pid)
		var status unix.WaitStatus
		if got, _ := unix.Wait4(pid, &status, unix.WNOHANG, nil); got == pid {
			_ = Send(g.socket, Word{Ended, uint32(pid), uint32(status)}, 0)
		}
	}
	g.left = left
	_, _ = unix.Wait4(0, nil, unix.WNOHANG, nil) // the daemon, which is of our process group, if it is our child
}
