package loop

import (
	"fmt"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/session"
)

// conn is one connection. Its turn goes: handle requests, those in memory first and then those in the socket, as many
// as its share allows; show others in their windows what that brought them; send it the results; then send to the
// others, and wake them. The caller is answered first, because waking another process on a busy processor means that we
// wait.
//
// A client that takes no results holds up no other: what the socket does not take stays in the session, epoll says when
// there is room, and while there is too much of it (session.Busy) the client's requests stay in its socket.
type conn struct {
	socket
	session *session.Session
	peer    session.Peer
	user    *account
	rings   *rings // nil: frames go through the socket

	backlog
	passed
	waits
	ended  bool   // closed
	logged uint16 // limits whose refusal was logged, a bit each
}

// waits is in which lists of the schedule the connection is.
type waits struct {
	unfinished bool
	putOff     bool // in its user's line
	inCrowd    bool
	resumed    bool // unless its turn came earlier
}

// socket is the connection as the kernel has it.
type socket struct {
	fd         int
	generation int32  // tells it from earlier ones with the same descriptor
	events     uint32 // what epoll watches for
	blocked    bool   // it took less than there was to send
	deaf       bool   // the client takes no results any more
}

func (l *Loop) connect(fd int, u *account, peer session.Peer) {
	l.generation++
	c := &conn{socket: socket{fd: fd, generation: l.generation, events: unix.EPOLLIN}, peer: peer, user: u}
	l.own(fd, c)
	if !l.ruling.none() {
		l.ruling.judgeConn(l, c)
	}
	c.session = l.engine.Connect(peer)
	c.session.Tag = c
	if err := l.control(unix.EPOLL_CTL_ADD, fd, c.events, c.generation); err != nil {
		l.end(c, err)
	}
}

// ready is called when epoll has seen something in the socket.
func (l *Loop) ready(c *conn, events uint32) {
	if c.putOff {
		l.silence(c)
	}
	if c.rings != nil && c.rings.begun {
		if !c.putOff { // its end can wait
			l.checkSocket(c, events)
		}
		return
	}
	const gone = unix.EPOLLHUP | unix.EPOLLERR
	if events&(unix.EPOLLOUT|gone) != 0 {
		c.blocked = false
	}
	if events&gone != 0 {
		l.deafen(c) // what it sent before it went is still sent
	}
	if !c.unfinished && !c.putOff {
		l.turn(c, events&(unix.EPOLLIN|gone) != 0)
	}
}

// turn is a connection's turn. readable says that its socket may hold something.
func (l *Loop) turn(c *conn, readable bool) {
	if c.resumed {
		comeBack(c)
	}
	l.flushEager(c) // that may be what its requests have been waiting for
	if c.session.Reporting() && l.share(c) > 0 {
		c.session.Continue()
	}
	stopped, err := l.requests(c, readable)
	l.engine.Pump() // before any result: when it is read, whoever got a message can take it
	passCalls(l)
	l.spend(c.user, l.bus.Worked()/workPerRequest)
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

// deafen notes that the client takes no results any more.
func (l *Loop) deafen(c *conn) {
	c.deaf = true
	c.session.Deafen()
}

// plan sees to it that the connection gets its next turn.
func (l *Loop) plan(c *conn, stopped bool) {
	if !c.putOff && c.session.Reporting() || stopped && (c.rings != nil || c.at < len(c.rest)) && !c.session.Busy() {
		l.again(c)
	}
	l.watch(c)
}

// watch tells epoll what to look for: requests unless the session is Busy, room for results when there was none.
func (l *Loop) watch(c *conn) {
	if c.putOff {
		return
	}
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
func (l *Loop) wakeOthers() {
	for {
		l.engine.Pump()
		passCalls(l)
		dirty := l.engine.Dirty()
		if len(dirty) == 0 {
			break
		}
		// the sender is among them
		crowded := len(dirty) > crowdBells+1
		for _, s := range dirty {
			c := s.Tag.(*conn)
			if c.ended {
				continue
			}
			l.flush(c)
			if crowded && c.rings != nil {
				l.crowd.join(c)
			} else {
				l.nudge(c)
			}
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
	l.noteSwitched()
}

// flushEager leaves out what may wait for the next result, unless there might be no next.
func (l *Loop) flushEager(c *conn) {
	if l.stopping || c.rings != nil || !c.session.Lazy() { // what is lazy can lie in a ring as well as here
		l.flush(c)
	}
}

// flush sends until there is nothing left or the socket takes no more.
func (l *Loop) flush(c *conn) {
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
			l.deafen(c)
			if c.rings != nil && !c.rings.closed {
				l.spoil(c, fmt.Errorf("send: %w", errno))
			}
		}
	}
}

// sendOut sends what can be sent now, by the way that the connection has.
func (l *Loop) sendOut(c *conn, out []byte) (int, unix.Errno) {
	switch {
	case c.rings == nil:
		return send(c.fd, out)
	case !c.rings.introduced:
		return c.rings.introduce(c.fd, out, l.bodies, &c.handing)
	}
	return l.sendRing(c, out)
}
