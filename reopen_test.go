package kbus_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/relay"
)

// lost is a Ksock behind a relay, with settings and bindings, whose daemon has been killed, and then started again.
type lost struct {
	*world
	k     *kbus.Ksock
	relay *relay.Relay
	again *daemon
}

var ofTheLost = []kbus.Binding{
	{Name: "$.A", As: kbus.Listener}, {Name: "$.Q", As: kbus.Replier}, {Name: "$.A", As: kbus.Listener}, {Name: "$.P.*", As: kbus.Standby},
}

// reopensUntil begins a Reopen, and goes on when the daemon has heard nothing of it from that frame on.
func (l *lost) reopensUntil(step int) (given <-chan error) {
	l.relay.Hold(step)
	ended := make(chan error)
	go func() {
		_, err := l.k.Reopen(l.Context())
		ended <- err
	}()
	<-l.relay.Held
	return ended
}

func loseDaemon(t *testing.T) *lost {
	w := &world{TB: t}
	dir, behind := tempDir(t), tempDir(t)
	first := startDaemon(t, behind)
	r, err := relay.New(filepath.Join(dir, "bus0.sock"), filepath.Join(behind, "bus0.sock"))
	w.must(err)
	t.Cleanup(r.Close)
	k, err := kbus.Open(w.Context(), 0, kbus.Dir(dir), kbus.Rings(false))
	w.must(err)
	t.Cleanup(func() {
		r.GoOn()
		k.Close()
	})
	for _, b := range ofTheLost {
		w.must(k.Bind(w.Context(), b.Name, b.As))
	}
	w.must(kbus.Describe(w.Context(), k, "$.Q", kbus.Card{Description: "a question"}))
	_, err = k.Queue().SetLimit(w.Context(), 17)
	w.must(err)
	_, err = k.Queue().SetOnlyOnce(w.Context(), true)
	w.must(err)
	first.kill()
	l := &lost{w, k, r, startDaemon(t, behind)}
	w.fails(k.Bind(w.Context(), "$.B", kbus.Listener), kbus.ErrBusGone)
	return l
}

// isBack sees that the Ksock has all that it had, and that nothing else is on the bus.
func (l *lost) isBack(r kbus.Reopened) {
	l.Helper()
	is(l.world, "the ids", fmt.Sprint(r.OldID, r.ID == l.k.ID(), len(r.Failed)), "1 true 0")
	if !slices.Equal(r.Bound, ofTheLost) {
		l.Errorf("bound %v", r.Bound)
	}
	o, err := l.again.observe()
	l.must(err)
	defer o.Close()
	bindings, err := o.Bindings(l.Context())
	l.must(err)
	for _, b := range bindings {
		if b.Ksock != r.ID {
			l.Errorf("somebody else is bound: %+v", b)
		}
	}
	is(l.world, "bindings", len(bindings), len(ofTheLost))
	card, err := o.Card(l.Context(), "$.Q")
	l.must(err)
	is(l.world, "the card", card.Description, "a question")
	limit, err := l.k.Queue().Limit(l.Context())
	l.must(err)
	is(l.world, "the limit", limit, 17)
}

// steps is how many frames Reopen sends.
const steps = 1 + 2 + 4 + 1 // Hello, settings, bindings, the card

// A Reopen that is given up, wherever it is, has changed nothing; it can be given up again, and done in the end.
func TestReopenGivenUp(t *testing.T) {
	for step := range steps {
		t.Run(fmt.Sprintf("before frame %d", step), func(t *testing.T) {
			l := loseDaemon(t)
			l.relay.Hold(step)
			ctx, cancel := context.WithCancel(l.Context())
			given := make(chan error)
			go func() {
				r, err := l.k.Reopen(ctx)
				if r.ID != 1 || len(r.Bound)+len(r.Failed) != 0 {
					t.Errorf("a Reopen that was given up says %+v", r)
				}
				given <- err
			}()
			<-l.relay.Held
			l.fails(l.k.Bind(l.Context(), "$.B", kbus.Listener), kbus.ErrBusGone) // meanwhile the bus is lost
			cancel()
			l.fails(<-given, kbus.ErrCanceled)

			l.fails(l.k.Bind(l.Context(), "$.B", kbus.Listener), kbus.ErrBusGone)
			_, err := l.k.Receive(l.Context())
			l.fails(err, kbus.ErrBusGone)
			is(l.world, "the id", l.k.ID(), 1)

			if step > 0 { // the names of the first attempt may be taken still: another does not begin
				l.relay.Hold(-1)
			}
			soon, done := context.WithTimeout(l.Context(), moment)
			defer done()
			_, err = l.k.Reopen(soon)
			l.fails(err, context.DeadlineExceeded)

			l.relay.GoOn()
			r, err := l.k.Reopen(l.Context())
			l.must(err)
			l.isBack(r)
		})
	}
	t.Run("not at all", func(t *testing.T) {
		l := loseDaemon(t)
		l.relay.Hold(steps)
		r, err := l.k.Reopen(l.Context()) // so many frames are enough
		l.must(err)
		l.relay.GoOn()
		l.isBack(r)
	})
}

// The daemon that stands still and is killed, and started anew once more, is the same to a Reopen as any other.
func TestReopenLostAgain(t *testing.T) {
	for step := range steps {
		l := loseDaemon(t)
		given := l.reopensUntil(step)
		l.again.kill()
		l.fails(<-given, kbus.ErrBusGone)
		l.relay.GoOn()
		l.again = startDaemon(t, l.again.dir)
		r, err := l.k.Reopen(l.Context())
		l.must(err)
		l.isBack(r)
	}
}

// Close ends a Reopen at once, and when it has returned nothing is left of that.
func TestReopenClosed(t *testing.T) {
	for step := range steps {
		l := loseDaemon(t)
		given := l.reopensUntil(step)
		l.k.Close()
		l.fails(<-given, kbus.ErrClosed)
		l.relay.GoOn()
		_, err := l.k.Reopen(l.Context())
		l.fails(err, kbus.ErrClosed)
	}
}

// Several goroutines that notice the loss may all reopen the Ksock: one does, and the others find it done. Who does not want
// to wait for that need not.
func TestReopenTogether(t *testing.T) {
	l := loseDaemon(t)
	l.relay.Hold(4)
	var all sync.WaitGroup
	var mu sync.Mutex
	var did []kbus.Reopened
	for range 5 {
		all.Go(func() {
			r, err := l.k.Reopen(l.Context())
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(r.Bound) > 0 {
				did = append(did, r)
			}
		})
	}
	<-l.relay.Held
	soon, done := context.WithTimeout(l.Context(), moment)
	defer done()
	_, err := l.k.Reopen(soon)
	l.fails(err, context.DeadlineExceeded)
	l.relay.GoOn()
	all.Wait()
	if len(did) != 1 {
		t.Fatalf("reopened %d times", len(did))
	}
	l.isBack(did[0])
}
