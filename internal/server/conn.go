package server

import (
	"fmt"

	"golang.org/x/sys/unix"

	"kbus/internal/session"
)

// conn is one connection. Its turn goes: handle requests, those in memory first and then those in the socket, as many
// as its share allows; show others in their windows what that brought them; send it the results; then send to the
// others, and wake them. The caller is answered first, because waking somebody on a busy processor means that we wait.
//
// Nobody who takes no results holds anybody up: what the socket does not take stays in the session, epoll says when
// there is room, and while there is too much of it (session.Busy) the client's requests stay in its socket.
type conn struct {
	fd         int
	generation int32  // tells it from earlier ones with the same descriptor
	events     uint32 // what epoll watches for
	session    *session.Session
	peer       session.Peer
	user       *account

	rings *rings // nil: frames go through the socket

	rest []byte // bytes received; those from at on are not handled yet
	at   int
	held int64 // bytes charged to user, for rest and for unsent results

	blocked    bool  // the socket took less than there was to send
	deaf       bool  // the client takes no results any more
	unfinished bool  // in loop.unfinished
	ended      bool  // closed
	told       uint8 // limits whose refusal was logged, a bit each
}

func (l *loop) connect(fd int, u *account, peer session.Peer) {
	l.generation++
	c := &conn{fd: fd, generation: l.generation, events: unix.EPOLLIN, peer: peer, user: u}
	l.own(fd, c)
	c.session = l.engine.Connect(peer)
	c.session.Tag = c
	if err := l.control(unix.EPOLL_CTL_ADD, fd, c.events, c.generation); err != nil {
		l.end(c, err)
	}
}

// own notes whose events those of a descriptor are.
func (l *loop) own(fd int, c *conn) {
	for fd >= len(l.conns) {
		l.conns = append(l.conns, nil)
	}
	l.conns[fd] = c
}

// ready is called when epoll has seen something in the socket.
func (l *loop) ready(c *conn, events uint32) {
	if c.rings != nil && c.rings.begun {
		l.hear(c, events)
		return
	}
	const gone = unix.EPOLLHUP | unix.EPOLLERR
	if events&(unix.EPOLLOUT|gone) != 0 {
		c.blocked = false
	}
	if events&gone != 0 {
		c.deaf = true // what it asked before it went is still done
	}
	if !c.unfinished {
		l.turn(c, events&(unix.EPOLLIN|gone) != 0)
	}
}

// turn is a connection's turn. readable says that its socket may hold something.
func (l *loop) turn(c *conn, readable bool) {
	l.flushEager(c) // that may be what its requests have been waiting for
	stopped, err := l.requests(c, readable)
	l.engine.Settle() // before any result: when it is read, whoever got a message can take it
	l.flushEager(c)
	l.nudge(c)
	if err == nil {
		err = l.charge(c)
	}
	if err != nil {
		l.end(c, err)
	} else {
		l.plan(c, stopped)
	}
	l.wakeOthers()
}

// plan sees to it that the connection gets its next turn.
func (l *loop) plan(c *conn, stopped bool) {
	if stopped && (c.rings != nil || c.at < len(c.rest)) && !c.session.Busy() {
		l.again(c)
	}
	l.watch(c)
}

// again puts the connection among those with work left.
func (l *loop) again(c *conn) {
	if !c.unfinished {
		c.unfinished = true
		l.unfinished = append(l.unfinished, c)
	}
}

// watch tells epoll what to look for: requests unless the session is Busy, room for results when there was none.
func (l *loop) watch(c *conn) {
	var events uint32
	begun := c.rings != nil && c.rings.begun
	if begun || !c.session.Busy() {
		events = unix.EPOLLIN
	}
	if c.blocked && !begun {
		events |= unix.EPOLLOUT
	}
	if events != c.events {
		c.events = events
		l.control(unix.EPOLL_CTL_MOD, c.fd, events, c.generation)
	}
}

// wakeOthers sends what others wait for. To send makes room, and that may bring more to send.
func (l *loop) wakeOthers() {
	for {
		l.engine.Settle()
		dirty := l.engine.Dirty()
		if len(dirty) == 0 {
			break
		}
		for _, s := range dirty {
			c := s.Tag.(*conn)
			if c.ended {
				continue
			}
			l.flush(c)
			l.nudge(c)
			if err := l.charge(c); err != nil {
				l.end(c, err)
			} else {
				l.watch(c)
			}
		}
	}
	if l.device != nil {
		l.device.Wake()
	}
}

// flushEager leaves out what may wait for the next result, unless there might be no next.
func (l *loop) flushEager(c *conn) {
	if l.stopping || c.rings != nil || !c.session.Lazy() { // what is lazy can lie in a ring as well as here
		l.flush(c)
	}
}

// flush sends until there is nothing left or the socket takes no more.
func (l *loop) flush(c *conn) {
	for !c.blocked {
		out := c.session.Out()
		if len(out) == 0 {
			return
		}
		if c.deaf {
			c.session.Sent(len(out))
			return
		}
		switch n, errno := l.sendOut(c, out); errno {
		case 0:
			c.session.Sent(n)
		case unix.EAGAIN:
			c.blocked = true
		case unix.EINTR:
		default:
			c.deaf = true
			if c.rings != nil && !c.rings.closed {
				l.spoil(c, fmt.Errorf("send: %w", errno))
			}
		}
	}
}

// sendOut sends what can be sent now, by the way that the connection has.
func (l *loop) sendOut(c *conn, out []byte) (int, unix.Errno) {
	switch {
	case c.rings == nil:
		return send(c.fd, out)
	case c.rings.share >= 0:
		return c.rings.introduce(c.fd, out, l.bodies)
	}
	return l.sendRing(c, out)
}
