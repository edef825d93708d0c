package kbus_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"kbus.example/kbus"
)

// onLarge is onAll without the bus that gives its bytes singly: that takes long for large messages.
func onLarge(t *testing.T, test func(*world)) {
	t.Run("inside", func(t *testing.T) {
		bus := kbus.NewBus()
		t.Cleanup(func() { bus.Close() })
		test(inside(t, bus, bus.Open))
	})
	t.Run("daemon", func(t *testing.T) {
		d := startDaemon(t, tempDir(t))
		test(&world{t, d.open, d.observe, d.kill})
	})
}

// body is data of a message that tells its number everywhere.
func body(n, size int) []byte { return bytes.Repeat([]byte{byte(n), byte(n >> 8), 7}, size/3+1)[:size] }

// More messages are looked at at a time than may be in place, for as long as it takes to send and receive far more than
// the bus could keep. None of them changes.
func TestInPlace(t *testing.T) {
	onLarge(t, func(w *world) {
		const lookers, others = 24, 200
		listener, sender := w.bound(kbus.Listener, "$.Body"), w.ksock()
		size := func(n int) int { return []int{100_000, 40_000, 10, 0, 409_000}[n%5] }
		send := func(n int) {
			if _, err := sender.Send(ctx, kbus.Announcement("$.Body", body(n, size(n)))); err != nil {
				w.Fatal(err)
			}
		}
		var inside, over sync.WaitGroup
		free := make(chan struct{})
		seen := make([]bool, lookers)
		var mu sync.Mutex
		inside.Add(lookers)
		for n := range lookers {
			send(n)
		}
		for range lookers {
			over.Go(func() {
				err := listener.InPlace(ctx, func(m *kbus.Message) error {
					n := int(m.ID.Serial - 1)
					for range 2 {
						if !bytes.Equal(m.Data, body(n, size(n))) {
							t.Errorf("message %d has %d bytes, or others than were sent", n, len(m.Data))
						}
						mu.Lock()
						first := !seen[n]
						seen[n] = true
						mu.Unlock()
						if first {
							inside.Done()
							<-free
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		inside.Wait()
		for n := lookers; n < lookers+others; n++ {
			send(n)
			m, err := listener.Receive(ctx)
			if err != nil || !bytes.Equal(m.Data, body(n, size(n))) {
				w.Fatalf("message %d: %v, %v", n, m, err)
			}
			m.Data = append(m.Data, "and it is ours"...)
		}
		close(free)
		over.Wait()
		if err := listener.InPlace(canceled(), func(*kbus.Message) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end of its context: %v", err)
		}
		if n, err := listener.Queue().Len(w.Context()); n != 0 || err != nil {
			t.Errorf("%d messages are left, %v", n, err)
		}
	})
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// What is looked at can be read to the end, also when the Ksock is closed or the bus is lost meanwhile.
func TestInPlaceOutlivesItsConnection(t *testing.T) {
	for name, end := range map[string]func(*world, *kbus.Ksock){
		"closed": func(_ *world, k *kbus.Ksock) { k.Close() },
		"lost":   func(w *world, _ *kbus.Ksock) { w.end() },
	} {
		t.Run(name, func(t *testing.T) {
			onLarge(t, func(w *world) {
				listener, sender := w.bound(kbus.Listener, "$.Body"), w.ksock()
				if _, err := sender.Send(ctx, kbus.Announcement("$.Body", body(1, 100_000))); err != nil {
					w.Fatal(err)
				}
				errOurs := errors.New("ours")
				err := listener.InPlace(ctx, func(m *kbus.Message) error {
					end(w, listener)
					if _, err := listener.Receive(ctx); err == nil {
						t.Error("the end was not noticed")
					}
					if !bytes.Equal(m.Data, body(1, 100_000)) {
						t.Error("the data has changed")
					}
					return errOurs
				})
				if !errors.Is(err, errOurs) {
					t.Errorf("not the error of the function: %v", err)
				}
				if err := listener.InPlace(ctx, func(*kbus.Message) error { return nil }); err == nil {
					t.Error("there was one more message")
				}
			})
		})
	}
}

// A message that is looked at has left the queue, so a sender that waits for its room does not wait for the look.
func TestInPlaceKeepsNobodyWaiting(t *testing.T) {
	onLarge(t, func(w *world) {
		listener, sender := w.bound(kbus.Listener, "$.Body"), w.ksock()
		if _, err := listener.Queue().SetLimit(w.Context(), 1); err != nil {
			w.Fatal(err)
		}
		patient := kbus.Announcement("$.Body", body(1, 100_000))
		patient.Flags |= kbus.AllOrWait
		send := func(pending bool) {
			w.Helper()
			if sent := w.send(sender, patient); sent.Pending != pending {
				w.Fatalf("pending %v, not %v", sent.Pending, pending)
			}
		}
		send(false)
		err := listener.InPlace(ctx, func(*kbus.Message) error {
			send(false)
			return listener.InPlace(ctx, func(*kbus.Message) error {
				send(false)
				send(true)
				var m kbus.Message
				if err := listener.ReceiveInto(ctx, &m); err != nil {
					return err
				}
				return sender.WaitSent(ctx)
			})
		})
		if err != nil {
			t.Error(err)
		}
	})
}
