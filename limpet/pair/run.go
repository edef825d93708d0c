package pair

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet"
)

// One end of a pair, from its first try to its end.

// Run is one end of a pair until ctx ends, or until the message Options.StopOn is sent; then it returns nil. What
// cannot be from the beginning is an error at once: there is no such bus, nobody can listen at that address, our own
// certificate is not ours. Later on, whatever is lost is waited for. With Options.Once the end of the first link, or a
// link that does not come about, ends it all, with the reason.
func Run(ctx context.Context, o Options) error {
	if err := o.Check(); err != nil {
		return err
	}
	if o.Credentials != nil {
		if err := o.Credentials.Check(o.ID); err != nil {
			return err
		}
	}
	if err := o.tryBus(ctx); err != nil {
		return err
	}
	if o.Listen {
		return runListener(ctx, &o)
	}
	return runConnector(ctx, &o)
}

// tryBus sees that there is a bus, and that we and its other Limpets agree about its network id.
func (o *Options) tryBus(ctx context.Context) error {
	k, err := o.Open(ctx)
	if err != nil {
		return err
	}
	defer k.Close()
	if _, err := k.Bridge().Carry(ctx, o.ID); errors.Is(err, kbus.ErrOtherNetwork) && o.Credentials != nil {
		return fmt.Errorf("--id %d is not what the other Limpets of bus %d say; a bus has one network id, and all its "+
			"Limpets give it: %w", o.ID, k.Bus(), err)
	}
	return nil
}

// runConnector connects again and again.
func runConnector(ctx context.Context, o *Options) error {
	network, _ := networkOf(o.Address) // has been checked
	dialer := net.Dialer{Timeout: patience}
	backoff := newBackoff(o.Longest)
	for {
		began := time.Now()
		conn, err := dialer.DialContext(ctx, network, o.Address)
		if err == nil {
			err = o.connected(ctx, conn)
		}
		switch {
		case errors.Is(err, limpet.ErrStopped):
			o.Log.Info("stopped", "by", o.StopOn)
			return nil
		case ctx.Err() != nil:
			return nil
		case o.Once:
			return err
		}
		if time.Since(began) > steadyAfter {
			backoff.reset()
		}
		again := backoff.length()
		o.Log.Warn("not joined", "address", o.Address, "error", err, "again", again.Round(time.Millisecond))
		wait(ctx, again)
	}
}

// connected greets the other end, and joins the buses.
func (o *Options) connected(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) }) // for the greeting
	keepAlive(conn)
	var k *kbus.Ksock
	g, err := initiate(ctx, conn, o, func() (err error) {
		k, err = o.Open(ctx)
		return err
	})
	if k != nil {
		defer k.Close()
	}
	if stop(); err != nil {
		return err
	}
	return o.join(ctx, k, g)
}

// join joins the buses until something ends that.
func (o *Options) join(ctx context.Context, k *kbus.Ksock, g *handshake) error {
	maxDataBytes, err := k.Settings().AbsMaxMessageBytes(ctx)
	if err == nil {
		err = limpet.Prepare(ctx, k, o.Name, o.MaxMessages)
	}
	if err != nil {
		return err
	}
	o.Log.Info("joined", "bus", k.Bus(), "peer", g.peer, "security", g.security())
	c := limpet.Config{OwnID: o.ID, PairID: g.peer, Name: o.Name, StopOn: o.StopOn, Legacy: !g.secure,
		MaxNames: cmp.Or(o.MaxNames, DefaultMaxNames)}
	f, err := limpet.Join(ctx, k, newStream(g, o.ID, maxDataBytes, cmp.Or(o.MaxUnread, DefaultMaxUnread)), c, o.Log)
	o.Log.Info("parted", "peer", g.peer, "reason", err, "sent", f.ToPair, "received", f.FromPair, "lost", f.Lost,
		"unanswered", f.Open+f.Asked)
	return fmt.Errorf("joined with %d: %w", g.peer, err)
}
