package loop

import (
	"errors"
	"io"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/message"
)

// Ends of connections, and what the log says of them and of refusals: which process, which user, which limit or what
// was wrong. Never what a message said or what it was called.

// end closes a connection. Its Ksock closes as by close (R6.7). wakeOthers should follow.
func (l *Loop) end(c *conn, reason error) {
	if c.ended {
		return
	}
	var over *overLimit
	if errors.As(reason, &over) { // the client should know what its program, or somebody else's of its user, has too much of
		session.LastWord(c.session, c.rest[c.at:], message.ErrNoMemory, over.Error())
		l.flush(c)
	}
	c.ended = true
	l.conns[c.fd] = nil
	l.logEnd(c, reason)
	l.engine.Disconnect(c.session)
	l.recent.forget(c)
	l.forgetRings(c) // only now: the bus has asked the window for the last time
	l.dropRest(c)
	l.accounts.buffer(c.user, -c.held)
	l.control(unix.EPOLL_CTL_DEL, c.fd, 0, 0)
	l.bury(c)
	l.spend(c.user, endWork+l.bus.Worked()/workPerRequest)
}

func (l *Loop) logEnd(c *conn, reason error) {
	var refusal *session.Refusal
	switch {
	case reason == io.EOF, reason == errStopped:
		l.report(logger.LevelDebug, c.peer.PID, c.peer.UID, "connection closed")
	case errors.As(reason, &refusal) && (isLimit(refusal.Condition) || refusal.Condition == message.ErrDenied):
		// noteRefusal has said so already, or the Judge
	default:
		l.report(logger.LevelWarn, c.peer.PID, c.peer.UID, "connection ended", logger.String("reason", reason.Error()))
	}
}

// noteRefusal logs that a limit stood against a request: once for each limit and connection, for a client may try as
// often as it likes.
func (l *Loop) noteRefusal(logged *uint16, pid, uid uint32, cond message.Condition) {
	if cond == message.ErrEventUndelivered && *logged&loggedBinds == 0 {
		*logged |= loggedBinds
		l.report(logger.LevelWarn, pid, uid, "bind held up", logger.String("behind", l.bus.Why(cond)))
	}
	limit, bit := limitOf(cond)
	if bit := uint16(1) << bit; limit != "" && *logged&bit == 0 {
		*logged |= bit
		l.report(logger.LevelWarn, pid, uid, "refused", l.accounts.limits.limitAttrs(limit)...)
	}
}

func isLimit(c message.Condition) bool {
	limit, _ := limitOf(c)
	return limit != ""
}

func (l *Loop) report(level logger.Level, pid, uid uint32, what string, more ...logger.Attr) {
	attrs := append([]logger.Attr{logger.Int64("pid", int64(pid)), logger.Int64("uid", int64(uid))}, more...)
	l.log.LogAttrs(level, what, attrs...)
}
