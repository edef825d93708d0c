package loop

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// From bytes to requests. A connection's share of a turn is bounded in requests, in the work that they are, and in reads,
// so one that floods the bus gets no more of it than the others; what it sent meanwhile waits in its socket.
const (
	requestsPerTurn = 64
	readsPerTurn    = 4

	// workPerRequest is how many steps of work (bus.Work) count as one more request: a request that is for a thousand
	// Listeners, or asks for all bindings, uses up its client's share of the turn.
	workPerRequest = 16
)

// backlog is bytes of requests that a connection has received and that are not handled yet.
type backlog struct {
	rest []byte // those from at on
	at   int
	held int64 // bytes charged to the user, for rest and for unsent results
}

// errTruncated ends a connection whose client went in the middle of a frame.
var errTruncated = errors.New("the connection ended within a frame")

// requests handles what the client has asked, until nothing is left, its share is used up, or it must take results
// first; in the latter two cases stopped is true, and memory may hold requests that epoll does not know of. The error,
// io.EOF when the client has just closed, ends the connection.
func (l *Loop) requests(c *conn, readable bool) (stopped bool, err error) {
	share := l.share(c)
	if share <= 0 {
		l.putOff(c)
		return false, nil
	}
	defer func(before int, left *int) { l.spend(c.user, before-*left) }(share, &share)
	for reads := 0; ; reads++ {
		if err := l.handleRest(c, &share); err != nil {
			return false, err
		}
		if share <= 0 || c.session.Busy() {
			return true, nil
		}
		if !readable || reads == readsPerTurn {
			return readable, nil
		}
		if c.rest == nil {
			readable, err = l.readShared(c, &share)
		} else {
			readable, err = l.readOn(c)
		}
		if err != nil {
			return false, err
		}
	}
}

// handle handles the complete frames at the beginning of data and tells how many bytes they were.
func (l *Loop) handle(c *conn, data []byte, share *int) (used int, err error) {
	for *share > 0 && !c.session.Busy() {
		h, payload, n, err := wire.Split(data[used:], l.maxPayload)
		if n == 0 || err != nil {
			return used, err
		}
		used += n
		*share--
		unsent := len(c.session.Out())
		err = c.session.Handle(h, payload)
		*share -= l.bus.Worked() / workPerRequest
		l.noteOutcome(c, unsent)
		if err != nil {
			return used, err
		}
		if c.rings != nil && !c.rings.begun {
			if c.rings.begun = true; used < len(data) {
				return used, errChatter
			}
			c.session.SetWindow(c.rings.window)
		}
	}
	return used, nil
}

// noteOutcome looks at what the session has answered since it had so many bytes unsent.
func (l *Loop) noteOutcome(c *conn, unsent int) {
	if out := c.session.Out(); len(out) >= unsent+wire.HeaderBytes {
		if cond := wire.ParseHeader(out[unsent:]).Condition; cond != message.OK {
			l.noteRefusal(&c.logged, c.peer.PID, c.peer.UID, cond)
		}
	}
}

// handleRest handles what the connection has in memory, and gives the memory back when nothing is left.
func (l *Loop) handleRest(c *conn, share *int) error {
	if c.rest == nil {
		return nil
	}
	used, err := l.handle(c, c.rest[c.at:], share)
	if c.at += used; c.at == len(c.rest) {
		l.dropRest(c)
	}
	return err
}

func (l *Loop) dropRest(c *conn) {
	if c.rest != nil {
		l.input.give(c.rest)
		c.rest, c.at = nil, 0
	}
}

// readShared reads into the loop's buffer and handles what came where it lies. more says that the socket may hold more.
func (l *Loop) readShared(c *conn, share *int) (more bool, err error) {
	buffer := l.input.buffer(l.accounts.muchBuffered(c.user))
	if c.rings != nil && c.rings.begun && c.rings.spoiled == nil {
		switch next, most, err := l.handleLong(c, share); {
		case next != ordinary:
			return next == handled, err
		case most > 0:
			buffer = buffer[:min(len(buffer), most)]
		}
	}
	n, more, err := l.receive(c, buffer)
	if n == 0 {
		return more, err
	}
	rings := c.rings
	used, err := l.handle(c, buffer[:n], share)
	if used < n && err == nil {
		c.rest = append(l.input.take(n-used), buffer[used:n]...)
		err = l.charge(c)
	}
	return more || c.rings != rings, err // new rings must be looked at once, to say that we sleep
}

// readOn reads more of a frame of which a part has come already.
func (l *Loop) readOn(c *conn) (more bool, err error) {
	if c.at > 0 {
		c.rest = c.rest[:copy(c.rest, c.rest[c.at:])]
		c.at = 0
	}
	whole := wire.HeaderBytes
	if len(c.rest) >= wire.HeaderBytes {
		whole += int(wire.ParseHeader(c.rest).PayloadBytes) // handleRest has checked that
	}
	if len(c.rest) == cap(c.rest) {
		if err := l.grow(c, min(whole, 2*cap(c.rest))); err != nil {
			return false, err
		}
	}
	have := len(c.rest)
	n, more, err := l.receive(c, c.rest[have:min(cap(c.rest), whole)])
	l.spend(c.user, n/requestWorth)
	c.rest = c.rest[:have+n]
	if err == io.EOF {
		err = errTruncated
	}
	return more, err
}

// grow moves what has come of a frame to a larger place. It is charged first.
func (l *Loop) grow(c *conn, size int) error {
	if err := l.chargeBytes(c, int64(size+len(c.session.Out()))+c.rings.bytes()); err != nil {
		return err
	}
	l.spend(c.user, size/requestWorth)
	old := c.rest
	c.rest = append(l.input.take(size), old...)
	l.input.give(old)
	return nil
}

// receive reads from the client. more says that the socket may hold more; io.EOF that nothing will come any more.
func (l *Loop) receive(c *conn, p []byte) (n int, more bool, err error) {
	if c.rings != nil && c.rings.begun {
		return l.receiveRing(c, p)
	}
	n, errno := l.receiveSocket(c, p)
	switch {
	case errno == unix.EAGAIN:
		return 0, false, nil
	case errno == unix.EINTR:
		return 0, true, nil
	case errno == unix.ECONNRESET, errno == 0 && n == 0:
		return 0, false, io.EOF
	case errno != 0:
		return 0, false, fmt.Errorf("receive: %w", errno)
	case n < 0:
		return 0, false, errDescriptorsSent
	}
	return n, n == len(p), nil
}

// charge makes what is charged for the connection's memory what it holds now.
func (l *Loop) charge(c *conn) error {
	if c.rings != nil && c.rings.spoiled != nil {
		return c.rings.spoiled
	}
	return l.chargeBytes(c, c.holds())
}

// holds is what memory the connection takes.
func (c *conn) holds() int64 {
	return int64(cap(c.rest)+len(c.session.Out())) + c.session.HeldBytes() + c.rings.bytes()
}

func (l *Loop) chargeBytes(c *conn, holds int64) error {
	if holds == c.held {
		return nil
	}
	if limit := l.accounts.buffer(c.user, holds-c.held); limit != "" {
		return &overLimit{limit, l.accounts.limits.valueOf(limit)}
	}
	c.held = holds
	return nil
}

// overLimit ends a connection that wants more memory than its user may have.
type overLimit struct {
	limit string
	most  int64
}

func (o *overLimit) Error() string {
	return fmt.Sprintf("limit %s reached: %d, setting limits.%[1]s", o.limit, o.most)
}
