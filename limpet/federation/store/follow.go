package store

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus/limpet/federation/sequence"
)

// To follow a stream is to subscribe to what it publishes again, to see from the numbers what was missed, and to get that from
// any replica. What is only late is waited for: when much is on its way to many, to ask for it too would be to have it
// sent twice.

const (
	pollEvery     = 3 * time.Second // how often the stream is asked how far it is, in case the last word was missed
	retryEvery    = 250 * time.Millisecond
	onItsWay      = time.Second // so long nothing has come, and then what should have come is missed
	ahead         = 4096        // changes that may wait for us; more are fetched
	aheadInStream = 64          // entries of a Stream are longer
)

func (s *stream) follow(ctx context.Context, f *follower) error {
	room := ahead
	if f.lost != nil {
		room = aheadInStream
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
	f.stream, f.ctx, f.order = s, ctx, sequence.New[Entry](f.due)
	f.pace.size, f.pace.pause = firstSize, retryEvery
	f.poll()
	for f.err == nil {
		if f.caught != nil && f.end.polled && f.order.Next() > f.end.first {
			f.caught()
			f.caught = nil
		}
		if f.missed() && f.fetch() {
			continue
		}
		pause := time.Until(f.end.again)
		if f.order.Missing() {
			pause = min(pause, retryEvery)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-changes:
			f.order.Arrived(e.Revision, e, f.deliver)
		case <-time.After(pause):
			if !time.Now().Before(f.end.again) {
				f.poll()
			}
		}
	}
	return f.err
}

// follower is one reader of a stream from a number on.
type follower struct {
	stream *stream
	ctx    context.Context
	each   func(Entry) error
	caught func()
	lost   func(first, n uint64) error // of a Stream; in a Bucket what is gone was changed later
	order  *sequence.Sequence[Entry]
	due    uint64 // the number that comes next, if none is gone
	err    error

	end  end
	pace pace
}

// end is how far the stream is, as far as it has answered.
type end struct {
	first  uint64 // what it answered first
	last   uint64 // and last
	polled bool   // it has answered at least once
	again  time.Time
}

// pace is how fast missing entries are fetched.
type pace struct {
	stands uint64    // what came next
	since  time.Time // when that became so
	size   uint64    // how many entries to fetch at once
	pause  time.Duration
	until  time.Time // when to try again
}

func (f *follower) deliver(n uint64, e Entry) {
	f.reportLost(n)
	if f.err == nil {
		f.err = f.each(e)
		f.due = n + 1
	}
}

// reportLost reports the entries that are gone before that one.
func (f *follower) reportLost(next uint64) {
	if f.lost != nil && f.err == nil && next > f.due {
		f.err = f.lost(f.due, next-f.due)
		f.due = next
	}
}
