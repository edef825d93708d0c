package process

import (
	"testing"
	"time"
)

// Order: everybody sees the same messages in the same order, which is that of the ids (R4.36, R1.12).
//
// So many messages fit into nobody's memory, so each Listener checks as it goes: ids count up one by one, for nothing
// else is on this bus; of each sender it hears everything once, in order; and what it heard is folded into a sum.
// Equal sums of all Listeners mean equal messages, to the last byte, in an equal order.
//
// Ids have that order only if no message waits for room (R4.37), so queues are large, and every send says that nobody
// was passed over. The senders keep them from growing without end: now and then each asks one of the Listeners,
// which answers when it has heard all that came before.
func TestOrder(t *testing.T) { order(t, *messagesFlag, "16 senders and 16 Listeners", false, nil) }

// order is that, with something that happens to the daemon meanwhile, until done is closed.
func order(t *testing.T, messages int, what string, rings bool, meanwhile func(d *daemon, done <-chan struct{})) {
	const senders, listeners = 16, 16
	d := startDaemon(t)
	d.rings = rings

	heard := make([]*actor, listeners)
	for i := range heard {
		heard[i] = d.cast("listener", i, senders)
	}
	for _, a := range heard {
		hear[ready](a)
	}
	spoken := make([]*actor, senders)
	for i := range spoken {
		share := messages*(i+1)/senders - messages*i/senders
		spoken[i] = d.cast("sender", i, listeners, share)
	}
	for _, a := range spoken {
		hear[ready](a)
	}
	begin := time.Now()
	for _, a := range spoken {
		a.cue("go")
	}
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		if meanwhile != nil {
			meanwhile(d, done)
		}
	}()
	var sent orderSent
	for _, a := range spoken {
		s := hear[orderSent](a)
		sent.Messages += s.Messages
		sent.Requests += s.Requests
	}
	first := hear[orderHeard](heard[0])
	for _, a := range heard[1:] {
		if h := hear[orderHeard](a); h != first {
			t.Errorf("%s heard %+v,\n%s heard %+v", heard[0].name, first, a.name, h)
		}
	}
	took := time.Since(begin)
	close(done)
	<-over
	if first.Messages != sent.Messages || first.Replies != sent.Requests || sent.Messages != messages {
		t.Errorf("%d messages were to be sent; %+v was sent, %+v was heard", messages, sent, first)
	}
	for _, a := range append(spoken, heard...) {
		a.dismiss()
	}
	publish(t, what,
		"%d messages, %d of them Requests and as many Replies, heard by all: %v, %.0f sent/s, %.0f heard/s",
		sent.Messages, sent.Requests, took.Round(time.Millisecond),
		float64(sent.Messages)/took.Seconds(), float64(sent.Messages*listeners)/took.Seconds())
}
