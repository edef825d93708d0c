package server

import (
	"errors"
	"io"
	"log/slog"

	"golang.org/x/sys/unix"

	"kbus/internal/session"
	"kbus/message"
)

// Ends of connections, and what the log says of them and of refusals: which process, which user, which limit or what
// was wrong. Never what a message said or what it was called.

// end closes a connection. Its Ksock closes as by close (R6.7). wakeOthers should follow.
func (l *loop) end(c *conn, reason error) {
	if c.ended {
		return
	}
	c.ended = true
	l.conns[c.fd] = nil
	l.logEnd(c, reason)
	l.engine.Disconnect(c.session)
	l.dropRings(c) // only now: the bus has asked the window for the last time
	l.dropRest(c)
	l.accounts.buffer(c.user, -c.held)
	l.accounts.disconnect(c.user)
	unix.Close(c.fd) // and with it goes epoll's interest
}

func (l *loop) logEnd(c *conn, reason error) {
	var refusal *session.Refusal
	switch {
	case reason == io.EOF, reason == errStopped:
		l.say(slog.LevelDebug, c.peer.PID, c.peer.UID, "connection closed")
	case errors.As(reason, &refusal) && isLimit(refusal.Condition):
		// noteRefusal has said so already
	default:
		l.say(slog.LevelWarn, c.peer.PID, c.peer.UID, "connection ended", slog.String("reason", reason.Error()))
	}
}

// noteRefusal logs that a limit stood against a request: once for each limit and connection, for a client may try as
// often as it likes.
func (l *loop) noteRefusal(told *uint8, pid, uid uint32, cond message.Condition) {
	limit, place := limitOf(cond)
	if bit := uint8(1) << place; limit != "" && *told&bit == 0 {
		*told |= bit
		l.say(slog.LevelWarn, pid, uid, "refused", slog.String("limit", limit))
	}
}

func isLimit(c message.Condition) bool {
	limit, _ := limitOf(c)
	return limit != ""
}

func (l *loop) say(level slog.Level, pid, uid uint32, what string, more ...slog.Attr) {
	attrs := append([]slog.Attr{slog.Int64("pid", int64(pid)), slog.Int64("uid", int64(uid))}, more...)
	l.log.LogAttrs(background, level, what, attrs...)
}
