package loop

import (
	"fmt"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/sock"
	"kbus.example/kbus/message"
)

// When no descriptor is left, one that was held in reserve is given up, the client is accepted, refused and closed, and
// the reserve is taken again. Without that the client would hang, and the listening socket would be ready for ever, so
// the loop would spin. If another goroutine of the process takes the reserve first, the loop does not look at new
// clients until it has it back.

// retryAccept is how soon to look for a free descriptor when not even the reserve is there, in milliseconds.
const retryAccept = 100

func (n *listener) holdReserve() error {
	fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("a descriptor in reserve: open /dev/null: %w (the daemon needs it in its root)", err)
	}
	n.reserve = fd
	return nil
}

// patience is how long the loop may sleep, in milliseconds; -1 for ever.
func (n *listener) patience() int {
	if n.FD >= 0 && n.reserve < 0 {
		return retryAccept
	}
	return -1
}

// refuseWithReserve refuses one client for want of descriptors. It reports false when no client waits, or there is no
// way to refuse it.
func (l *Loop) refuseWithReserve(reason error) bool {
	n := &l.listener
	if n.reserve < 0 && n.holdReserve() != nil {
		l.listen(false) // until descriptorsMayBeBack
		return false
	}
	unix.Close(n.reserve)
	n.reserve = -1
	fd, err := sock.Accept(n.FD, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err == nil {
		if n.refused == 0 {
			l.log.Error("connections refused: out of descriptors", "reason", reason, "connections", l.accounts.all.connections)
		}
		n.refused++
		refuse(fd, message.ErrBusConnections, "the daemon is out of file descriptors")
	}
	if n.holdReserve() != nil {
		l.listen(false)
		return false
	}
	return err == nil
}

func (l *Loop) descriptorsAreBack() {
	if l.listener.refused > 0 {
		l.log.Info("accepting connections again", "refused", l.listener.refused)
		l.listener.refused = 0
	}
}

// descriptorsMayBeBack is for when the reserve is lost and the loop has waited, or closed something.
func (l *Loop) descriptorsMayBeBack() {
	if l.listener.holdReserve() == nil {
		l.listen(true)
	}
}

// listen turns the loop's interest in new clients on or off.
func (l *Loop) listen(on bool) {
	events := uint32(0)
	if on {
		events = unix.EPOLLIN
	}
	l.control(unix.EPOLL_CTL_MOD, l.listener.FD, events, 0)
}
