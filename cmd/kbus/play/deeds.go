package play

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/kbus/errno"
)

// What an actor can do, each thing in a line or a few: this is what KBUS looks like in Go.

func (a *actor) say(format string, args ...any) { a.out(utterance{Says: fmt.Sprintf(format, args...)}) }

func (a *actor) perform(ctx context.Context, c cue) (err error) {
	switch c.Do {
	case openBus:
		if a.ksock, err = kbus.Open(ctx, kbus.BusNumber(a.bus), kbus.Dir(a.dir)); err == nil {
			a.say("%v", a.ksock)
		}
	case closeBus:
		if err = a.ksock.Close(); err == nil {
			a.say("%v", a.ksock)
		}
	case bindListener:
		err = a.ksock.Bind(ctx, c.Name, kbus.Listener)
	case bindReplier:
		err = a.ksock.Bind(ctx, c.Name, kbus.Replier)
	case unbind:
		err = a.ksock.Unbind(ctx, c.Name, kbus.Listener)
	case announce:
		a.draft = kbus.Announcement(c.Name, c.Data)
		err = a.send(ctx)
	case request:
		a.draft = kbus.Request(c.Name, c.Data)
		err = a.send(ctx)
	case stateful:
		a.draft, err = a.answer.StatefulRequest(c.Name, []byte(c.Data))
		a.show(err)
	case reply:
		a.draft, err = a.asked.Reply([]byte(c.Data))
		a.show(err)
	case countHeads:
		a.heads++
		a.say("A head - amazing")
		a.draft, err = a.asked.Reply([]byte(fmt.Sprintf("Head count is %d", a.heads)))
	case sendIt:
		err = a.send(ctx)
	case sendInVain:
		err = a.sendInVain(ctx)
	case read:
		err = a.read()
	case receive:
		err = a.receive(ctx)
	case wantsUs:
		a.say("it wants us to reply: %v", a.last.WantsUsToReply())
	case say:
		a.say("%s", c.Data)
	default:
		err = fmt.Errorf("does not know how to %q", c.Do)
	}
	return err
}

func (a *actor) show(err error) {
	if err == nil {
		a.say("%v", a.draft)
	}
}

func (a *actor) send(ctx context.Context) error {
	sent, err := a.ksock.Send(ctx, a.draft)
	if err == nil {
		a.say("sent as %d:%d, reached %s", sent.ID.Network, sent.ID.Serial, nobodyOr(sent.Reached))
	}
	return err
}

func nobodyOr(n uint32) string {
	if n == 0 {
		return "nobody"
	}
	return fmt.Sprint(n)
}

// sendInVain prints why the message could not be sent, and what the errno of that means.
func (a *actor) sendInVain(ctx context.Context) error {
	_, err := a.ksock.Send(ctx, a.draft)
	if err == nil {
		return errors.New("could send what should have failed")
	}
	a.say("%v", err)
	var c kbus.Condition
	if !errors.As(err, &c) {
		return err
	}
	for line := range strings.Lines(errno.Explain(fmt.Sprint(int(c.Errno())))) {
		if line = strings.TrimRight(line, "\n"); line != "" {
			a.say("%s", line)
		}
	}
	if !errors.Is(err, syscall.EPIPE) {
		return err
	}
	return nil
}

func (a *actor) read() error {
	m, err := a.ksock.Next(context.Background())
	if err != nil {
		return err
	}
	if m == nil {
		a.say("no message left")
		return nil
	}
	a.take(m)
	return nil
}

func (a *actor) receive(ctx context.Context) error {
	m, err := a.ksock.Receive(ctx)
	if err == nil {
		a.take(m)
	}
	return err
}

// take keeps what may be needed for an answer, and prints it.
func (a *actor) take(m *kbus.Message) {
	a.last = m
	switch {
	case m.IsReply():
		a.answer = m
	case m.WantsUsToReply():
		a.asked = m
	}
	a.say("%v", m)
}

// hearAll prints messages as they come, until the actor closes its Ksock or has no more cues.
func (a *actor) hearAll(ctx context.Context) {
	for {
		m, err := a.ksock.Receive(ctx)
		if errors.Is(err, kbus.ErrCanceled) || errors.Is(err, kbus.ErrClosed) {
			return
		}
		if err != nil {
			a.out(utterance{Failed: err.Error()})
			return
		}
		a.say("%v", m)
	}
}
