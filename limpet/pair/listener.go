package pair

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet"
)

// A listener has one pair at a time. Each connection has a goroutine of its own, which does the handshake and then, if the
// Limpet may join, joins it. Another Limpet is refused meanwhile. But when the same Limpet connects again, its old link is
// as good as lost, whatever TCP thinks, and the new one replaces it.
type listener struct {
	*Options
	socket  net.Listener
	ended   context.CancelCauseFunc
	work    sync.WaitGroup // a goroutine for each connection
	pending pending
	log     refusalLog

	mu   sync.Mutex
	peer uint32 // that has joined, or is about to; 0 if none
	end  context.CancelCauseFunc
	left chan struct{} // closed when the last connection has left
}

var errMadeRoom = errors.New("it had not shown who it is, and had to make room: too many connect and do not")

var errReplaced = errors.New("the same Limpet has connected anew, and this link was still there: if that goes on it is started twice")

func runListener(ctx context.Context, o *Options) error {
	socket, err := listen(o.Address)
	if err != nil {
		return err
	}
	o.Log.Info("listening", "address", socket.Addr().String())
	ctx, end := context.WithCancelCause(ctx)
	l := &listener{Options: o, socket: socket, ended: end}
	context.AfterFunc(ctx, func() { _ = socket.Close() })
	l.accept(ctx)
	_ = socket.Close() // that it is about to be closed does not do: its file must be gone
	l.work.Wait()
	switch err := context.Cause(ctx); {
	case errors.Is(err, limpet.ErrStopped):
		o.Log.Info("stopped", "by", o.StopOn)
		return nil
	case errors.Is(err, context.Canceled):
		return nil
	default:
		return err
	}
}

// accept takes connections until ctx ends.
func (l *listener) accept(ctx context.Context) {
	for {
		conn, err := l.socket.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return
		case err != nil: // out of descriptors, perhaps
			l.Log.Warn("cannot accept", "error", err)
			wait(ctx, firstPause)
			continue
		}
		v := l.pending.admit(conn)
		l.work.Go(func() { l.serve(ctx, v) })
	}
}

func (l *listener) serve(ctx context.Context, v *connection) {
	conn := v.conn
	defer conn.Close()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	keepAlive(conn)
	var k *kbus.Ksock
	left := make(chan struct{})
	defer l.leave(left)
	g, err := respond(ctx, conn, l.Options, func(peer uint32) (err error) {
		l.pending.shown(v)
		if err = l.admit(peer, end, left); err == nil {
			k, err = l.Open(ctx)
		}
		return err
	})
	if k != nil {
		defer k.Close()
	}
	if hadToGo := l.pending.shown(v); hadToGo {
		err = errMadeRoom
	}
	if stop(); err != nil {
		l.refused(conn, err)
		return
	}
	err = l.join(ctx, k, g)
	if errors.Is(err, limpet.ErrStopped) || l.Once && !errors.Is(err, errReplaced) {
		l.ended(err)
	}
}

// admit makes a Limpet our pair, and waits until the one before has left.
func (l *listener) admit(peer uint32, end context.CancelCauseFunc, left chan struct{}) error {
	l.mu.Lock()
	if l.peer != 0 && l.peer != peer {
		defer l.mu.Unlock()
		return fmt.Errorf("network id %d has come while we are joined with %d", peer, l.peer)
	}
	before := l.left
	if l.peer != 0 {
		l.end(errReplaced)
	}
	l.peer, l.end, l.left = peer, end, left
	l.mu.Unlock()
	if before != nil {
		<-before
	}
	return nil
}

// leave ends that, if it was this connection's.
func (l *listener) leave(left chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left == left {
		l.peer = 0
	}
	close(left)
}
