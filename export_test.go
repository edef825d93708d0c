package kbus

import (
	"context"
	"weak"

	"kbus.example/kbus/internal/transport"
	"kbus.example/kbus/internal/wire"
)

// OpenDribbling opens a Ksock over a link that takes and gives only a few bytes at a time, as a socket may do.
func (b *Bus) OpenDribbling(ctx context.Context, opts ...Option) (*Ksock, error) {
	p := b.endpoint(resolve(opts))
	reach := p.reach
	p.reach = func(ctx context.Context) (transport.Link, error) {
		l, err := reach(ctx)
		if err != nil {
			return nil, err
		}
		return &dribble{Link: l}, nil
	}
	return p.open(ctx)
}

type dribble struct {
	transport.Link
	partial      []byte // of a frame
	sent, recved int
}

// amount goes through 1, 2, 4, ... 4096 and begins again.
func amount(turn *int) int {
	*turn++
	return 1 << (*turn % 13)
}

func (d *dribble) Send(p []byte) (int, error) {
	n := min(len(p), amount(&d.sent))
	d.partial = append(d.partial, p[:n]...)
	for {
		_, _, whole, err := wire.Split(d.partial, wire.MaxResultBytes)
		if whole == 0 || err != nil {
			return n, err
		}
		if _, err := d.Link.Send(d.partial[:whole]); err != nil {
			return n, err
		}
		d.partial = append(d.partial[:0], d.partial[whole:]...)
	}
}

func (d *dribble) Recv(p []byte, room bool) (int, error) {
	if room {
		return 0, nil
	}
	return d.Link.Recv(p[:min(len(p), amount(&d.recved))], room)
}

// Waiters counts the goroutines that wait for something on k.
func Waiters(k *Ksock) int {
	return k.conn.Load().Waiters()
}

// WaiterOf counts as Waiters does, and does not keep the Ksock itself; -1 when that has been collected.
func WaiterOf(k *Ksock) func() int {
	weak := weak.Make(k)
	return func() int {
		if k := weak.Value(); k != nil {
			return Waiters(k)
		}
		return -1
	}
}
