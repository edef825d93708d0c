package limpet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// session drives a Machine between a Ksock and a Link. One goroutine receives messages from the bus, one from the link.
// Each message goes into the machine under a lock, and all its Actions are done before the next one. Nothing under that
// lock waits: the bus answers at once, and Link.Write only queues. Before a message is taken from the bus the link must be
// Ready, so a slow link fills our queue on the bus, where senders see it.
type session struct {
	k           *kbus.Ksock
	link        Link
	log         *slog.Logger
	end         context.CancelCauseFunc
	mu          sync.Mutex
	machine     *Machine
	soon        *time.Timer // nil unless something is to be tried again
	later       *time.Timer // nil unless something is blocked
	warned      bool        // of what should not be
	warnedNames bool        // that the pair offers too many
}

// ErrStopped ends a session in which somebody has sent the message Config.StopOn.
var ErrStopped = errors.New("the message that ends this Limpet has been sent")

// How soon something is tried again that the bus has refused; the longer time if it has another Replier,
// no room, or a rule against it.
const (
	retryAfter   = 200 * time.Millisecond
	unblockAfter = 5 * time.Second
)

// Join joins the bus of k, which has been Prepared, with the bus at the other end of the link, until one of them is lost,
// or ctx ends. The bus drops copies of messages that come other ways, if the daemon lets us be a Limpet, and if the Limpets
// of the bus agree about its network id. Else the error is that of Ksock.Carry, but for a pair that may be an original
// Limpet and knows nothing of copies.
//
// When Join returns, the link is closed, and the caller must close k: that gives every open Request its Status and takes
// the proxies away. The error is what has ended it: ErrStopped, kbus.ErrBusGone, that of ctx, or that of the link.
func Join(ctx context.Context, k *kbus.Ksock, link Link, c Config, log *slog.Logger) (Figures, error) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	c.Ksock = k.ID()
	if err := carry(ctx, k, &c, log); err != nil {
		_ = link.Close()
		return Figures{}, err
	}
	s := &session{k: k, link: link, log: log, end: end, machine: New(c)}
	context.AfterFunc(ctx, func() { _ = link.Close() }) // and the reader returns the error
	var reader sync.WaitGroup
	reader.Go(func() { end(s.receiveFromLink(ctx)) })
	end(s.receiveFromBus(ctx))
	_ = link.Close() // with what was sent last
	reader.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, timer := range []*time.Timer{s.soon, s.later} {
		if timer != nil {
			timer.Stop()
		}
	}
	return s.machine.Figures(), context.Cause(ctx)
}

// carry has the bus drop copies.
func carry(ctx context.Context, k *kbus.Ksock, c *Config, log *slog.Logger) (err error) {
	c.Incarnation, err = k.Bridge().Carry(ctx, c.OwnID)
	switch {
	case err == nil:
		c.Link = 1 + rand.Uint32N(1<<32-1)
	case errors.Is(err, kbus.ErrNotPermitted):
		log.Warn("the daemon does not let this user be a Limpet, see its setting limpets: nothing is known of copies, "+
			"so there must be one way only between any two buses", "error", err)
	case errors.Is(err, kbus.ErrOtherNetwork) && c.Legacy:
		log.Warn("other Limpets of this bus have another network id: nothing is known of copies here, so there must be "+
			"one way only between any two buses", "error", err)
	default:
		return err
	}
	return nil
}

func (s *session) receiveFromBus(ctx context.Context) error {
	var m kbus.Message
	for {
		s.link.Ready()
		if err := s.k.ReceiveInto(ctx, &m); err != nil {
			return err
		}
		if err := s.deal(ctx, (*Machine).FromBus, &m); err != nil {
			return err
		}
	}
}

func (s *session) receiveFromLink(ctx context.Context) error {
	var m kbus.Message
	for {
		input := (*Machine).FromPair
		err := s.link.Read(&m)
		if errors.Is(err, kbus.ErrMessageTooLong) {
			s.log.Warn("a message of the pair's is too long for this bus", "name", m.Name, "error", err)
			input, err = (*Machine).FromPairTooLong, nil
		}
		if err == nil {
			err = s.deal(ctx, input, &m)
		}
		if err != nil {
			return err
		}
	}
}

// deal puts a message into the machine and does what follows from it.
func (s *session) deal(ctx context.Context, input func(*Machine, *kbus.Message), m *kbus.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log.Enabled(ctx, slog.LevelDebug) {
		s.log.Debug("message", "text", m.String())
	}
	input(s.machine, m)
	if s.machine.Incarnation == 0 && s.machine.figures.Returned > 0 && !s.warned {
		s.warned = true
		s.log.Error("a message has come back that we had passed on: these buses are joined to a ring, and must not be, " +
			"because nothing is known of copies here")
	}
	if n := s.machine.proxies.refused; n > 0 && !s.warnedNames {
		s.warnedNames = true
		s.log.Warn("the other end offers more names than it may (--max-names): the rest have no Replier on this bus; more are not told",
			"most", s.machine.MaxNames, "offered with", m.Name)
	}
	return s.work(ctx)
}

// work does all that the machine wants done. mu is held.
func (s *session) work(ctx context.Context) error {
	for {
		d, more := s.machine.Next()
		if !more {
			s.retryLater(ctx)
			return nil
		}
		switch d.Kind {
		case Stop:
			return ErrStopped
		case ToPair:
			if err := s.link.Write(d.Message); err != nil {
				return err
			}
			continue
		}
		o, err := work(ctx, s.k, d)
		if err != nil {
			return fmt.Errorf("%v: %w", d.Kind, err)
		}
		s.logOutcome(d, o)
		s.machine.Done(d, o)
	}
}

// logOutcome logs what a person may want to know, and each thing once.
func (s *session) logOutcome(d Action, o Outcome) {
	switch c := o.Condition; {
	case d.Again:
	case c == message.OK && d.Kind == Bind:
		s.log.Debug("proxy", "name", d.Name)
	case c == message.ErrReplierBound && d.Kind == Bind:
		s.log.Info("this bus has a Replier for the name already, and keeps it", "name", d.Name, "instead of", d.Of)
	case c == message.ErrStale && !s.warned:
		s.warned = true
		s.log.Warn("dropped a message that is so old that it may have come another way before; more are not told",
			"text", d.Message.String())
	case c != message.OK && (d.Kind == Bind || d.Kind == Unbind):
		s.log.Warn("cannot "+d.Kind.String()+"; trying again", "name", d.Name, "error", o.Why)
	case c != message.OK && d.Message != nil:
		s.log.Debug("the bus refuses a message", "text", d.Message.String(), "error", o.Why)
	}
}

// retryLater sees to it that what could not be done is tried again. mu is held.
func (s *session) retryLater(ctx context.Context) {
	if s.machine.Pending() {
		s.retry(ctx, &s.soon, retryAfter, false)
	}
	if s.machine.Blocked() {
		s.retry(ctx, &s.later, unblockAfter, true)
	}
}

func (s *session) retry(ctx context.Context, timer **time.Timer, after time.Duration, blocked bool) {
	if *timer != nil {
		return
	}
	*timer = time.AfterFunc(after, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if *timer = nil; ctx.Err() != nil {
			return
		}
		s.machine.Retry(blocked)
		if err := s.work(ctx); err != nil {
			s.end(err)
		}
	})
}
