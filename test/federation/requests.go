package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"kbus.example/kbus"
)

// Three members ask each other, each at a steady pace, while one is cut off, and another is killed and comes back. Every
// Request that a bus has accepted is answered once, by its Reply or by a Status; no Replier sees one twice; and soon
// after the end nothing is outstanding anywhere.

const askersPerMember = 8

// load is what the askers and Repliers of a run have seen.
type load struct {
	play     *play
	testbed  *testbed
	ctx      context.Context
	end      context.CancelFunc
	work     sync.WaitGroup
	answered sync.WaitGroup
	results
}

// results is what has come of the Requests.
type results struct {
	mu       sync.Mutex // guards all but the last
	requests int
	replies  int
	statuses map[string]int
	served   map[string]int // how often Repliers have seen a Request
	losses   []time.Time    // when a member was lost
	slowest  time.Duration  // from the loss of a member, or the Request if it was later, to a Status
	pending  atomic.Int64
}

func requestsCase(p *play) error {
	h, err := p.newTestbed(3)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.startAll(); err != nil {
		return err
	}
	l := &load{play: p, testbed: h, results: results{statuses: map[string]int{}, served: map[string]int{}}}
	l.ctx, l.end = context.WithCancel(p.ctx)
	defer l.end()
	for _, b := range h.members {
		l.work.Go(func() { l.reply(b) })
	}
	total := pick(p, 10_000, 2000)
	pace := pick(p, 150, 60) // Requests a second and member
	for _, b := range h.members {
		for i := range askersPerMember {
			l.answered.Go(func() { l.ask(b, i, total/askersPerMember, time.Second*askersPerMember/time.Duration(pace)) })
		}
	}
	random := p.random(1)
	cutOff, killed := 1+random.IntN(3), 1+random.IntN(3)
	p.wait(pick(p, 8*time.Second, 3*time.Second))
	fmt.Printf("    bowl %d is cut off for 20 s\n", cutOff)
	l.lost()
	if err := h.cut(cutOff); err != nil {
		return err
	}
	p.wait(20 * time.Second)
	if err := h.heal(cutOff); err != nil {
		return err
	}
	fmt.Println("    it is back")
	p.wait(pick(p, 12*time.Second, 4*time.Second))
	fmt.Printf("    bowl %d is killed, with its server\n", killed)
	l.lost()
	h.members[killed-1].kill()
	p.wait(pick(p, 10*time.Second, 6*time.Second))
	b := h.members[killed-1]
	if err := errors.Join(b.startDaemon(), b.startServing()); err != nil {
		return err
	}
	fmt.Println("    it is back")
	if err := finish(&l.answered, "those who ask", 5*patience); err != nil {
		return err
	}
	err = l.reckon()
	l.end()
	return errors.Join(err, finish(&l.work, "Repliers", patience))
}

func (l *load) lost() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.losses = append(l.losses, time.Now())
}

// retry is the pace at which programs try again what has failed.
const retry = 50 * time.Millisecond

// reply keeps a Replier bound in a member, whatever happens to that member.
func (l *load) reply(b *member) {
	for l.ctx.Err() == nil {
		if k, err := b.open(); err == nil {
			l.serve(k, fmt.Sprintf("$.R%d", b.id))
			k.Close()
		}
		l.play.wait(retry)
	}
}

// serve serves until the Replier is bound no more.
func (l *load) serve(k *kbus.Ksock, name string) {
	if k.Bind(l.ctx, kbus.NameReplierBindEvent, kbus.Listener) != nil {
		return
	}
	for bound := k.Bind(l.ctx, name, kbus.Replier); bound != nil; bound = k.Bind(l.ctx, name, kbus.Replier) {
		if l.ctx.Err() != nil || errors.Is(bound, kbus.ErrBusGone) {
			return
		}
		l.play.wait(retry)
	}
	ctx, stop := context.WithCancel(l.ctx)
	defer stop()
	_ = k.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		if e, ok := kbus.ParseBindEvent(m.Data); ok && m.Name == kbus.NameReplierBindEvent {
			if !e.Bind && e.Binder == k.ID() && e.Name == name {
				stop() // it is unbound
			}
			return nil, nil
		}
		if !m.WantsUsToReply() {
			return nil, nil
		}
		l.mu.Lock()
		l.served[string(m.Data)]++
		l.mu.Unlock()
		return m.Reply(m.Data)
	})
}

// ask has so many Requests accepted and answered, at that pace.
func (l *load) ask(b *member, asker, count int, pace time.Duration) {
	beat := time.NewTicker(pace)
	defer beat.Stop()
	var k *kbus.Ksock
	defer func() {
		if k != nil {
			k.Close()
		}
	}()
	for n := 0; n < count; {
		select {
		case <-l.ctx.Done():
			return
		case <-beat.C:
		}
		if k == nil {
			var err error
			if k, err = b.open(); err != nil {
				k = nil
				continue
			}
		}
		to := 1 + (b.id+n%2)%3 // one of the other two
		accepted, gone := l.call(k, fmt.Sprintf("$.R%d", to), fmt.Sprintf("%d/%d/%d", b.id, asker, n))
		if accepted {
			n++
		}
		if gone {
			k.Close()
			k = nil
		}
	}
}

// call makes one Request and waits for what comes. The bus is asked for its answer by Receive and not by Call, so that
// a second answer would be seen.
func (l *load) call(k *kbus.Ksock, name, data string) (accepted, gone bool) {
	sentAt := time.Now()
	sent, err := k.Send(l.ctx, kbus.Request(name, data))
	if err != nil {
		return false, errors.Is(err, kbus.ErrBusGone) || errors.Is(err, kbus.ErrClosed)
	}
	l.mu.Lock()
	l.requests++
	l.mu.Unlock()
	l.pending.Add(1)
	for {
		m, err := k.Receive(l.ctx)
		if err != nil {
			return true, true
		}
		if m.InReplyTo != sent.ID {
			l.double(m)
			continue
		}
		l.pending.Add(-1)
		l.answer(m, data, sentAt)
		return true, false
	}
}

func (l *load) double(m *kbus.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.play.tally.doubles++
	fmt.Printf("    a second answer: %v\n", m)
}

func (l *load) answer(m *kbus.Message, data string, sentAt time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.Kind() == kbus.ReplyKind && string(m.Data) == data {
		l.replies++
		return
	}
	l.statuses[m.Name]++
	since := sentAt
	for _, lost := range l.losses {
		if lost.After(since) {
			since = lost
			break
		}
	}
	l.slowest = max(l.slowest, time.Since(since))
}

// reckon counts, when all have been answered.
func (l *load) reckon() error {
	t := &l.play.tally
	l.mu.Lock()
	statuses := 0
	for _, n := range l.statuses {
		statuses += n
	}
	for request, n := range l.served {
		if n > 1 {
			t.doubles += n - 1
			fmt.Printf("    %s was given to its Replier %d times\n", request, n)
		}
	}
	t.requests, t.replies, t.statuses = t.requests+l.requests, t.replies+l.replies, t.statuses+statuses
	fmt.Printf("    %d Requests = %d Replies + %d Statuses %v; the slowest Status after %.1f s\n",
		l.requests, l.replies, statuses, l.statuses, l.slowest.Seconds())
	l.mu.Unlock()
	outstanding, err := l.testbed.quiet(10 * time.Second)
	if err != nil {
		return err
	}
	t.outstanding += outstanding + int(l.pending.Load())
	switch {
	case l.slowest > 5*time.Second:
		return fmt.Errorf("a Status took %v", l.slowest)
	case l.requests == 0 || l.replies == 0 || statuses == 0:
		return errors.New("the run has shown nothing")
	case !t.right():
		return errors.New("the count is wrong")
	}
	return nil
}

// quiet waits until nothing is outstanding in any member, and tells what is after so long.
func (h *testbed) quiet(limit time.Duration) (outstanding int, err error) {
	for deadline := time.Now().Add(limit); ; h.play.wait(100 * time.Millisecond) {
		outstanding, err = 0, nil
		for _, b := range h.members {
			s, e := b.status()
			outstanding, err = outstanding+s.Outstanding+s.Working, errors.Join(err, e)
		}
		if err == nil && outstanding == 0 || !time.Now().Before(deadline) {
			return outstanding, err
		}
	}
}
