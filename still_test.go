package kbus_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"kbus.example/kbus"
)

// Nothing that asks a bus waits longer than it was told to, while the daemon stands still; and afterwards all is as ever. Each
// of so many ways to ask takes its limit and a little more, so several Ksocks ask at the same time.
func TestDaemonStandsStill(t *testing.T) { standsStill(t) }

func standsStill(t *testing.T) {
	onBoth(t, func(w *world, d *daemon, opts ...kbus.Option) {
		asks := make([]*askers, 8)
		for i := range asks {
			asks[i] = newAskers(w, d, fmt.Sprintf("$.Mine%d", i), opts)
		}
		d.stop(t)
		var all sync.WaitGroup
		i := 0
		for name := range asks[0].asks {
			asks[i%len(asks)].names = append(asks[i%len(asks)].names, name)
			i++
		}
		for _, a := range asks {
			all.Go(a.askAll)
		}
		all.Wait()

		d.goOn()
		fresh, err := d.open()
		w.must(err)
		w.must(fresh.Bind(w.Context(), "$.Fresh", kbus.Listener))
		late, err := d.open()
		w.must(err)
		for _, a := range asks {
			a.hasOnly(late)
		}
	})
}

// askers is a Ksock and an Observer, and all that can be asked with them; some of that is, one after the other.
type askers struct {
	*world
	own   string // the name that the Ksock is bound to
	k     *kbus.Ksock
	asks  map[string]func() error
	names []string // of those that are asked
}

func newAskers(w *world, d *daemon, own string, opts []kbus.Option) *askers {
	k, err := d.open(opts...)
	w.must(err)
	opts = append(slices.Clone(opts), kbus.Dir(d.dir))
	o, err := kbus.Observe(w.Context(), 0, opts...)
	w.must(err)
	w.must(k.Bind(w.Context(), own, kbus.Replier))
	return &askers{world: w, own: own, k: k, asks: everything(w, k, o, own, opts)}
}

// askAll asks, and sees each in vain.
func (a *askers) askAll() {
	for _, name := range a.names {
		err := a.asks[name]()
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, kbus.ErrCanceled) || !errors.Is(err, errTimeIsUp) ||
			!strings.Contains(err.Error(), "time is up") {
			a.Errorf("%s: %v", name, err)
		}
	}
}

// hasOnly sees that nothing that was asked in vain has been done.
func (a *askers) hasOnly(observer *kbus.Ksock) {
	a.must(a.k.File().Reset(a.Context())) // what was asked in vain is answered before
	a.must(a.k.File().Reset(a.Context())) // by its answer, what takes back has been done
	list, err := observer.Observer().Bindings(a.Context())
	a.must(err)
	var ours []string
	for _, b := range list {
		if b.Ksock == a.k.ID() {
			ours = append(ours, b.Name)
		}
	}
	if len(ours) != 1 || ours[0] != a.own {
		a.Errorf("bound to %v; the Binds that have failed should not be there", ours)
	}
}

var errTimeIsUp = errors.New("time is up")

// everything is all that asks a bus, each with a limit.
func everything(w *world, k *kbus.Ksock, o *kbus.Observer, own string, opts []kbus.Option) map[string]func() error {
	soon := func() context.Context {
		ctx, done := context.WithTimeoutCause(w.Context(), moment, errTimeIsUp)
		w.Cleanup(done)
		return ctx
	}
	return map[string]func() error{
		"bind":         func() error { return k.Bind(soon(), "$.A", kbus.Listener) },
		"bind Replier": func() error { return k.Bind(soon(), "$.B", kbus.Replier) },
		"unbind":       func() error { return k.Unbind(soon(), "$.C", kbus.Listener) },
		"next":         func() error { _, err := k.Next(soon()); return err },
		"replier":      func() error { _, err := k.File().Replier(soon(), "$.A"); return err },
		"messages":     func() error { _, err := k.Queue().Len(soon()); return err },
		"unreplied":    func() error { _, err := k.Queue().Unreplied(soon()); return err },
		"queue":        func() error { _, err := k.Queue().SetLimit(soon(), 7); return err },
		"once":         func() error { _, err := k.Queue().SetOnlyOnce(soon(), false); return err },
		"size":         func() error { _, err := k.Settings().MaxMessageBytes(soon()); return err },
		"new bus":      func() error { _, err := k.Settings().AddBus(soon()); return err },
		"poll":         func() error { _, _, err := k.File().Poll(soon()); return err },
		"sending":      func() error { _, err := k.File().Sending(soon()); return err },
		"resend":       func() error { _, err := k.File().Resend(soon()); return err },
		"discard":      func() error { return k.Discard(soon()) },
		"last sent":    func() error { _, err := k.File().LastSent(soon()); return err },
		"reset":        func() error { return k.File().Reset(soon()) },
		"write":        func() error { _, err := k.File().Write(soon(), []byte("x")); return err },
		"read":         func() error { _, err := k.File().Read(soon(), make([]byte, 1)); return err },
		"next msg":     func() error { _, err := k.File().NextMsg(soon()); return err },
		"federate":     func() error { _, err := k.Bridge().Federate(soon(), false); return err },
		"carry":        func() error { _, err := k.Bridge().Carry(soon(), 7); return err },
		"who":          func() error { _, _, err := o.Who(soon(), "$.A"); return err },
		"list":         func() error { _, err := o.List(soon()); return err },
		"info":         func() error { _, err := o.Info(soon()); return err },
		"bindings":     func() error { _, err := k.Observer().Bindings(soon()); return err },
		"stats":        func() error { _, err := o.StatsReport(soon()); return err },
		"observe":      func() error { _, err := kbus.Observe(soon(), 0, opts...); return err },
		"receive":      func() error { _, err := k.Receive(soon()); return err },
		"call":         func() error { _, err := k.Call(soon(), kbus.Request(own, "")); return err },
		"wait":         func() error { return k.WaitSent(soon()) },
		"send":         func() error { _, err := k.Send(soon(), kbus.Announcement("$.F", "")); return err },
		"reply":        func() error { _, err := k.NextReply(soon(), kbus.ID{Serial: 77}); return err },
		"serve":        func() error { return k.Serve(soon(), nil) },
		"flush":        func() error { return flush(soon(), k) },
		"in place": func() error {
			return k.InPlace(soon(), func(*kbus.Message) error { return nil })
		},
		"reopen": func() error { _, err := k.Reopen(soon()); return err },
		"open":   func() error { _, err := kbus.Open(soon(), 0, opts...); return err },
	}
}

func flush(ctx context.Context, k *kbus.Ksock) error {
	p := k.Pipe()
	if err := p.Send(ctx, kbus.Announcement("$.G", "")); err != nil {
		return err
	}
	_, err := p.Flush(ctx)
	return err
}
