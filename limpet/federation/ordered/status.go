package ordered

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"kbus"
	"kbus/limpet/federation/report"
)

// bindEvery is how often it is tried to be who tells of the federation on a bus, while somebody else does.
const bindEvery = 3 * time.Second

// tell answers on one of the buses whoever asks how the federation looks. It has a Ksock of its own: those of inlet and
// outlet may be waiting for the stream or for a Listener, which is just when somebody asks.
func (b *Bowl) tell(ctx context.Context, in *inlet, open func(context.Context) (*kbus.Ksock, error)) error {
	k, err := open(ctx)
	if err != nil {
		return err
	}
	defer k.Close()
	for said := false; ; said = true {
		if err = k.Bind(report.Name, kbus.Replier); err == nil {
			break
		}
		if !errors.Is(err, kbus.ErrReplierBound) && !errors.Is(err, kbus.ErrEventUndelivered) {
			return err
		}
		if !said {
			b.Log.Info("somebody else tells on this bus how its federation looks, and this bowl does not", "bus", k.Bus())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(bindEvery):
		}
	}
	return k.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return b.status(in).Answer(m)
	})
}

// status is how it looks.
func (b *Bowl) status(in *inlet) *report.Status {
	s := &report.Status{
		Federation: b.Federation, ID: b.ID, Epoch: b.office.Epoch(), Policy: report.Ordered, InTouch: b.office.InTouch(),
		LeaseLeft: max(0, b.office.Left().Seconds()), UpSeconds: time.Since(b.begun).Seconds(),
		Announced: b.ordered.Load(), Heard: b.delivered.Load(), Copies: b.copies.Load(), Undelivered: b.undelivered.Load(),
		Refused: b.refused.Load(), LostEntries: b.lost.Load(), Peers: []report.Peer{},
	}
	if b.nc.IsConnected() {
		s.Server = b.nc.ConnectedServerName()
	}
	if n, err := in.k.NumMessages(); err == nil { // else the bus is lost, and so is the answer
		s.ToPassOn = n
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if served := b.served.Load(); b.log != nil && b.log.Known() > served {
		s.ToDeliver = int(b.log.Known() - served)
	}
	for id, p := range b.heard {
		if id != b.ID {
			s.Peers = append(s.Peers, report.Peer{ID: id, Epoch: p.epoch, Announced: p.count})
		}
	}
	slices.SortFunc(s.Peers, func(x, y report.Peer) int { return cmp.Compare(x.ID, y.ID) })
	return s
}
