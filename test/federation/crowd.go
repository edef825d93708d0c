package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation"
)

// A thousand members, which are buses and Limpets in this process, meet at a cluster of three servers, which are
// processes. When one of them binds a name, all others know it.

// So many are on the way to join at a time. Each that joins is made known to all others, and what a thousand machines
// would do with that, this one has to do alone.
const atOnce = 32

// crowd is those members.
type crowd struct {
	play     *play
	sessions atomic.Int64 // begun by all members
	ctx      context.Context
	seen     chan string // the name of a bind event of some bus
	end      chan error
	testbed  *testbed
}

func crowdCase(p *play) error {
	h, err := p.newTestbed(3)
	if err != nil {
		return err
	}
	defer h.close()
	results := make(chan error)
	for _, b := range h.members {
		go func() { results <- b.startServer() }()
	}
	if err := errors.Join(<-results, <-results, <-results); err != nil {
		return err
	}
	ctx, end := context.WithCancel(p.ctx)
	count := pick(p, 1000, 100)
	c := &crowd{play: p, ctx: ctx, seen: make(chan string, count), end: make(chan error, count), testbed: h}
	started := 0
	defer func() { // none may be left that complains of the end
		end()
		for range started {
			<-c.end
		}
	}()
	start := time.Now()
	buses := make([]*kbus.Bus, count)
	ready := make(chan struct{}, count)
	for i := range buses {
		if i >= atOnce {
			if err := c.await(ready); err != nil {
				return err
			}
		}
		buses[i] = kbus.NewBus()
		go func() { c.end <- c.run(buses[i], uint32(i+1), ready) }()
		started++
	}
	for range min(atOnce, count) {
		if err := c.await(ready); err != nil {
			return err
		}
	}
	fmt.Printf("    %d bowls have joined in %.1f s; %d leases were lost meanwhile\n", count, time.Since(start).Seconds(),
		c.sessions.Load()-int64(count))
	if err := c.claims(buses, pick(p, 30, 10)); err != nil {
		return err
	}
	if lost := c.sessions.Load() - int64(count); lost > 0 {
		return fmt.Errorf("%d leases were lost, and nothing has gone wrong", lost)
	}
	return nil
}

// run is one member.
func (c *crowd) run(bus *kbus.Bus, id uint32, ready chan<- struct{}) error {
	in, err := c.testbed.dial(int(id%3) + 1)
	if err != nil {
		return err
	}
	nc, err := nats.Connect("nats://"+c.testbed.members[id%3].address()+":4222", nats.SetCustomDialer(in), nats.NoEcho(),
		nats.ReconnectBufSize(-1), nats.MaxReconnects(-1), nats.Timeout(patience))
	if err != nil {
		return err
	}
	defer nc.Close()
	listener, err := bus.Open(c.ctx)
	if err != nil {
		return err
	}
	if err := listener.Bind(c.ctx, kbus.NameReplierBindEvent, kbus.Listener); err != nil {
		return err
	}
	go func() {
		for m, err := range listener.Messages(c.ctx) {
			if err != nil {
				return
			}
			if e, ok := kbus.ParseBindEvent(m.Data); ok && e.Bind && strings.HasPrefix(e.Name, "$.Crowd.") {
				c.seen <- e.Name
			}
		}
	}()
	var first sync.Once
	b, err := federation.New(nc, federation.Config{
		ID: id, Federation: "crowd", Names: []string{"$.*"}, Replicas: 3, Where: fmt.Sprint("crowd ", id),
		Log:  slog.New(slog.DiscardHandler),
		Open: func(context.Context) (*kbus.Ksock, error) { return bus.Open(c.ctx, kbus.ReadAhead(64)) },
	}, func() { c.sessions.Add(1); first.Do(func() { ready <- struct{}{} }) })
	if err != nil {
		return err
	}
	return b.Run(c.ctx)
}

func (c *crowd) await(ready <-chan struct{}) error {
	select {
	case <-ready:
		return nil
	case err := <-c.end:
		c.end <- nil // it is to be read once for each member
		return fmt.Errorf("a bowl has ended: %v", err)
	case <-time.After(2 * patience):
		return errors.New("some bowls do not join")
	}
}

// claims binds names, each in another member, and measures until all buses have told of it.
func (c *crowd) claims(buses []*kbus.Bus, count int) error {
	random := c.play.random(5)
	var bound, all []time.Duration
	for n := range count {
		k, err := buses[random.IntN(len(buses))].Open(c.ctx)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("$.Crowd.N%d", n)
		start := time.Now()
		if err := k.Bind(c.ctx, name, kbus.Replier); err != nil {
			return err
		}
		bound = append(bound, time.Since(start))
		for received := 0; received < len(buses); {
			select {
			case other := <-c.seen:
				if other != name {
					return fmt.Errorf("a bus tells of %s, once more", other)
				}
				received++
			case <-time.After(patience):
				return fmt.Errorf("of %d buses %d know that %s is bound", len(buses), received, name)
			}
		}
		all = append(all, time.Since(start))
	}
	fmt.Printf("    a Bind took p50 %.1f ms; all %d buses knew it after p50 %.1f ms, at most %.1f ms\n",
		quantile(bound, 0.5), len(buses), quantile(all, 0.5), quantile(all, 1))
	return nil
}
