package process

import (
	"context"
	"errors"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/bus/model"
)

// The cast of a conversation in which somebody is killed: askers keep several Requests open, repliers answer them,
// hearers hear it all. They play scene after scene. A scene ends with a cue, or with the bus; then each tells what it
// has seen.

const (
	talkSay = "$.Talk.Say"
	talkAsk = "$.Talk.Ask." // and the number of a replier, or a wildcard for all who are not there
	talkAll = "$.Talk.*"

	talkRepliers = 3
	talkAskers   = 3

	// talkHold is how many Requests a victim holds back, so that there are always some that it owes an answer to. If all
	// askers waited for one of these, nobody would ever speak again.
	talkHold = talkAskers - 1
)

// seen is what an actor tells of a scene.
type seen struct {
	model.Client
	Statuses []status // in the order in which they came; those of Calls too
	Nameless int      // Statuses that do not say for which Request: of Calls that were under way when the bus was lost
	Requests int      // read, to be replied to
	Replied  int      // Replies that were accepted
	TooLate  int      // Replies to one who was gone
	Lost     bool     // the bus
}

// status is when a Status came, in nanoseconds since 1970: the clock of all processes.
type status struct {
	Name string
	At   int64
}

// player is an actor in a scene.
type player struct {
	*part
	k       *kbus.Ksock
	talking context.Context // ends with the cue that ends the scene
	mute    bool            // the bus takes no more; there may still be something to receive
	seen    seen
}

// play plays scenes.
func (p *part) play(k *kbus.Ksock, scene func(*player)) {
	for p.say(ready{uint32(k.ID())}); ; {
		p.await()
		_, err := k.Reopen(context.Background()) // which does nothing if the bus is still there
		p.must(err)
		pl := &player{part: p, k: k, talking: p.scene()}
		pl.seen.ID = k.ID()
		p.say(ready{uint32(k.ID())})
		scene(pl)
		<-pl.talking.Done()
		p.say(pl.seen)
	}
}

// note remembers a message.
func (p *player) note(m *kbus.Message, picked bool) {
	if err := kbus.StatusOf(m); err != nil {
		p.seen.Statuses = append(p.seen.Statuses, status{m.Name, time.Now().UnixNano()})
		if errors.Is(err, kbus.ErrBusGoneAway) {
			// The library made it, and it has no id; but two of them must not look like one.
			m.ID = kbus.ID{Network: 1<<31 | uint32(p.k.ID()), Serial: uint32(len(p.seen.Statuses))}
		}
	}
	if m.WantsUsToReply() {
		p.seen.Requests++
	}
	p.seen.Got = append(p.seen.Got, model.Receipt{Message: *m, Picked: picked})
}

// receive waits for a message while the scene lasts, and then gives what is left. It gives nil when there is no more.
func (p *player) receive(ctx context.Context) *kbus.Message {
	m, err := p.k.Receive(ctx)
	if errors.Is(err, kbus.ErrCanceled) {
		m, err = p.k.Next(context.Background()) // what came after all
	}
	if errors.Is(err, kbus.ErrBusGone) {
		p.mute, p.seen.Lost = true, true
		return nil
	}
	p.must(err)
	if m != nil {
		p.note(m, false)
	}
	return m
}

// sent deals with what came of a send, and reports whether the message was accepted.
func (p *player) sent(sent kbus.Sent, err error) (accepted bool) {
	switch {
	case sent.Pending:
		if err := p.k.WaitSent(context.Background()); !errors.Is(err, kbus.ErrBusGone) {
			p.must(err)
		}
		return true
	case errors.Is(err, kbus.ErrBusGone):
		p.mute = true
		return false
	}
	p.must(err)
	return true
}
