package process

import (
	"context"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/bus/model"
)

// With ALL_OR_WAIT nobody misses anything however small the queues are, and there is still one order for all (R4.36),
// though it need not be that of the ids (R4.37). What each of these few clients sees fits into memory, so the histories
// are compared as a whole.
func TestOrderWhenWaiting(t *testing.T) {
	const senders, listeners, each = 4, 4, 1500
	d := startDaemon(t)
	heard := make([]*actor, listeners)
	for i := range heard {
		heard[i] = d.cast("hearer", senders*each)
		hear[ready](heard[i])
	}
	spoken := make([]*actor, senders)
	for i := range spoken {
		spoken[i] = d.cast("waiter", each)
		hear[ready](spoken[i])
	}
	for _, a := range spoken {
		a.cue("go")
	}
	waits := 0
	for _, a := range spoken {
		waits += hear[int](a)
	}
	if waits == 0 {
		t.Error("nobody ever waited for room")
	}
	var history []model.Client
	for _, a := range heard {
		c := hear[model.Client](a)
		if len(c.Got) != senders*each {
			t.Errorf("%s heard %d of %d messages", a.name, len(c.Got), senders*each)
		}
		history = append(history, c)
	}
	for _, violation := range model.Check(history) {
		t.Error(violation)
	}
	t.Logf("%d of %d messages waited for room", waits, senders*each)
}

// waiter sends args[0] messages that must reach everybody, and says how many of them had to wait for room.
func waiter(p *part) {
	ctx := context.Background()
	k := p.open()
	p.say(ready{uint32(k.ID())})
	p.await()
	waits := 0
	for range p.number(0) {
		m := kbus.Announcement("$.Order.Say", "")
		m.Flags = kbus.AllOrWait
		switch sent, err := k.Send(ctx, m); {
		case sent.Pending:
			waits++
			p.must(k.WaitSent(ctx))
		default:
			p.must(err)
		}
	}
	p.say(waits)
}

// hearer has room for few, hears args[0] messages, and tells what they were.
func hearer(p *part) {
	ctx := context.Background()
	k := p.open()
	_, err := k.Queue().SetLimit(ctx, 8)
	p.must(err)
	p.must(k.Bind(ctx, "$.Order.*", kbus.Listener))
	p.say(ready{uint32(k.ID())})
	c := model.Client{ID: k.ID()}
	for range p.number(0) {
		m, err := k.Receive(ctx)
		p.must(err)
		c.Got = append(c.Got, model.Receipt{Message: *m})
	}
	p.say(c)
}
