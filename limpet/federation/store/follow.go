package store

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"kbus/limpet/federation/sequence"
)

// To follow a stream is to hear what it publishes again, to see from the numbers what was missed, and to get that from
// any replica. What is only late is waited for: when much is on its way to many, to ask for it too would be to have it
// sent twice.

const (
	pollEvery  = 3 * time.Second // how often the stream is asked how far it is, in case the last word was missed
	retryEvery = 250 * time.Millisecond
	onItsWay   = time.Second // so long nothing has come, and then what should have come is missed
	ahead      = 4096        // changes that may wait for us; more are fetched
	aheadInLog = 64          // entries of a log are longer
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
	f.size, f.rest = firstSize, retryEvery
	f.poll()
	for f.err == nil {
		if f.caught != nil && f.polled && f.order.Next() > f.goal {
			f.caught()
			f.caught = nil
		}
		if f.missed() && f.fetch() {
			continue
		}
		pause := time.Until(f.again)
		if f.order.Missing() {
			pause = min(pause, retryEvery)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-changes:
			f.order.Arrived(e.Revision, e, f.deliver)
		case <-time.After(pause):
			if !time.Now().Before(f.again) {
				f.poll()
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
	err    error

	goal   uint64    // how far the stream was when it answered first
	known  uint64    // and last
	polled bool      // it has answered at least once
	again  time.Time // when to ask
	stands uint64    // what came next
	since  time.Time // when that became so
	size   uint64    // how many entries to fetch at once
	rest   time.Duration
	rested time.Time // when to try again
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
