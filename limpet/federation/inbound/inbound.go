// Package inbound takes messages from NATS to the bus. All subjects of a member end in one queue, and one goroutine reads
// that: two queues would not keep the order between an Announcement and what follows it. What comes from a network is
// not trusted: an envelope that names a member as its sender must have come on that member's own subject.
//
//	inbound.go        which envelope goes where
//	assemble.go       long envelopes, which come in parts
//	announcements.go  what Listeners of our bus get
//	requests.go       Requests for Repliers of our bus, and Replies to its Requesters
package inbound

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/exchange"
	"kbus.example/kbus/limpet/federation/parts"
	"kbus.example/kbus/limpet/federation/scope"
	"kbus.example/kbus/limpet/federation/subject"
)

// Gaps learns what each member has announced, so that it sees what is missing.
type Gaps interface {
	// Counted notes that a member has got so far: all numbers below this one have been announced.
	Counted(e *envelope.Envelope, number uint64)
	// Missed counts an announcement that has come and was not delivered.
	Missed(member uint32)
}

// Config is what an Inbound works with.
type Config struct {
	Ksock    *kbus.Ksock
	Bus      envelope.Bus
	Space    subject.Space
	Scope    scope.Scope
	Exchange *exchange.Exchange
	Gaps     Gaps
	Vouches  func() bool // whether this member may act for its names
	Longest  int         // bytes of an envelope that our bus might ever take
	Log      *slog.Logger
}

// Inbound is the way from NATS to the bus.
type Inbound struct {
	Config
	queue         chan *nats.Msg
	collector     *parts.Collector
	announcements announcements
	requests      requests
	refused       atomic.Uint64 // envelopes that could not be trusted
}

const queueMessages = 1 << 14 // of parts.Most bytes at most

// New makes one that has subscribed to nothing.
func New(c Config) *Inbound {
	in := &Inbound{Config: c, queue: make(chan *nats.Msg, queueMessages), collector: parts.NewCollector(c.Longest)}
	in.announcements = announcements{ksock: c.Ksock, pipe: c.Ksock.Pipe(), bus: c.Bus, scope: c.Scope, gaps: c.Gaps}
	in.requests = requests{ksock: c.Ksock, bus: c.Bus, exchange: c.Exchange, vouches: c.Vouches}
	return in
}

// Subjects are what the queue is to be subscribed to.
func (in *Inbound) Subjects() []string {
	subjects := []string{in.Space.Inbox(in.Bus.Member), in.Space.AllCounts()}
	for _, name := range in.Scope {
		subjects = append(subjects, in.Space.AllAnnouncements(name))
	}
	return subjects
}

// Queue is where NATS is to put messages.
func (in *Inbound) Queue() chan *nats.Msg { return in.queue }

// Run delivers what is in the queue, in its order, until ctx ends or the bus is lost. Announcements go through the pipe
// as long as more of them wait; an envelope of another kind waits until the pipe is empty, so that nothing overtakes.
func (in *Inbound) Run(ctx context.Context) error {
	piped := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-in.queue:
			var e envelope.Envelope
			tooLong := in.read(ctx, m, &e)
			if e.Kind == 0 {
				continue
			}
			plain := e.Kind == envelope.Broadcast && !e.IsRequest() && !e.IsReply()
			if piped && !plain {
				if err := in.announcements.flush(ctx); err != nil {
					return err
				}
			}
			if tooLong != nil {
				in.tooLong(ctx, &e, tooLong)
				continue
			}
			if err := in.dispatch(ctx, &e); err != nil {
				return err
			}
			piped = plain
		}
		if piped && len(in.queue) == 0 {
			piped = false
			if err := in.announcements.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// read makes an envelope of what came from NATS. Its kind is 0 if there is nothing to be done.
func (in *Inbound) read(ctx context.Context, m *nats.Msg, e *envelope.Envelope) (tooLong *parts.TooLong) {
	var err error
	*e, err = envelope.Parse(m.Data)
	if sender := in.Space.Sender(m.Subject); err != nil || sender == 0 || sender != e.Member || e.Epoch == 0 {
		in.refuse(m.Subject, e.Member, err)
		e.Kind = 0
		return nil
	}
	if e.Member == in.Bus.Member {
		e.Kind = 0
		return nil
	}
	if e.Kind == envelope.Part {
		if *e, tooLong, err = in.assemble(ctx, e); err != nil {
			in.refuse(m.Subject, e.Member, err)
		}
	}
	return tooLong
}

// refuse drops an envelope that is not from the member that it names, or that cannot be read.
func (in *Inbound) refuse(subject string, member uint32, err error) {
	if in.refused.Add(1) == 1 || err == nil {
		in.Log.Warn("dropped what came from NATS", "subject", subject, "bowl", member, "why", err)
	}
}

func (in *Inbound) dispatch(ctx context.Context, e *envelope.Envelope) error {
	switch {
	case e.Kind == envelope.Broadcast:
		return in.announcements.deliver(ctx, e)
	case e.Kind == envelope.Count:
		in.Gaps.Counted(e, e.Count+1)
		return nil
	case e.Target != in.Bus.Member:
		return nil
	}
	in.Exchange.Alive(ctx, e.Member, e.Epoch)
	switch e.Kind {
	case envelope.Request:
		in.requests.deliver(ctx, e)
	case envelope.Reply:
		in.requests.reply(ctx, e)
	default:
		in.Exchange.Control(ctx, e)
	}
	return nil
}

// Undelivered counts a message of a member that the bus did not take, if err says so. It returns the error if the bus is
// lost.
func (in *Inbound) Undelivered(ctx context.Context, member uint32, err error) error {
	return in.announcements.undelivered(ctx, member, err)
}

// Figures count messages.
type Figures struct {
	Waiting     int    // in the queue
	Received    uint64 // of other members, given to Listeners
	Copies      uint64 // of messages that had come another way
	Replies     uint64 // to Requests of our bus
	Undelivered uint64 // messages that our bus did not take
	Refused     uint64 // that could not be trusted
}

// Figures counts.
func (in *Inbound) Figures() Figures {
	a, r := &in.announcements, &in.requests
	return Figures{
		Waiting: len(in.queue), Received: a.received.Load(), Copies: a.copies.Load(), Replies: r.replies.Load(),
		Undelivered: a.lost.Load() + r.lost.Load(), Refused: in.refused.Load(),
	}
}
