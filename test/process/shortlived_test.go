package process

import (
	"context"
	"fmt"
	"os"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/wire"
)

// shortLived are args[0] short lives. All but a tenth of them end by themselves; the others are left for a kill.
func shortLived(p *part) {
	lives := p.number(0)
	for i := range lives {
		name := fmt.Sprintf("$.Mayfly.P%d.N%d", os.Getpid(), i)
		end := p.live(i, name)
		if i < lives-lives/10 {
			end()
		}
	}
	p.say(ready{})
}

// live begins a life of one of several ways. It gives what ends it.
func (p *part) live(way int, name string) (end func()) {
	if way%3 == 0 {
		return p.liveInOrder(way, name)
	}
	r, err := openRaw(kbus.RuntimeDir())
	p.must(err)
	for role, name := range []string{0: "$.Mayfly.*", 1: name} {
		_, _, err := r.ask(wire.OpBind, uint32(role), []byte(name))
		p.must(err)
	}
	r.putMessage(wire.OpCall, kbus.Request(name, "asked, and never answered"))
	r.put(wire.OpNextWait, 1, nil)
	if way%3 == 1 { // cut off with requests that wait and results that nobody reads
		p.must(r.flush())
		return func() { p.must(r.Close()) }
	}
	// Cut off within a frame, anywhere.
	whole := len(r.out)
	r.putMessage(wire.OpSendMessage, kbus.Announcement(name, make([]byte, 10_000)))
	r.out = r.out[:whole+1+(way*997)%(len(r.out)-whole-1)]
	p.must(r.flush())
	return func() { p.must(r.Close()) }
}

// liveInOrder closes in the end, but leaves much undone: messages unread, a Request unanswered, a message that waits
// for room.
func (p *part) liveInOrder(way int, name string) (end func()) {
	ctx := context.Background()
	k := p.open(kbus.Rings(way%2 == 0))
	_, err := k.Queue().SetLimit(ctx, 4)
	p.must(err)
	p.must(k.Bind(ctx, name, kbus.Replier))
	p.must(k.Bind(ctx, name, kbus.Listener))
	_, err = k.Send(ctx, kbus.Request(name, "to ourselves"))
	p.must(err)
	for sent := (kbus.Sent{}); !sent.Pending; {
		m := kbus.Announcement(name, make([]byte, 1000))
		m.Flags = kbus.AllOrWait
		sent, err = k.Send(ctx, m)
		p.must(err)
	}
	return func() { p.must(k.Close()) }
}
