package loop

import (
	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/internal/sock"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Accepting. The kernel says which process a client is, at its connect, and that never changes.
//
// A client beyond a limit gets the answer that its Hello would get, with the condition that names the limit, before it
// is closed.

// Socket is a Unix stream socket that listens for the clients of a bus, not to be waited for.
type Socket struct {
	FD     int    // -1: none
	Remove func() // takes its file away; nil: that is not ours to take away
}

// Backlog is how many clients may wait in the socket of a bus.
const Backlog = 512

type listener struct {
	Socket
	closed  bool   // for some turns, see closeDoor
	opens   uint64 // in which turn, then
	reserve int    // a descriptor to give up when there are no others; -1 while it is given up
	refused int    // clients since descriptors ran out; while it is not 0, the log has been told
}

const acceptsPerTurn = 16

// Close is for a socket that no loop wants. It also takes the socket file away, so nobody connects to what nobody answers.
func (s *Socket) Close() {
	if s.FD < 0 {
		return
	}
	if s.Remove != nil {
		s.Remove()
	}
	unix.Close(s.FD)
	s.FD = -1
}

func (n *listener) close() {
	n.Close()
	if n.reserve >= 0 {
		unix.Close(n.reserve)
		n.reserve = -1
	}
}

// acceptSome accepts clients that wait: in turns, no more of a user than its part of the turn allows, and one in any
// case. Whose the next one is nobody knows before it is let in.
func (l *Loop) acceptSome(inTurns bool) {
	for range acceptsPerTurn {
		fd, err := sock.Accept(l.listener.FD, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			l.descriptorsAreBack()
			if u := l.accept(fd); u != nil {
				if l.spend(u, acceptWork); inTurns && l.left(u) <= 0 {
					l.listener.closeDoor(l)
					return
				}
			}
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

// doorTurns is for how many turns nobody comes in after one whose user has used up its part.
const doorTurns = acceptWork / rivalPerTurn

// closeDoor lets nobody in for some turns, as long as there is something else to do.
func (n *listener) closeDoor(l *Loop) {
	if !n.closed && n.reserve >= 0 {
		n.closed, n.opens = true, l.turns+doorTurns
		l.listen(false)
	}
}

// openDoor ends that.
func (n *listener) openDoor(l *Loop) {
	n.closed = false
	l.listen(n.FD >= 0 && n.reserve >= 0)
}

// accept makes a connection of a descriptor, or refuses it. It gives whose it is.
func (l *Loop) accept(fd int) *account {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		l.log.Warn("connection refused", "reason", "no peer credentials: "+err.Error())
		closers.close([]int{fd}, func() {})
		return nil
	}
	u := l.accounts.user(cred.Uid)
	if c := l.admit(u, uint32(cred.Pid)); c != message.OK {
		refuse(fd, c, l.bus.Why(c))
		return u
	}
	groups := func() []uint32 { return peerGroups(fd) }
	peer := session.Peer{
		UID: cred.Uid, GID: cred.Gid, PID: uint32(cred.Pid), Program: programOf(int(cred.Pid)),
		Administrator: l.host.IsAdministrator(cred.Uid, cred.Gid, groups),
		MayTap:        l.host.MayTap(cred.Uid, cred.Gid, groups),
		Judge:         &rules.Judge{},
	}
	l.connect(fd, u, peer)
	return u
}

// admit counts one more connection of a user, or says which limit stands against it.
func (l *Loop) admit(u *account, pid uint32) message.Condition {
	if c := l.accounts.mayConnect(u); c != message.OK {
		if u.refused == 0 {
			limit, _ := limitOf(c)
			l.report(logger.LevelWarn, pid, u.uid, "connection refused", l.accounts.limits.limitAttrs(limit)...)
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

// refuse answers before the client has sent anything, so the answer has no sequence number (0), and closes.
func refuse(fd int, c message.Condition, text string) {
	h := wire.Header{Op: wire.OpHello, Condition: c}
	send(fd, wire.AppendFrame(nil, h, []byte(text))) // one that cannot even be told is closed all the same
	closers.close([]int{fd}, func() {})
}

// Relisten lets clients in through another socket. Clients that have come to the old one come in first.
func (l *Loop) Relisten(socket Socket) {
	if l.stopping {
		socket.Close()
		return
	}
	if err := l.control(unix.EPOLL_CTL_ADD, socket.FD, unix.EPOLLIN, 0); err != nil {
		l.log.Error("nobody new comes in", "error", err)
		socket.Close()
		return
	}
	for range Backlog/acceptsPerTurn + 1 {
		l.acceptSome(false)
	}
	l.listener.closed = false
	old := l.listener.FD
	l.listener.Socket = socket
	l.control(unix.EPOLL_CTL_DEL, old, 0, 0)
	closers.close([]int{old}, func() {}) // it listens no more when that is done, and nobody finds it meanwhile
}
