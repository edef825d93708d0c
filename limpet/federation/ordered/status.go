package ordered

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/report"
)

// How an ordered member looks, told on both of its buses to whoever asks.

// bindEvery is how often it is tried to bind the name, while another Limpet has it.
const bindEvery = 3 * time.Second

// serveStatus answers Requests on one of the buses for the status of the federation. It has a Ksock of its own: those of inlet and
// outlet may be waiting for the stream or for a Listener, which is just when people ask.
func (b *Member) serveStatus(ctx context.Context, in *inlet, open func(context.Context) (*kbus.Ksock, error)) error {
	k, err := open(ctx)
	if err != nil {
		return err
	}
	defer k.Close()
	for logged := false; ; logged = true {
		if err = k.Bind(ctx, report.Name, kbus.Replier); err == nil {
			break
		}
		if !errors.Is(err, kbus.ErrReplierBound) && !errors.Is(err, kbus.ErrEventUndelivered) {
			return err
		}
		if !logged {
			b.Log.Info("somebody else tells on this bus how its federation looks, and this bowl does not", "bus", k.Bus())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(bindEvery):
		}
	}
	return k.Serve(ctx, func(ctx context.Context, m *kbus.Message) (*kbus.Message, error) {
		return b.status(ctx, in).Answer(m)
	})
}

// status is how it looks.
func (b *Member) status(ctx context.Context, in *inlet) *report.Status {
	s := &report.Status{Peers: []report.Peer{}}
	s.Self = report.Self{
		Federation: b.Federation, ID: b.ID, Epoch: b.keeper.Epoch(), Policy: report.Ordered, InTouch: b.keeper.InTouch(),
		LeaseLeft: max(0, b.keeper.Left().Seconds()), UpSeconds: time.Since(b.begun).Seconds(),
	}
	f := &b.figures
	s.MessageCounts = report.MessageCounts{Announced: f.ordered.Load(), Received: f.delivered.Load(), Copies: f.copies.Load()}
	s.Undelivered, s.Refused, s.LostEntries = f.undelivered.Load(), f.refused.Load(), f.lost.Load()
	if b.nc.IsConnected() {
		s.Server = b.nc.ConnectedServerName()
	}
	if n, err := in.k.Queue().Len(ctx); err == nil { // else the bus is lost, and so is the answer
		s.ToPassOn = n
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if served := b.figures.served.Load(); b.stream != nil && b.stream.Known() > served {
		s.ToDeliver = int(b.stream.Known() - served)
	}
	for id, p := range b.positions {
		if id != b.ID {
			s.Peers = append(s.Peers, report.Peer{ID: id, Epoch: p.epoch, Announced: p.count})
		}
	}
	slices.SortFunc(s.Peers, func(x, y report.Peer) int { return cmp.Compare(x.ID, y.ID) })
	return s
}
