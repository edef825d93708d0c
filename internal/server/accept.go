package server

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"kbus/internal/session"
	"kbus/internal/wire"
	"kbus/message"
)

// Accepting. Who a client is comes from the kernel at the moment of its connect, and is never asked again.
//
// One too many is told so: it gets the answer that its Hello would get, with the condition that names the limit, before
// it is closed.

type listener struct {
	fd      int
	path    string // of the socket file to remove at the end; "" when it is not ours. Never changes
	reserve int    // a descriptor to give up when there are no others; -1 while it is given up
	refused int    // clients since descriptors ran out; while it is not 0, the log has been told
}

const acceptsPerTurn = 16

// close also takes the socket file away, so nobody connects to what nobody answers.
func (n *listener) close() {
	if n.path != "" && n.fd >= 0 {
		os.Remove(n.path)
	}
	for _, fd := range [...]*int{&n.fd, &n.reserve} {
		if *fd >= 0 {
			unix.Close(*fd)
			*fd = -1
		}
	}
}

func (l *loop) acceptSome() {
	for range acceptsPerTurn {
		fd, _, err := unix.Accept4(l.listener.fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			l.descriptorsAreBack()
			l.accept(fd)
		case unix.EINTR, unix.ECONNABORTED:
		case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
			if !l.refuseWithReserve(err) {
				return
			}
		default: // EAGAIN: nobody waits
			return
		}
	}
}

// accept makes a connection of a descriptor, or refuses it.
func (l *loop) accept(fd int) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		l.log.Warn("connection refused", "reason", "no peer credentials: "+err.Error())
		unix.Close(fd)
		return
	}
	u := l.accounts.user(cred.Uid)
	if c := l.admit(u, uint32(cred.Pid)); c != message.OK {
		refuse(fd, c, "")
		return
	}
	l.connect(fd, u, session.Peer{
		UID: cred.Uid, PID: uint32(cred.Pid), Program: programOf(int(cred.Pid)),
	})
}

// admit counts one more connection of a user, or says which limit stands against it.
func (l *loop) admit(u *account, pid uint32) message.Condition {
	if c := l.accounts.mayConnect(u); c != message.OK {
		if u.refused == 0 {
			limit, _ := limitOf(c)
			l.log.Warn("connection refused", "limit", limit, "pid", pid, "uid", u.uid)
		}
		u.refused++
		return c
	}
	if u.refused > 0 {
		l.log.Info("accepting connections again", "uid", u.uid, "refused", u.refused)
		u.refused = 0
	}
	l.accounts.connect(u)
	return message.OK
}

// refuse says no before the client has said anything, so the answer has no sequence number (0), and closes.
func refuse(fd int, c message.Condition, text string) {
	h := wire.Header{Op: wire.OpHello, Condition: c}
	send(fd, wire.AppendFrame(nil, h, []byte(text))) // one that cannot even be told is closed all the same
	unix.Close(fd)
}

// programOf is the name of a process, for reports only: it may be any text, or "" when the kernel does not say.
func programOf(pid int) string {
	var name [64]byte
	return strings.TrimSuffix(string(name[:readProc(pid, "comm", name[:])]), "\n")
}

// readProc reads the beginning of a file in /proc; what the kernel does not tell is empty.
func readProc(pid int, file string, p []byte) int {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/"+file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, p)
	if err != nil {
		return 0
	}
	return n
}
