package kbus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"kbus.example/kbus"
)

// A tap is shown what is said, who said it and what came of it, on all kinds of bus, and ends when it should.
func TestTap(t *testing.T) {
	onAll(t, func(w *world) {
		o, err := w.observe()
		w.must(err)
		defer o.Close()
		ctx, stop := context.WithCancel(w.Context())
		defer stop()
		events, err := o.Tap(ctx, kbus.TapFilter{Patterns: []string{"$.Lamp.*"}})
		w.must(err)
		few, err := o.Tap(ctx, kbus.TapFilter{OnlyFailures: true, MaxData: 3})
		w.must(err)

		r := w.bound(kbus.Replier, "$.Lamp.Set")
		k := w.ksock()
		go r.Serve(ctx, func(ctx context.Context, m *kbus.Message) (*kbus.Message, error) {
			return m.Reply([]byte("done"))
		})
		_, err = k.Call(ctx, kbus.Request("$.Lamp.Set", "on"))
		w.must(err)
		w.send(k, kbus.Announcement("$.Door", "not of the pattern"))
		_, err = k.Send(ctx, kbus.Request("$.Lamp.None", "anybody?"))
		w.fails(err, kbus.ErrNoReplier)

		var got []string
		for e, err := range events {
			w.must(err)
			if e.Time.IsZero() || e.SinceBoot == 0 || e.By.Program == "" || e.By.PID == 0 {
				w.Fatalf("%+v", e)
			}
			got = append(got, fmt.Sprint(e.Event, " ", e.Message.Name, " ", string(e.Data), " by ", e.By.Ksock, " reached ", e.Reached, " ", e.Err))
			if e.Err != nil {
				break
			}
		}
		is(w, "events", fmt.Sprint(got), fmt.Sprint([]string{
			"bound $.Lamp.Set  by 1 reached 0 <nil>",
			"sent $.Lamp.Set on by 2 reached 1 <nil>",
			"taken $.Lamp.Set  by 1 reached 0 <nil>",
			"sent $.Lamp.Set done by 1 reached 1 <nil>",
			"sent $.Lamp.None anybody? by 2 reached 0 " + kbus.ErrNoReplier.Error(),
		}))
		for _, err := range events {
			w.fails(err, kbus.ErrClosed) // another loop
		}
		for e, err := range few {
			w.must(err)
			is(w, "a failure", fmt.Sprint(e.Err, " ", string(e.Data), " of ", e.DataBytes), fmt.Sprint(kbus.ErrNoReplier, " any of 8"))
			stop()
			break
		}
		for _, wrong := range []struct {
			filter kbus.TapFilter
			want   error
		}{
			{kbus.TapFilter{Patterns: []string{"$..A"}}, kbus.ErrBadName},
			{kbus.TapFilter{Messages: []kbus.Kind{kbus.StatusKind}}, kbus.ErrMalformed},
			{kbus.TapFilter{Messages: []kbus.Kind{kbus.RequestKind, 99}}, kbus.ErrMalformed},
			{kbus.TapFilter{Kinds: []kbus.EventKind{17}}, kbus.ErrMalformed},
		} {
			_, err = o.Tap(w.Context(), wrong.filter)
			w.fails(err, wrong.want)
		}
	})
}

func TestTapEnds(t *testing.T) {
	onAll(t, func(w *world) {
		o, err := w.observe()
		w.must(err)
		ctx, stop := context.WithCancel(w.Context())
		defer stop()
		events, err := o.Tap(ctx, kbus.TapFilter{})
		w.must(err)
		unused, err := o.Tap(ctx, kbus.TapFilter{})
		w.must(err)
		w.ksock()
		n := 0
		for e, err := range events {
			if n++; n == 1 {
				w.must(err)
				is(w, "event", fmt.Sprint(e.Event), "opened")
				stop()
			} else if !errors.Is(err, context.Canceled) || e != nil {
				w.Fatal(e, err)
			}
		}
		is(w, "events and an end", n, 2)
		for _, err := range unused {
			if !errors.Is(err, context.Canceled) {
				w.Fatal(err)
			}
		}
		events, err = o.Tap(w.Context(), kbus.TapFilter{})
		w.must(err)
		w.end()
		for _, last := range events {
			err = last
		}
		w.fails(err, kbus.ErrBusGone)
	})
}
