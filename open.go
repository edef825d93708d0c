package kbus

import (
	"context"
	"errors"
	"syscall"
	"time"
)

// openLimit is how long Open waits for a daemon that is there and does not answer.
const openLimit = 5 * time.Second

// Open makes a Ksock on a bus of the daemon (R3.8). It fails with ErrNoSuchBus if the daemon is not running or has no
// bus of that number, syscall.EACCES if the permissions of the socket forbid it, ErrUserConnections or
// ErrBusConnections at a limit, ErrStopping when the bus is ending. It waits for at most 5 seconds; see OpenContext.
func Open(bus uint32, opts ...Option) (*Ksock, error) {
	ctx, done := context.WithTimeout(context.Background(), openLimit)
	defer done()
	return OpenContext(ctx, bus, opts...)
}

// OpenContext is Open, and waits for as long as ctx lasts.
func OpenContext(ctx context.Context, bus uint32, opts ...Option) (*Ksock, error) {
	return daemon(bus, opts).open(ctx)
}

// Observe looks at a bus of the daemon without a Ksock. It fails as Open does.
func Observe(bus uint32, opts ...Option) (*Observer, error) {
	ctx, done := context.WithTimeout(context.Background(), openLimit)
	defer done()
	return daemon(bus, opts).observe(ctx)
}

// place is where a bus is, and what we want there: enough to go there again.
type place struct {
	settings
	reach func(context.Context) (link, error)
}

func daemon(bus uint32, opts []Option) *place {
	s := settle(opts)
	path := SocketPath(s.dir, bus)
	return &place{settings: s, reach: func(ctx context.Context) (link, error) {
		l, err := dial(ctx, path)
		if err != nil {
			return nil, &Error{Op: "open", Name: path, Err: err, Text: hint(err)}
		}
		l.wantsRings = s.rings
		return l, nil
	}}
}

// hint says what a person may look at when there is no daemon to be found.
func hint(err error) string {
	switch {
	case errors.Is(err, ErrNoSuchBus):
		return "nobody listens there; is kbusd running?"
	case errors.Is(err, syscall.EACCES):
		return "the permissions of the socket say who may use this bus"
	}
	return ""
}

func (p *place) connect(ctx context.Context, mode Mode) (*conn, error) {
	l, err := p.reach(ctx)
	if err != nil {
		return nil, err
	}
	return newConn(ctx, l, mode, p.readAhead)
}

func (p *place) open(ctx context.Context) (*Ksock, error) {
	c, err := p.connect(ctx, p.mode)
	if err != nil {
		return nil, err
	}
	k := &Ksock{Observer: Observer{place: p}, mode: p.mode}
	k.conn.Store(c)
	return k, nil
}

func (p *place) observe(ctx context.Context) (*Observer, error) {
	c, err := p.connect(ctx, 0)
	if err != nil {
		return nil, err
	}
	o := &Observer{place: p}
	o.conn.Store(c)
	return o, nil
}
