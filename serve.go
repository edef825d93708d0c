package kbus

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"kbus.example/kbus/internal/client"
	"kbus.example/kbus/internal/client/driver"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Handler deals with one message. What it returns is sent; usually that is the Reply, or nil for a message that wants none.
//
// An error is for the program that asked: in place of the Reply it gets the Status NameFailed, whose data is the error's
// text. A Request for which a handler returns neither Reply nor error gets the same, so that nobody waits for a Reply
// that was forgotten. With the error ReplyLater nothing is sent: the handler keeps the message, and the Reply is sent
// with Send later. An error about a message that wants no Reply goes to OnError.
type Handler func(ctx context.Context, m *Message) (*Message, error)

// ReplyLater is what a Handler returns for a Request that it has not replied to, and will.
//
//lint:ignore ST1012 it is an answer, as fs.SkipDir is
var ReplyLater = errors.New("the Reply comes later")

var errNoReply = errors.New("it gave no Reply")

// ServeOption changes how Serve goes about it.
type ServeOption func(*serving)

// serving is one Serve.
type serving struct {
	k       *Ksock
	handle  Handler
	most    int
	onError func(*Message, error)
}

// Concurrency has up to n messages handled at a time, each in a goroutine; without it, it is one, in the goroutine that
// calls Serve. Messages of one Sender are handled one after the other, in the order of the bus, and so are those of the
// bus itself; those of different Senders in any order. Up to n more are taken from the queue meanwhile, to wait for their
// Senders' turn. When Serve returns, all handlers have.
func Concurrency(n int) ServeOption { return func(s *serving) { s.most = max(n, 1) } }

// OnError has f called with each error that a Handler returns, but ReplyLater, and with the bus's refusal of what it
// returned, and the message that it was handling. A forgotten Reply is such an error. With
// Concurrency it may be called from several goroutines at once. Without this option an error about a message that wants no
// Reply, of which nobody would hear otherwise, is logged as a warning (log/slog).
func OnError(f func(m *Message, err error)) ServeOption { return func(s *serving) { s.onError = f } }

func logError(m *Message, err error) {
	if !m.WantsUsToReply() {
		slog.Warn("kbus: a message could not be handled", "message", m.Name, "id", m.ID.String(), "err", err)
	}
}

// Serve receives messages and has each handled, one after the other, in the order of the bus. The handler may do anything
// with the Ksock, such as Call on it: the Reply to that is picked out of the queue, and all other messages wait for their
// turn. (Two programs that call each other from their handlers at the same moment do wait for each other, until a ctx
// ends.)
//
// It returns when ctx ends, with its error; or with ErrClosed or ErrBusGone; or with ErrWrongMode if the Ksock may not send.
// What a handler returns does not end it otherwise. If a Reply cannot be sent because the program that asked has gone, or
// has been told that no Reply will come, it goes on. If the bus does not take what was returned, a Reply that is too long
// for instance, the program that asked gets the Status NameFailed instead, and OnError hears of it.
func (k *Ksock) Serve(ctx context.Context, handle Handler, opts ...ServeOption) error {
	s := &serving{k: k, handle: handle, most: 1, onError: logError}
	for _, o := range opts {
		o(s)
	}
	if s.most > 1 {
		return s.concurrently(ctx)
	}
	m, err := k.Receive(ctx)
	for err == nil {
		request := m
		if reply := s.answer(ctx, m); reply == nil {
			m, err = k.Receive(ctx)
		} else if m, err = k.sendAndReceive(ctx, reply); err != nil {
			switch failed, ends := s.refused(request, reply, err); {
			case failed != nil:
				m, err = k.sendAndReceive(ctx, failed)
			case !ends:
				m, err = k.Receive(ctx)
			}
		}
	}
	return err
}

// answer has a message handled and gives what is to be sent, nil for nothing.
func (s *serving) answer(ctx context.Context, m *Message) *Message {
	reply, err := s.handle(ctx, m)
	switch {
	case err == ReplyLater:
		return nil
	case err == nil && (reply != nil || !m.WantsUsToReply()):
		return reply
	case err == nil:
		err = errNoReply
	}
	s.onError(m, err)
	failed, notWanted := m.Fail(err.Error())
	if notWanted != nil {
		return nil
	}
	return failed
}

// refused deals with the error of sending what a handler returned: it gives the Status for a Request for which the bus
// does not take that, and whether the error ends serving.
func (s *serving) refused(m, returned *Message, err error) (failed *Message, ends bool) {
	e, ok := err.(*Error)
	if !ok || e.Op != client.Verb(wire.OpSendMessage) {
		return nil, true
	}
	if _, fromBus := e.Err.(Condition); !fromBus || errors.Is(err, ErrWrongMode) || errors.Is(err, ErrClosed) {
		return nil, true
	}
	if returned.InReplyTo == m.ID && returned.Name == message.NameFailed { // even that it does not take
		return nil, true
	}
	s.onError(m, err)
	failed, _ = m.Fail(err.Error()) // none if no Reply is wanted
	return failed, false
}

// sendAndReceive sends a message and waits for the next one. Both requests travel together.
func (k *Ksock) sendAndReceive(ctx context.Context, m *Message) (*Message, error) {
	c := k.conn.Load()
	c.Lock()
	defer c.Unlock()
	next, err := c.SendAndTake(ctx, m)
	return next, publicError(err)
}

// Serving several at a time. One goroutine receives. Each Sender has a lane; only the first message in it is handled, and
// when that is done the next may be. Messages that may be handled wait in ready until one of the goroutines is free, and a
// goroutine that finds nothing there ends. A message is taken only when there is room for it, so what has been taken is
// bounded, and the queue on the bus tells Senders that we do not keep up, as ever.
type lanes struct {
	s    *serving
	ctx  context.Context
	stop context.CancelCauseFunc // ends receiving
	room chan struct{}           // a token for each message taken
	all  sync.WaitGroup

	mu      sync.Mutex
	waiting map[KsockID][]*Message // those behind the one that is ready or being handled, for each Sender that has one
	ready   []*Message
	running int
}

func (s *serving) concurrently(ctx context.Context) error {
	receiving, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	l := &lanes{s: s, ctx: ctx, stop: stop, room: make(chan struct{}, 2*s.most), waiting: map[KsockID][]*Message{}}
	err := l.receive(receiving)
	l.all.Wait()
	if ctx.Err() == nil && receiving.Err() != nil {
		return context.Cause(receiving)
	}
	return err
}

func (l *lanes) receive(ctx context.Context) error {
	for {
		select {
		case l.room <- struct{}{}:
		case <-ctx.Done():
			return driver.CanceledBy(ctx)
		}
		m, err := l.s.k.Receive(ctx)
		if err != nil {
			return err
		}
		l.add(m)
	}
}

// add puts a message into its Sender's lane.
func (l *lanes) add(m *Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if behind, busy := l.waiting[m.From]; busy {
		l.waiting[m.From] = append(behind, m)
		return
	}
	l.waiting[m.From] = nil
	l.ready = append(l.ready, m)
	if l.running < l.s.most {
		l.running++
		l.all.Go(l.work)
	}
}

// work handles messages until there is none.
func (l *lanes) work() {
	for m := l.next(); m != nil; m = l.next() {
		if err := l.s.deal(l.ctx, m); err != nil {
			l.stop(err)
		}
		l.done(m.From)
	}
}

func (l *lanes) next() *Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.ready) == 0 {
		l.running--
		return nil
	}
	m := l.ready[0]
	l.ready = l.ready[1:]
	return m
}

// done lets the next message of a Sender be handled.
func (l *lanes) done(sender KsockID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if behind := l.waiting[sender]; len(behind) > 0 {
		l.ready, l.waiting[sender] = append(l.ready, behind[0]), behind[1:]
	} else {
		delete(l.waiting, sender)
	}
	<-l.room
}

// deal handles one message and sends what comes of it.
func (s *serving) deal(ctx context.Context, m *Message) error {
	reply := s.answer(ctx, m)
	if reply == nil {
		return nil
	}
	err := s.k.sendAnswer(ctx, reply)
	if err == nil {
		return nil
	}
	switch failed, ends := s.refused(m, reply, err); {
	case failed != nil:
		return s.k.sendAnswer(ctx, failed)
	case ends:
		return err
	}
	return nil
}

// sendAnswer sends a message, also when ctx has ended.
func (k *Ksock) sendAnswer(ctx context.Context, m *Message) error {
	c := k.conn.Load()
	c.Lock()
	defer c.Unlock()
	return publicError(c.SendAnswer(ctx, m))
}
