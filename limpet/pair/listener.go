package pair

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"kbus"
	"kbus/limpet"
)

// A listener has one pair at a time. Each connection has a goroutine of its own, in which it is greeted and then, if
// it may join, joined. Somebody else who comes meanwhile is refused; but when the same Limpet comes again, its old link
// is as good as lost, whatever TCP says, and the new one takes its place.
type listener struct {
	*Options
	socket net.Listener
	ended  context.CancelCauseFunc
	guests sync.WaitGroup
	places chan struct{} // one for each connection that is being greeted or joined

	mu   sync.Mutex
	peer uint32 // who has joined, or is about to; 0 for nobody
	end  context.CancelCauseFunc
	left chan struct{} // closed when who came last has left
}

// maxGuests is how many may be there at once, most of whom will be refused.
const maxGuests = 16

var errReplaced = errors.New("the same Limpet has connected anew")

func runListener(ctx context.Context, o *Options) error {
	socket, err := listen(o.Address)
	if err != nil {
		return err
	}
	o.Log.Info("listening", "address", socket.Addr().String())
	ctx, end := context.WithCancelCause(ctx)
	l := &listener{Options: o, socket: socket, ended: end, places: make(chan struct{}, maxGuests)}
	context.AfterFunc(ctx, func() { _ = socket.Close() })
	l.accept(ctx)
	_ = socket.Close() // that it is about to be closed does not do: its file must be gone
	l.guests.Wait()
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
		l.places <- struct{}{}
		conn, err := l.socket.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return
		case err != nil: // out of descriptors, perhaps
			l.Log.Warn("cannot accept", "error", err)
			wait(ctx, shortest)
			<-l.places
			continue
		}
		l.guests.Go(func() {
			defer func() { <-l.places }()
			l.serve(ctx, conn)
		})
	}
}

func (l *listener) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })
	watch(conn)
	var k *kbus.Ksock
	left := make(chan struct{})
	defer l.leave(left)
	g, err := receive(conn, l.Options, func(peer uint32) (err error) {
		if err = l.come(peer, end, left); err == nil {
			k, err = l.Open(ctx)
		}
		return err
	})
	if k != nil {
		defer k.Close()
	}
	if stop(); err != nil {
		l.Log.Warn("refused", "from", conn.RemoteAddr().String(), "error", err)
		return
	}
	err = l.join(ctx, k, g)
	if errors.Is(err, limpet.ErrStopped) || l.Once && !errors.Is(err, errReplaced) {
		l.ended(err)
	}
}

// come gives the place beside us to a Limpet, and waits until who had it before has left.
func (l *listener) come(peer uint32, end context.CancelCauseFunc, left chan struct{}) error {
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

// leave gives the place up, if we had it.
func (l *listener) leave(left chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left == left {
		l.peer = 0
	}
	close(left)
}
