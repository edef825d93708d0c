package federation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"kbus"
	"kbus/limpet/federation/office"
	"kbus/limpet/federation/routing"
)

// session is one life of the bowl: one Ksock, one epoch. Whatever goes wrong ends it as a whole, and closing the Ksock
// undoes at once all that it stood for on the bus. If the federation is strict, the guard takes away what it vouched
// for.
type session struct {
	*Bowl
	guard *guard
	atlas *atlas
	ctx   context.Context
	end   context.CancelCauseFunc
	work  sync.WaitGroup

	ksock       *kbus.Ksock
	own         uint32         // number of that Ksock
	incarnation uint32         // of the bus
	office      *office.Office // our own lease; nil before there is one
	self        routing.Self
	clerks      [clerks]desk
	inbox       chan *nats.Msg // what has come from NATS

	mu       sync.Mutex // guards what follows, and is never held while anything waits
	asker    *routing.Asker
	answerer *routing.Answerer
	held     map[string]*holding
	states   map[conversation]uint64

	proxies proxies
	pipe    *kbus.Pipe
	pipes   uint64      // messages that went through it,
	piped   [512]uint32 // and the bowls that the last of them came from
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
func (g *guard) sit(parent context.Context) (begun bool, err error) {
	ctx, end := context.WithCancelCause(parent)
	s := &session{
		Bowl: g.Bowl, guard: g, atlas: g.atlas, ctx: ctx, end: end, held: map[string]*holding{},
		states: map[conversation]uint64{},
	}
	defer s.dropClaims()
	defer s.work.Wait()
	defer end(nil)
	if s.ksock, err = s.Open(ctx); err != nil {
		return false, err
	}
	defer s.ksock.Close()
	s.own = s.ksock.ID()
	g.proxy.Store(s.own)
	err = s.begin()
	if err == nil {
		begun = true
		s.Log.Info("joined", "federation", s.Federation, "id", s.ID, "epoch", s.self.Epoch, "bus", s.ksock.Bus())
		s.ready()
		<-ctx.Done()
		err = context.Cause(ctx)
	}
	g.atlas.tell(nil)
	if dismissed := g.dismiss(); dismissed != nil {
		return begun, dismissed
	}
	s.ksock.Close()
	if begun && parent.Err() != nil {
		s.leave()
	}
	return begun, err
}

// begin gets an epoch, tells the others, and starts all flows.
func (s *session) begin() error {
	if err := s.takeOffice(); err != nil {
		return err
	}
	s.asker, s.answerer = routing.NewAsker(s.self), routing.NewAnswerer(s.self)
	s.pipe = s.ksock.Pipe()
	s.begun = time.Now()
	for i := range s.clerks {
		s.clerks[i].init()
		s.flow(s.clerks[i].work(s))
	}
	if err := s.listen(); err != nil {
		return err
	}
	own, bowls, names := s.atlas.tell(s)
	for _, b := range bowls {
		s.bowlChanged(b)
	}
	if own.ID == s.ID {
		s.bowlChanged(own)
	}
	for _, name := range names {
		s.claimChanged(name)
	}
	if err := s.announceBowl(); err != nil {
		return err
	}
	s.guard.admit(s)
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
	var err error
	switch s.incarnation, err = k.Carry(s.ID); {
	case errors.Is(err, kbus.ErrOtherNetwork):
		return refuse("--id %d is not what the other Limpets of bus %d say; a bus has one network id, and all its Limpets give it: %w",
			s.ID, k.Bus(), err)
	case err != nil:
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
	switch err := k.Bind(statusName, kbus.Replier); {
	case errors.Is(err, kbus.ErrReplierBound): // an ordered bowl may have this bus too
		s.Log.Info("somebody else tells on this bus how its federation looks, and this bowl does not", "bus", k.Bus())
	case err != nil:
		return err
	}
	for _, name := range s.Names {
		if err := k.Bind(name, kbus.Listener); err != nil {
			return fmt.Errorf("sharing %s: %w", name, err)
		}
	}
	_, err = k.SetMaxMessages(queueMessages)
	return err
}

// subscribe has NATS tell us what concerns us, all through one channel: two would not keep an order between them.
func (s *session) subscribe() error {
	s.inbox = make(chan *nats.Msg, inboxMessages)
	subjects := []string{s.space.Inbox(s.ID), s.space.AllCounts()}
	for _, name := range s.Names {
		subjects = append(subjects, s.space.Hear(name))
	}
	var subs []*nats.Subscription
	for _, subject := range subjects {
		sub, err := s.nc.ChanSubscribe(subject, s.inbox)
		if err != nil {
			return fmt.Errorf("subscribing to %s: %w", subject, err)
		}
		subs = append(subs, sub)
	}
	if err := s.insist("NATS does not answer yet", s.nc.FlushWithContext); err != nil {
		return err
	}
	s.flow(func() error {
		defer func() {
			for _, sub := range subs {
				_ = sub.Unsubscribe() // the connection may be gone
			}
		}()
		return s.speak(s.inbox)
	})
	return nil
}

// covers tells whether a name is shared with the other bowls.
func (s *session) covers(name string) bool { return shares(s.Names, name) }
