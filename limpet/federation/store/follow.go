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
	aheadInLog = 64   // entries of a log are longer
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
	return s.follow(ctx, &follower{each: each, due: 1, caught: caught})
}

// FollowLog calls each for every entry of a log from a number on, in its order, and lost when the stream has no more
// what would come next: the number of the first one that is gone, and how many are.
func (s *Store) FollowLog(ctx context.Context, first uint64, each func(Entry) error, lost func(first, n uint64) error) error {
	return s.follow(ctx, &follower{each: each, due: first, lost: lost})
}

func (s *Store) follow(ctx context.Context, f *follower) error {
	room := ahead
	if f.lost != nil {
		room = aheadInLog
	}
	changes := make(chan Entry, room)
	sub, err := s.nc.Subscribe(s.changes, func(m *nats.Msg) {
		e, ok := s.stored(m)
		if !ok {
			return
		}
		s.knows(e.Revision)
		select {
		case changes <- e:
		default: // it is fetched later
		}
	})
	if err != nil {
		return err
	}
	defer sub.Unsubscribe()
	f.store, f.ctx, f.order = s, ctx, sequence.New[Entry](f.due)
	f.poll()
	for goal := f.known; f.err == nil; {
		if f.caught != nil && goal > 0 && f.order.Next() > goal || f.polled && goal == 0 && f.caught != nil {
			f.caught()
			f.caught = nil
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
		case e := <-changes:
			f.order.Arrived(e.Revision, e, f.deliver)
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
	caught func()
	lost   func(first, n uint64) error // of a log; in a bucket what is gone was changed later
	order  *sequence.Sequence[Entry]
	due    uint64 // the number that comes next, if none is gone
	known  uint64 // how far the stream was when it was last asked
	polled bool   // it has answered at least once
	err    error
}

func (f *follower) deliver(n uint64, e Entry) {
	f.tell(n)
	if f.err == nil {
		f.err = f.each(e)
		f.due = n + 1
	}
}

// tell tells of entries that are gone before that one.
func (f *follower) tell(next uint64) {
	if f.lost != nil && f.err == nil && next > f.due {
		f.err = f.lost(f.due, next-f.due)
		f.due = next
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
	f.store.knows(last)
	f.order.Exists(last)
}

// fetch gets what is missing, and tells whether that was any good.
func (f *follower) fetch() bool {
	from := f.order.Next()
	_ = f.store.after(f.ctx, from, func(e Entry) { // tried again
		if f.lost == nil || e.Revision == f.order.Next() {
			f.order.Fetched(e.Revision, e, f.deliver)
		}
	})
	if f.order.Next() == from && f.known >= from {
		// Nobody but the leader can say that something is gone: of a bucket that the rest was deleted, and that is forgotten
		// too, and of a log also that it begins later now.
		known := f.known
		e, err := f.store.leaderGet(f.ctx, nextFrom(from))
		switch {
		case errors.Is(err, ErrNone) && f.knowsAll(known):
			f.order.Nothing(known)
			f.tell(f.order.Next())
		case err == nil && f.lost != nil:
			f.order.Fetched(e.Revision, e, f.deliver)
		}
	}
	return f.order.Next() != from
}

// knowsAll tells whether the leader is as far as we know the stream to be. Of a bucket only a change could be missed that
// was made later; of a log an entry.
func (f *follower) knowsAll(known uint64) bool {
	if f.lost == nil {
		return true
	}
	last, err := f.store.last(f.ctx)
	return err == nil && last >= known
}
