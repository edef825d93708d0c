package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"kbus.example/kbus"
)

// In every member somebody wants to be the Replier of the same names, and holds each for a while. One member after the
// other is cut off; one has its Limpet stand still, and one has it killed, on a bus that must have one. No two hold a
// name at the same time: a holder counts from when its Bind has succeeded to when it unbinds or to when its bus says
// that it is bound no more. Besides, each member has a name that it keeps: when it is lost to the others somebody else has
// that soon, and not before the holder has lost it.

// term is from when to when somebody held a name.
type term struct {
	name       string
	member     int
	start, end time.Time
	lost       bool // taken away, not given back
}

type contest struct {
	play    *play
	testbed *testbed
	ctx     context.Context
	work    sync.WaitGroup

	mu    sync.Mutex
	terms []term
	cuts  []time.Time
}

func ownershipCase(p *play) error {
	h, err := p.newTestbed(3)
	if err != nil {
		return err
	}
	defer h.close()
	for _, b := range h.members {
		b.flags = []string{"--federated"}
	}
	if err := h.startAll(); err != nil {
		return err
	}
	ctx, end := context.WithCancel(p.ctx)
	c := &contest{play: p, testbed: h, ctx: ctx}
	defer end()
	for _, b := range h.members {
		for i := range pick(p, 12, 8) {
			c.work.Go(func() { c.contend(b, fmt.Sprintf("$.Short.N%d", i), i) })
		}
	}
	for _, b := range h.members { // each is the first to hold its own
		held := make(chan struct{}, 1)
		c.work.Go(func() { c.hold(b, fmt.Sprintf("$.Long.N%d", b.id), held) })
		select {
		case <-held:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, b := range h.members {
		for _, other := range h.members {
			if other != b {
				c.work.Go(func() { c.hold(b, fmt.Sprintf("$.Long.N%d", other.id), nil) })
			}
		}
	}
	random := p.random(2)
	var failures error
	mishaps := []mishap{isCutOff, standsStill, isCutOff, loses, isCutOff}
	if p.short {
		i := random.IntN(2)
		mishaps = mishaps[i : i+1]
	}
	for _, m := range mishaps {
		victim := h.members[random.IntN(3)]
		fmt.Printf("    bowl %d %s\n", victim.id, m.about)
		start := time.Now()
		c.mu.Lock()
		c.cuts = append(c.cuts, start)
		c.mu.Unlock()
		if err := m.begin(victim); err != nil {
			return err
		}
		p.wait(22 * time.Second)
		if err := m.end(victim); err != nil {
			return err
		}
		p.wait(10 * time.Second)
		failures = errors.Join(failures, c.takeover(victim.id, start))
	}
	end()
	if err := finish(&c.work, "contenders for names", patience); err != nil {
		return err
	}
	return errors.Join(failures, c.reckon(pick(p, 150, 80)))
}

// mishap is how a member is lost to the others for a while.
type mishap struct {
	about      string
	begin, end func(*member) error
}

var (
	isCutOff = mishap{"is cut off",
		func(b *member) error { return b.testbed.cut(b.id) }, func(b *member) error { return b.testbed.heal(b.id) }}
	standsStill = mishap{"has its Limpet stand still, with its server",
		func(b *member) error { return b.limpet.pause() }, func(b *member) error { return b.limpet.goOn() }}
	loses = mishap{"has its Limpet killed, with its server, on a bus that must have one",
		func(b *member) error { b.limpet.kill(); return nil }, func(b *member) error { return b.startServing() }}
)

// contend wants a name again and again, for a moment each time.
func (c *contest) contend(b *member, name string, i int) {
	random := c.play.random(uint64(100*b.id + i))
	c.claim(b, name, func(unbound <-chan struct{}) {
		select {
		case <-unbound:
		case <-c.ctx.Done():
		case <-time.After(time.Duration(50+random.IntN(1500)) * time.Millisecond):
		}
	}, func() { c.play.wait(time.Duration(20+random.IntN(180)) * time.Millisecond) })
}

// hold wants a name and keeps it for as long as it may.
func (c *contest) hold(b *member, name string, held chan<- struct{}) {
	c.claim(b, name, func(unbound <-chan struct{}) {
		select {
		case held <- struct{}{}:
		default:
		}
		select {
		case <-unbound:
		case <-c.ctx.Done():
		}
	}, func() { c.play.wait(200 * time.Millisecond) })
}

func (c *contest) claim(b *member, name string, keep func(unbound <-chan struct{}), rest func()) {
	for c.ctx.Err() == nil {
		k, err := b.open()
		if err != nil {
			rest()
			continue
		}
		if err := k.Bind(c.ctx, kbus.NameReplierBindEvent, kbus.Listener); err != nil {
			k.Close()
			continue
		}
		for c.ctx.Err() == nil {
			soon, done := context.WithTimeout(c.ctx, 5*time.Second) // without a quorum it would wait for one
			err := k.Bind(soon, name, kbus.Replier)
			done()
			if errors.Is(err, kbus.ErrBusGone) {
				break
			} else if err != nil {
				rest()
				drain(k)
				continue
			}
			c.term(b, k, name, keep)
			rest()
		}
		k.Close()
	}
}

// drain reads what was told meanwhile.
func drain(k *kbus.Ksock) {
	for m, err := k.Next(context.Background()); m != nil && err == nil; m, err = k.Next(context.Background()) {
	}
}

// term is one time of holding a name, which has just begun.
func (c *contest) term(b *member, k *kbus.Ksock, name string, keep func(<-chan struct{})) {
	t := term{name: name, member: b.id, start: time.Now()}
	ctx, stop := context.WithCancel(c.ctx)
	unbound := make(chan struct{})
	var listening sync.WaitGroup
	listening.Go(func() {
		for m, err := range k.Messages(ctx) {
			if err != nil {
				if errors.Is(err, kbus.ErrBusGone) {
					close(unbound)
				}
				return
			}
			e, ok := kbus.ParseBindEvent(m.Data)
			if ok && !e.Bind && e.Binder == k.ID() && e.Name == name {
				close(unbound)
				return
			}
		}
	})
	keep(unbound)
	t.end = time.Now()
	stop()
	listening.Wait()
	select {
	case <-unbound:
		t.lost = true
	default:
		_ = k.Unbind(context.WithoutCancel(ctx), name, kbus.Replier) // it may be lost at this very moment
	}
	drain(k) // the event of this end is not to be taken for that of the next
	c.mu.Lock()
	c.terms = append(c.terms, t)
	c.mu.Unlock()
}

// takeover checks what became of the long name of a member that was cut off.
func (c *contest) takeover(victim int, cut time.Time) error {
	name := fmt.Sprintf("$.Long.N%d", victim)
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Printf("    the others could claim nothing for %.1f s\n", c.standstill(victim, cut).Seconds())
	var lost time.Time
	for _, t := range c.terms {
		if t.name == name && t.member == victim && t.lost && t.end.After(cut) {
			lost = t.end
		}
	}
	if lost.IsZero() {
		for _, t := range c.terms {
			if t.name == name && t.member == victim && t.end.Before(cut) {
				return nil // it had lost it in an earlier partition
			}
		}
		return fmt.Errorf("bowl %d was lost and has not given %s up", victim, name)
	}
	fmt.Printf("    its names were given up after %.1f s\n", lost.Sub(cut).Seconds())
	return nil
}

// standstill is the longest time after a cut in which no member but that one came to hold a name: the servers elect.
func (c *contest) standstill(but int, cut time.Time) (longest time.Duration) {
	starts := []time.Time{cut}
	for _, t := range c.terms {
		if t.member != but && t.start.After(cut) {
			starts = append(starts, t.start)
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	for i := 1; i < len(starts); i++ {
		longest = max(longest, starts[i].Sub(starts[i-1]))
	}
	return longest
}

// cutBefore is when a member was last cut off before that.
func (c *contest) cutBefore(t time.Time) (cut time.Time) {
	for _, at := range c.cuts {
		if at.Before(t) {
			cut = at
		}
	}
	return cut
}

// reckon looks for overlaps, and for how soon a name that was lost was held again.
func (c *contest) reckon(least int) error {
	t := &c.play.tally
	byName := map[string][]term{}
	for _, term := range c.terms {
		byName[term.name] = append(byName[term.name], term)
	}
	var slowest time.Duration
	overlaps, lost := 0, 0
	for name, terms := range byName {
		slices.SortFunc(terms, func(a, b term) int { return cmp.Compare(a.start.UnixNano(), b.start.UnixNano()) })
		for i := 1; i < len(terms); i++ {
			before, after := terms[i-1], terms[i]
			if after.start.Before(before.end) {
				overlaps++
				fmt.Printf("    %s: bowl %d held it until %v after bowl %d had it\n",
					name, before.member, before.end.Sub(after.start), after.member)
			}
			if before.lost && after.member != before.member {
				lost++
				slowest = max(slowest, after.start.Sub(c.cutBefore(before.end)))
			}
		}
	}
	t.overlaps += overlaps
	fmt.Printf("    %d terms, %d overlaps; %d names changed hands because a bowl was lost, the last %.1f s after that\n",
		len(c.terms), overlaps, lost, slowest.Seconds())
	switch {
	case overlaps > 0:
		return errors.New("two held a name at the same time")
	case len(c.terms) < least:
		return fmt.Errorf("%d terms are too few to show anything", len(c.terms))
	case lost == 0:
		return errors.New("no name changed hands because a bowl was lost")
	case slowest > 20*time.Second:
		return fmt.Errorf("a name was taken over only %v after its holder was lost", slowest)
	}
	return nil
}
