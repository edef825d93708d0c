package kbus

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"

	"kbus.example/kbus/internal/client/driver"
	"kbus.example/kbus/internal/rundir"
	"kbus.example/kbus/internal/transport"
)

// BusNumber is the number of a bus, from 0. The daemon has one socket for each.
type BusNumber uint32

// Open makes a Ksock on a bus of the daemon. It fails with ErrNoSuchBus if the daemon is not running or has no bus of that
// number, syscall.EACCES if the permissions of the socket forbid it, syscall.EINVAL for a directory that begins with @,
// syscall.ENAMETOOLONG for a path of a socket with more than 107 bytes, ErrUserConnections or ErrBusConnections at a limit,
// ErrStopping when the bus is ending, and with the error of ctx if a daemon that is there does not answer in time.
func Open(ctx context.Context, bus BusNumber, opts ...Option) (*Ksock, error) {
	return daemon(bus, opts).open(ctx)
}

// Observe looks at a bus of the daemon without a Ksock. It fails as Open does.
func Observe(ctx context.Context, bus BusNumber, opts ...Option) (*Observer, error) {
	return daemon(bus, opts).observe(ctx)
}

// endpoint is where a bus is, and what we want there: enough to go there again.
type endpoint struct {
	settings
	reach func(context.Context) (transport.Link, error)

	cramped atomic.Bool // what comes with rings does not fit into our addresses
}

func daemon(bus BusNumber, opts []Option) *endpoint {
	p := &endpoint{settings: resolve(opts)}
	path := SocketPath(p.dir, bus)
	p.reach = func(ctx context.Context) (transport.Link, error) {
		if err := rundir.CheckPath(path); err != nil {
			return nil, &Error{Op: "open", Name: path, Err: err}
		}
		l, err := transport.Dial(ctx, path, p.rings && !p.cramped.Load())
		if err != nil {
			if ctx.Err() != nil {
				err = driver.CanceledBy(ctx)
			}
			return nil, &Error{Op: "open", Name: path, Err: err, Text: hint(p.dir, bus, err)}
		}
		return l, nil
	}
	return p
}

// hint says what a person may look at when there is no daemon to be found.
func hint(dir string, bus BusNumber, err error) string {
	switch {
	case errors.Is(err, ErrNoSuchBus):
		if only := rundir.OnlyBuses(dir, uint32(bus)); only != "" {
			return only
		}
		return "nobody listens there; is kbusd running?"
	case errors.Is(err, syscall.EACCES):
		return "the permissions of the socket say who may use this bus"
	}
	return ""
}

func (p *endpoint) connect(ctx context.Context, mode Mode) (*conn, error) {
	l, err := p.reach(ctx)
	if err != nil {
		return nil, err
	}
	c, err := newConn(ctx, l, mode, p.settings)
	if errors.Is(err, transport.ErrCramped) && p.cramped.CompareAndSwap(false, true) { // once more, with the socket alone
		return p.connect(ctx, mode)
	}
	return c, err
}

func (p *endpoint) open(ctx context.Context) (*Ksock, error) {
	c, err := p.connect(ctx, p.mode)
	if err != nil {
		return nil, err
	}
	k := &Ksock{endpoint: p, mode: p.mode}
	k.file.k = k
	driver.OwnedBy(c.Conn, k)
	k.conn.Store(c)
	return k, nil
}

func (p *endpoint) observe(ctx context.Context) (*Observer, error) {
	c, err := p.connect(ctx, 0)
	if err != nil {
		return nil, err
	}
	o := &Observer{endpoint: p, conn: new(atomic.Pointer[conn]), own: true}
	driver.OwnedBy(c.Conn, o)
	o.conn.Store(c)
	return o, nil
}
