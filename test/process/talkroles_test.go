package process

import (
	"context"
	"errors"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// talkHearer hears everything. args[0] is how many messages it has room for.
func talkHearer(p *part) {
	k := p.open()
	_, err := k.Queue().SetLimit(context.Background(), uint32(p.number(0)))
	p.must(err)
	p.must(k.Bind(context.Background(), talkAll, kbus.Listener))
	p.play(k, func(p *player) {
		for p.receive(p.talking) != nil {
		}
	})
}

// talkReplier replies to what is asked as talkAsk and args[0]. It holds args[1] Requests back until it has read more.
func talkReplier(p *part) {
	k := p.open()
	p.must(k.Bind(context.Background(), talkAsk+p.args[0], kbus.Replier))
	hold := p.number(1)
	p.play(k, func(p *player) {
		var owed []*kbus.Message
		for m := p.receive(p.talking); m != nil; m = p.receive(p.talking) {
			if owed = append(owed, m); len(owed) > hold {
				p.reply(owed[0])
				owed = owed[1:]
			}
		}
	})
}

func (p *player) reply(request *kbus.Message) {
	reply, err := request.Reply(nil)
	p.must(err)
	if request.ID.Serial%4 == 0 {
		reply.Flags |= message.AllOrWait // for its Listeners (Q6)
	}
	sent, err := p.k.Send(context.Background(), reply)
	switch {
	case errors.Is(err, kbus.ErrAddresseeGone):
		p.seen.TooLate++
	case p.sent(sent, err):
		p.seen.Replied++
	}
}
