package kbus_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"kbus.example/kbus"
)

// Many goroutines use one Ksock in all ways at once, and each gets what it asked for.
func TestConcurrentUse(t *testing.T) {
	onAll(t, func(w *world) {
		echo := w.bound(kbus.Replier, "$.Echo")
		go echo.Serve(w.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
			return m.Reply(m.Data)
		})
		k := w.bound(kbus.Listener, "$.Noise")
		_, err := k.Queue().SetLimit(w.Context(), 10000)
		w.must(err)
		const rounds = 40
		var all sync.WaitGroup
		do := func(once func(i int) error) {
			all.Go(func() {
				for i := range rounds {
					if err := once(i); err != nil {
						w.Error(err)
					}
				}
			})
		}
		for worker := range 3 {
			do(func(i int) error {
				data := strconv.Itoa(worker*1000 + i)
				reply, err := k.Call(w.Context(), kbus.Request("$.Echo", data))
				if err == nil && string(reply.Data) != data {
					err = errors.New("got the Reply to another: " + string(reply.Data))
				}
				return err
			})
			do(func(i int) error {
				_, err := k.Send(w.Context(), kbus.Announcement("$.Noise", ""))
				return err
			})
			do(func(i int) error {
				_, err := k.Receive(w.Context())
				return err
			})
			do(func(i int) error {
				ctx, cancel := context.WithCancel(w.Context())
				go cancel()
				if m, err := k.NextReply(ctx, kbus.ID{Network: 1}); !errors.Is(err, context.Canceled) {
					return fmt.Errorf("an answer to nothing: %v, %w", m, err)
				}
				return nil
			})
			do(func(i int) error {
				name := "$.A" + strconv.Itoa(worker)
				if err := k.Bind(w.Context(), name, kbus.Replier); err != nil {
					return err
				}
				id, err := k.File().Replier(w.Context(), name)
				if err == nil && id != k.ID() {
					err = errors.New("somebody else is bound to our name")
				}
				return errors.Join(err, k.Unbind(w.Context(), name, kbus.Replier))
			})
			do(func(i int) error {
				_, err := k.Observer().Info(w.Context())
				return err
			})
		}
		all.Wait()
		w.reads(k)
	})
}
