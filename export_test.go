package kbus

import (
	"context"
	"time"

	"kbus/internal/wire"
)

// OpenDribbling opens a Ksock over a link that takes and gives only a few bytes at a time, as a socket may do.
func (b *Bus) OpenDribbling(opts ...Option) (*Ksock, error) {
	p := b.place(settle(opts))
	reach := p.reach
	p.reach = func(ctx context.Context) (link, error) {
		l, err := reach(ctx)
		if err != nil {
			return nil, err
		}
		return &dribble{insideLink: l.(*insideLink)}, nil
	}
	return p.open(context.Background())
}

type dribble struct {
	*insideLink
	partial      []byte // of a frame
	sent, recved int
}

// amount goes through 1, 2, 4, ... 4096 and begins again.
func amount(turn *int) int {
	*turn++
	return 1 << (*turn % 13)
}

func (d *dribble) send(p []byte) (int, error) {
	n := min(len(p), amount(&d.sent))
	d.partial = append(d.partial, p[:n]...)
	for {
		_, _, whole, err := wire.Split(d.partial, wire.MaxResultBytes)
		if whole == 0 || err != nil {
			return n, err
		}
		if _, err := d.insideLink.send(d.partial[:whole]); err != nil {
			return n, err
		}
		d.partial = append(d.partial[:0], d.partial[whole:]...)
	}
}

func (d *dribble) recv(p []byte, room bool) (int, error) {
	if room {
		return 0, nil
	}
	return d.insideLink.recv(p[:min(len(p), amount(&d.recved))], room)
}

// Waiters counts the goroutines that wait for something on k.
func Waiters(k *Ksock) (n int) {
	c := k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, q := range c.waiting {
		if q.attended {
			n++
		}
	}
	for _, q := range c.claimers {
		if q.attended {
			n++
		}
	}
	return n
}

// TurnBegun is when the goroutine that waits for the daemon has last been through the scheduler.
func TurnBegun(k *Ksock) time.Duration {
	switch l := k.conn.Load().link.(type) {
	case *ringLink:
		return l.shift.begun
	case *socketLink:
		return l.shift.begun
	}
	return 0
}

// Turn ends a turn that has been long enough.
func Turn() {
	s := shift{begun: time.Since(started) - longestTurn - 1}
	s.before()
}
