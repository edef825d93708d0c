package kbus_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"kbus.example/kbus"
)

// A handler's error is the answer to the program that asked, and Serve goes on. Nobody waits for a Reply that was
// forgotten, and somebody hears of an error that nobody else is told.
func TestHandlerFails(t *testing.T) {
	for how, opts := range map[string][]kbus.ServeOption{"in turn": nil, "several": {kbus.Concurrency(3)}} {
		t.Run(how, func(t *testing.T) {
			onAll(t, func(w *world) {
				r, us := w.bound(kbus.Replier, "$.Q"), w.ksock()
				w.must(r.Bind(w.Context(), "$.News", kbus.Listener))
				broken := errors.New("the lamp is broken")
				later := make(chan *kbus.Message, 1)
				unheard := make(chan string, 10)
				ctx, stop := context.WithCancel(w.Context())
				served := make(chan error)
				go func() {
					served <- r.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
						switch string(m.Data) {
						case "fail":
							return nil, broken
						case "forget":
							return nil, nil
						case "later":
							later <- m
							return nil, kbus.ReplyLater
						case "too long":
							return m.Reply(make([]byte, 1<<20))
						}
						return m.Reply([]byte("done"))
					}, append(opts, kbus.OnError(func(m *kbus.Message, err error) { unheard <- m.Name + ": " + err.Error() }))...)
				}()
				for data, want := range map[string]string{
					"fail": broken.Error(), "forget": "it gave no Reply", "too long": "409600",
				} {
					_, err := us.Call(w.Context(), kbus.Request("$.Q", data))
					var status *kbus.StatusError
					if !errors.Is(err, kbus.ErrFailed) || !errors.As(err, &status) || !strings.Contains(status.Why(), want) {
						w.Errorf("%s: %v", data, err)
					}
					if why := <-unheard; !strings.HasPrefix(why, "$.Q: ") || !strings.Contains(why, want) {
						w.Errorf("%s: on error %s", data, why)
					}
				}
				w.send(us, kbus.Announcement("$.News", "fail"))
				is(w, "on error", <-unheard, "$.News: "+broken.Error())
				asked := w.send(us, kbus.Request("$.Q", "later"))
				reply, err := (<-later).Reply([]byte("now"))
				w.must(err)
				w.send(r, reply)
				reply, err = us.NextReply(w.Context(), asked.ID)
				w.must(err)
				is(w, "the Reply", string(reply.Data), "now")
				reply, err = us.Call(w.Context(), kbus.Request("$.Q", "")) // it still serves
				w.must(err)
				is(w, "the Reply", string(reply.Data), "done")
				stop()
				w.fails(<-served, context.Canceled)
			})
		})
	}
}

// Messages of different Senders are handled side by side, so many at a time and no more; those of one Sender in order.
func TestServeConcurrently(t *testing.T) {
	onAll(t, func(w *world) {
		const most, senders, each = 3, 5, 20
		r := w.bound(kbus.Replier, "$.Q")
		var running, highest atomic.Int32
		var mu sync.Mutex
		last := map[kbus.KsockID]int{}
		met := make(chan struct{}, most)
		var meet sync.Once
		together := make(chan struct{})
		ctx, stop := context.WithCancel(w.Context())
		served := make(chan error)
		go func() {
			served <- r.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
				now := running.Add(1)
				defer running.Add(-1)
				for old := highest.Load(); now > old && !highest.CompareAndSwap(old, now); old = highest.Load() {
				}
				n, err := strconv.Atoi(string(m.Data))
				w.must(err)
				if n == 0 { // the first messages wait until as many as may be are handled together
					select {
					case met <- struct{}{}:
						if len(met) == most {
							meet.Do(func() { close(together) })
						}
						<-together
					case <-together:
					}
				}
				mu.Lock()
				if last[m.From] != n {
					w.Errorf("from %d comes %d, not %d", m.From, n, last[m.From])
				}
				last[m.From] = n + 1
				mu.Unlock()
				return m.Reply(m.Data)
			}, kbus.Concurrency(most))
		}()
		var all sync.WaitGroup
		for range senders {
			k := w.ksock()
			all.Go(func() {
				_, err := k.Call(w.Context(), kbus.Request("$.Q", "0"))
				w.must(err)
				for i := range each {
					w.send(k, kbus.Request("$.Q", strconv.Itoa(1+i)))
				}
				for range each {
					m, err := k.Receive(w.Context())
					w.must(err)
					w.must(kbus.StatusOf(m))
				}
			})
		}
		all.Wait()
		stop()
		w.fails(<-served, context.Canceled)
		is(w, "at a time", highest.Load(), most)
	})
}
