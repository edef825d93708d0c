package federation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"kbus"
	"kbus/limpet/federation/directory"
	"kbus/limpet/federation/lease"
	"kbus/limpet/federation/routing"
	"kbus/limpet/federation/store"
	"kbus/limpet/federation/window"
)

// session is one life of the bowl: one Ksock, one epoch. Whatever goes wrong ends it as a whole, and closing the Ksock
// undoes at once all that it stood for on the bus: what it proxied, and, if the federation is strict, what it vouched for.
type session struct {
	*Bowl
	ctx  context.Context
	end  context.CancelCauseFunc
	work sync.WaitGroup

	ksock     *kbus.Ksock
	own       uint32 // number of that Ksock
	federator *kbus.Federator
	names     *store.Store // the directory
	leases    *store.Store
	self      routing.Self
	clerks    [clerks]desk
	open      atomic.Bool  // claims are taken
	vouched   atomic.Int64 // until when, as UnixNano: the lease as the flows see it
	touched   atomic.Int64 // until when the quorum counts as heard

	mu       sync.Mutex // guards what follows, and is never held while anything waits
	holder   lease.Holder
	table    *directory.Table
	asker    *routing.Asker
	answerer *routing.Answerer
	windows  map[uint32]*window.Window
	held     map[string]*holding
	states   map[conversation]uint64

	proxies proxies
	pipe    *kbus.Pipe
	outbox  outbox
	losses  losses
	figures figures
	begun   time.Time
}

const (
	queueMessages  = 4096    // of our Ksock; when it is full, senders are told
	reportMessages = 1 << 20 // while the report of existing Repliers comes
	readAhead      = 64
	inboxMessages  = 4096 // from NATS
)

// session runs one, and tells whether it had begun in earnest.
func (b *Bowl) session(parent context.Context) (begun bool, err error) {
	ctx, end := context.WithCancelCause(parent)
	s := &session{
		Bowl: b, ctx: ctx, end: end, table: directory.New(), windows: map[uint32]*window.Window{},
		held: map[string]*holding{}, states: map[conversation]uint64{},
	}
	defer s.work.Wait()
	defer end(nil)
	if err := s.enter(); err != nil {
		return false, err
	}
	defer s.ksock.Close()
	if err := s.begin(); err != nil {
		return false, err
	}
	s.Log.Info("joined", "federation", b.Federation, "id", b.ID, "epoch", s.self.Epoch, "bus", s.ksock.Bus())
	b.ready()
	<-ctx.Done()
	s.ksock.Close() // before the directory is told, so that nobody holds a name twice
	if parent.Err() != nil {
		s.leave()
	}
	return true, context.Cause(ctx)
}

// enter opens the Ksock and becomes the bus's federator. From here on every Bind waits for our word.
func (s *session) enter() (err error) {
	if s.ksock, err = s.Open(s.ctx); err != nil {
		return err
	}
	s.own = s.ksock.ID()
	s.federator, err = s.ksock.Federate(!s.Available)
	switch {
	case errors.Is(err, kbus.ErrNotPermitted):
		err = refuse("the daemon does not let this user join its bus to others: see its setting limpets (docs/daemon.md): %w", err)
	case errors.Is(err, kbus.ErrReplierBound):
		err = refuse("the bus %d is in a federation already, by another Limpet: `kbus list` shows it: %w", s.ksock.Bus(), err)
	}
	if err != nil {
		s.ksock.Close()
		return err
	}
	for i := range s.clerks {
		s.clerks[i].init()
	}
	s.flow(s.hearClaims)
	return nil
}

// begin gets an epoch and a picture of the federation, and starts all flows.
func (s *session) begin() error {
	if err := s.openStores(); err != nil {
		return err
	}
	if err := s.takeOffice(); err != nil {
		return err
	}
	s.asker, s.answerer = routing.NewAsker(s.self), routing.NewAnswerer(s.self)
	s.pipe = s.ksock.Pipe()
	s.begun = time.Now()
	for i := range s.clerks {
		s.flow(s.clerks[i].work(s))
	}
	if err := s.listen(); err != nil {
		return err
	}
	caught := make(chan struct{})
	s.flow(func() error { return s.names.Follow(s.ctx, s.changed, func() { close(caught) }) })
	select {
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	case <-caught:
	}
	if err := s.announceBowl(); err != nil {
		return err
	}
	s.open.Store(true)
	if err := s.subscribe(); err != nil {
		return err
	}
	s.flow(s.hear)
	s.flow(s.tick)
	s.flow(s.monitor)
	return nil
}

// flow runs until the session ends; its failure ends the session.
func (s *session) flow(run func() error) {
	s.work.Go(func() {
		if err := run(); err != nil {
			s.end(err)
		}
	})
}

// listen has our Ksock hear what is said on the bus, and of all Repliers, those that are there already first.
func (s *session) listen() error {
	k := s.ksock
	if _, err := k.SetMaxMessages(reportMessages); err != nil {
		return err
	}
	if _, err := k.SetOnlyOnce(true); err != nil {
		return err
	}
	if err := s.fitMessages(); err != nil {
		return err
	}
	if err := k.Bind(kbus.NameReplierBindEvent, kbus.Listener); err != nil {
		return err
	}
	if _, err := k.SetReportReplierBinds(true); err != nil {
		return err
	}
	if err := k.Bind(statusName, kbus.Replier); err != nil {
		return err
	}
	for _, name := range s.Names {
		if err := k.Bind(name, kbus.Listener); err != nil {
			return fmt.Errorf("sharing %s: %w", name, err)
		}
	}
	_, err := k.SetMaxMessages(queueMessages)
	return err
}

// subscribe has NATS tell us what concerns us, all through one channel: two would not keep an order between them.
func (s *session) subscribe() error {
	inbox := make(chan *nats.Msg, inboxMessages)
	subjects := []string{s.space.Inbox(s.ID), s.space.AllCounts()}
	for _, name := range s.Names {
		subjects = append(subjects, s.space.Hear(name))
	}
	var subs []*nats.Subscription
	for _, subject := range subjects {
		sub, err := s.nc.ChanSubscribe(subject, inbox)
		if err != nil {
			return fmt.Errorf("subscribing to %s: %w", subject, err)
		}
		subs = append(subs, sub)
	}
	if err := s.nc.FlushTimeout(store.Patience); err != nil {
		return err
	}
	s.flow(func() error {
		defer func() {
			for _, sub := range subs {
				_ = sub.Unsubscribe() // the connection may be gone
			}
		}()
		return s.speak(inbox)
	})
	return nil
}

// covers tells whether a name is shared with the other bowls.
func (s *session) covers(name string) bool { return shares(s.Names, name) }
