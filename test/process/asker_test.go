package process

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"

	"kbus.example/kbus"
)

// talkWindow is how many Requests an asker keeps open.
const talkWindow = 6

// talker is an asker in a scene.
type talker struct {
	*player
	random  *rand.Rand
	open    map[kbus.ID]bool // Requests without an answer
	earlier *kbus.Message    // a Reply, to be stateful about
}

// talkAsker talks, in an order that follows from the seed args[0]. If there is an args[1] it is a name to bind to, as
// Replier: whoever listens for replier bind events then hears of its end.
func talkAsker(p *part) {
	k := p.open()
	if len(p.args) > 1 {
		p.must(k.Bind(context.Background(), p.args[1], kbus.Replier))
	}
	random := rand.New(rand.NewPCG(uint64(p.number(0)), 0))
	p.play(k, func(p *player) {
		t := &talker{player: p, random: random, open: map[kbus.ID]bool{}}
		for p.talking.Err() == nil && !p.mute {
			t.talk()
			t.receiveUntil(talkWindow)
		}
		t.receiveUntil(0)
		over, end := context.WithCancel(context.Background())
		end()
		for p.receive(over) != nil { // nothing more may come, and what does is seen
		}
	})
}

// receiveUntil receives until no more than so many Requests are open.
func (t *talker) receiveUntil(most int) {
	for len(t.open) > most && !t.seen.Lost {
		if m := t.receive(context.Background()); m != nil {
			t.answered(m)
		}
	}
}

func (t *talker) answered(m *kbus.Message) {
	delete(t.open, m.InReplyTo)
	if m.Kind() == kbus.ReplyKind {
		t.earlier = m
	}
}

// talk says one thing.
func (t *talker) talk() {
	name := talkAsk + strconv.Itoa(t.random.IntN(talkRepliers))
	request := kbus.Request(name, "")
	switch t.random.IntN(8) {
	case 0:
		t.send(kbus.Announcement(talkSay, ""))
	case 1:
		t.call(request)
	case 2:
		t.send(request)
		t.pick()
	case 3:
		if t.earlier != nil {
			stateful, err := t.earlier.StatefulRequest(t.earlier.Name, nil)
			t.must(err)
			t.send(stateful)
		}
	case 4:
		request.Flags |= kbus.AllOrWait
		t.send(request)
	case 5:
		request.Flags |= kbus.AllOrFail
		t.send(request)
	default:
		t.send(request)
	}
}

func (t *talker) send(m *kbus.Message) {
	s, err := t.k.Send(context.Background(), m)
	switch {
	case errors.Is(err, kbus.ErrListenerFull) && m.Flags.Has(kbus.AllOrFail),
		errors.Is(err, kbus.ErrOtherReplier) && m.IsStatefulRequest():
		return
	}
	if t.sent(s, err) && m.IsRequest() {
		t.open[s.ID] = true
		t.seen.Asked = append(t.seen.Asked, s.ID)
	}
}

func (t *talker) call(request *kbus.Message) {
	m, err := t.k.Call(context.Background(), request)
	m = t.statusOr(m, err)
	if m == nil {
		return
	}
	if m.InReplyTo.IsZero() {
		t.seen.Nameless++
		return
	}
	t.seen.Asked = append(t.seen.Asked, m.InReplyTo)
	t.note(m, true)
	t.answered(m)
}

// pick waits for the answer to the newest of the open Requests, and so takes it before its turn.
func (t *talker) pick() {
	for _, id := range slices.Backward(t.seen.Asked) {
		if !t.open[id] {
			continue
		}
		m, err := t.k.NextReply(context.Background(), id)
		if m = t.statusOr(m, err); m != nil {
			t.note(m, true)
			t.answered(m)
		}
		return
	}
}

// statusOr gives a message that came as one, or as an error; nil when the bus is gone and there is none.
func (t *talker) statusOr(m *kbus.Message, err error) *kbus.Message {
	var status *kbus.StatusError
	switch {
	case errors.As(err, &status):
		return status.Status
	case errors.Is(err, kbus.ErrBusGone):
		t.mute = true
		return nil
	}
	t.must(err)
	return m
}
