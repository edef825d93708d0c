package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"kbus/limpet/federation/sequence"
)

// To follow a stream is to hear what it publishes again, to see from the numbers what was missed, and to get that from
// any replica.

const (
	pollEvery  = 3 * time.Second // how often the stream is asked how far it is, in case the last word was missed
	retryEvery = 250 * time.Millisecond
	ahead      = 4096 // changes that may wait for us; more are fetched
)

// Hear has changes of one key come to a channel as they are made, as far as it has room. Changed reads them.
func (s *Store) Hear(key string, changes chan *nats.Msg) (*nats.Subscription, error) {
	return s.nc.ChanSubscribe(strings.TrimSuffix(s.changes, ">")+key, changes)
}

// Changed reads what came by Hear.
func (s *Store) Changed(m *nats.Msg) (Entry, bool) { return s.stored(m) }

// Follow calls each for all that is in the bucket and for every change from then on, in the order of the stream, and
// caught when it has caught up with what was there at the start. It ends with ctx, or with an error of each.
func (s *Store) Follow(ctx context.Context, each func(Entry) error, caught func()) error {
	return s.follow(ctx, 1, each, caught)
}

// FollowNew calls each only for what is stored from now on; begun when now has begun, with the number that is next.
func (s *Store) FollowNew(ctx context.Context, each func(Entry) error, begun func(next uint64)) error {
	for {
		last, err := s.last(ctx)
		if err == nil {
			begun(last + 1)
			return s.follow(ctx, last+1, each, nil)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(retryEvery):
		}
	}
}

func (s *Store) follow(ctx context.Context, first uint64, each func(Entry) error, caught func()) error {
	changes := make(chan *nats.Msg, ahead)
	sub, err := s.nc.ChanSubscribe(s.changes, changes)
	if err != nil {
		return err
	}
	defer sub.Unsubscribe()
	f := &follower{store: s, ctx: ctx, each: each, order: sequence.New[Entry](first)}
	f.poll()
	for goal := f.known; f.err == nil; {
		if caught != nil && goal > 0 && f.order.Next() > goal || f.polled && goal == 0 && caught != nil {
			caught()
			caught = nil
		}
		pause := pollEvery + rand.N(pollEvery/4) // so that many bowls do not ask at once
		if f.order.Missing() && f.fetch() {
			continue
		}
		if f.order.Missing() || !f.polled {
			pause = retryEvery
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-changes:
			if e, ok := s.stored(m); ok {
				f.order.Arrived(e.Revision, e, f.deliver)
			}
		case <-time.After(pause):
			f.poll()
			if goal == 0 {
				goal = f.known
			}
		}
	}
	return f.err
}

type follower struct {
	store  *Store
	ctx    context.Context
	each   func(Entry) error
	order  *sequence.Sequence[Entry]
	known  uint64 // how far the stream was when it was last asked
	polled bool   // it has answered at least once
	err    error
}

func (f *follower) deliver(_ uint64, e Entry) {
	if f.err == nil {
		f.err = f.each(e)
	}
}

// poll asks how far the stream is: its leader the first time, and then any replica, which costs less.
func (f *follower) poll() {
	ask := f.store.last
	if f.polled {
		ask = f.store.lastAnywhere
	}
	last, err := ask(f.ctx)
	if err != nil {
		return // there may be no leader now; it is asked again
	}
	f.known, f.polled = max(last, f.known), true
	f.order.Exists(last)
}

// fetch gets what is missing, and tells whether that was any good.
func (f *follower) fetch() bool {
	from := f.order.Next()
	_ = f.store.after(f.ctx, from, func(e Entry) { f.order.Fetched(e.Revision, e, f.deliver) }) // tried again
	if f.order.Next() == from && f.known >= from {
		// Nobody but the leader can say that there is nothing: the rest was deleted, and that is forgotten too.
		known := f.known
		if _, err := f.store.leaderGet(f.ctx, nextFrom(from)); errors.Is(err, ErrNone) {
			f.order.Nothing(known)
		}
	}
	return f.order.Next() != from
}
