package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Attacks by what there is to names beside Requests and Announcements: services that are started when asked for, cards,
// standbys, taps; and by what an upgrade has to carry over.

// serviceFiles are services that never are the Replier: one takes for ever, the other ends at once.
var serviceFiles = map[string]string{
	"never.toml":  "name = '" + neverName + "'\nexec = ['/bin/sleep', '1000']\ndeadline = '1h'\n",
	"broken.toml": "names = ['" + brokenName + "', '$.Broken.Too']\nexec = ['/bin/false']\n",
}

const (
	neverName  = "$.Never"
	brokenName = "$.Broken"
)

var nameAttacks = []attack{
	{name: "Requests for a service that does not come", services: true, do: func(a *attacker) {
		held, last := 0, message.OK
		for _, c := range a.crowd(90) {
			n, refused := c.many(200, wire.OpSendMessage, 0, ask(neverName))
			if held += n; refused != message.OK {
				last = refused
			}
		}
		a.ready("%d held of 100 that may be, %s", held, named(last))
		flood(a, ask(neverName))
	}},
	{name: "Requests for a service that is broken, without end", services: true, do: func(a *attacker) {
		a.ready("it is not started more often than it may fail")
		flood(a, ask(brokenName))
	}},
	{name: "Requests held for a service by who has gone", services: true, do: func(a *attacker) {
		a.ready("and who comes again")
		for {
			if c := open(0); c != nil {
				c.many(20, wire.OpSendMessage, 0, ask(neverName))
				c.Close()
			}
		}
	}},
	{name: "wildcards that take what is held, again and again", services: true, do: func(a *attacker) {
		c, s := a.open(), a.open()
		a.ready("and leave it")
		for {
			s.many(50, wire.OpSendMessage, 0, ask(neverName))
			c.bind("$.*", true)
			c.do(wire.OpUnbind, 1, []byte("$.*"))
		}
	}},
	{name: "cards as long as they may be", do: func(a *attacker) {
		c, good, last := a.open(), 0, message.OK
		for i := range 1000 {
			name := fmt.Sprintf("$.Card.N%d", i)
			c.bind(name, true)
			if got := c.describe(name, longCard('x')); got == message.OK {
				good++
			} else {
				last = got
			}
		}
		a.ready("%d kept, %s", good, named(last))
		for i := 0; ; i++ {
			c.describe("$.Card.N0", longCard("xy"[i%2]))
		}
	}},
	{name: "cards that are none", do: func(a *attacker) {
		c := a.open()
		c.bind("$.Card", true)
		deep := bytes.Repeat([]byte{'['}, message.MaxCardBytes-20)
		wrong := [][]byte{deep, append([]byte(`{"schema": `), deep...), bytes.Repeat([]byte{0xFF}, message.MaxCardBytes), manyKeys(), make([]byte, 2*message.MaxCardBytes)}
		refused := message.OK
		for _, card := range wrong {
			refused = c.describe("$.Card", card)
		}
		a.ready("the last: %s", named(refused))
		for i := 0; ; i++ {
			if c.describe("$.Card", wrong[i%len(wrong)]) == message.ErrBusGone {
				c = a.open()
				c.bind("$.Card", true)
			}
		}
	}},
	{name: "standing by for the service, by the hundred", do: func(a *attacker) {
		standing := 0
		crowd := a.crowd(90)
		for _, c := range crowd {
			if condition, _ := c.do(wire.OpBind, wire.AsStandby, []byte(askName)); condition == message.OK {
				standing++
			}
		}
		a.ready("%d stand by, and come and go", standing)
		for {
			for _, c := range crowd {
				c.do(wire.OpUnbind, 1, []byte(askName))
				c.do(wire.OpBind, wire.AsStandby, []byte(askName))
			}
		}
	}},
	{name: "taps of who may not tap", do: func(a *attacker) {
		c := observer()
		condition, _ := c.do(wire.OpTap, 0, wire.AppendTapFilter(nil, wire.TapFilter{}))
		a.ready("%s", named(condition))
		for {
			c.do(wire.OpTap, 0, wire.AppendTapFilter(nil, wire.TapFilter{}))
		}
	}},
	{name: "reports of services and cards, as fast as they come", services: true, do: func(a *attacker) {
		a.ready("each is made")
		crowd := a.crowd(8)
		for {
			for _, c := range crowd {
				c.many(50, wire.OpServices, 0, nil)
				c.many(50, wire.OpCard, 0, []byte(askName))
			}
		}
	}},
	{name: "a death with as many Repliers as very many listen to", connections: 600, do: func(a *attacker) {
		crowd := a.crowd(501)
		listening := 0
		for _, c := range crowd[1:] {
			for range 16 {
				if c.bind(message.NameReplierBindEvent, false) == message.OK {
					listening++
				}
			}
		}
		dying, bound := crowd[0], 0
		for i := range 8000 {
			if dying.bind(fmt.Sprintf("$.D.N%d", i), true) == message.OK {
				bound++
			}
		}
		crowd[1].do(wire.OpReportReplierBinds, 1, nil)
		a.ready("%d names, %d who listen", bound, listening)
		dying.Close()
	}},
	{name: "bindings of the longest names, and reports of them", do: func(a *attacker) {
		bound := 0
		long := "$.L" + strings.Repeat("x", message.MaxNameBytes-10)
		for _, c := range a.crowd(16) {
			for i := range 1000 {
				if c.bind(fmt.Sprintf("%s%d", long, i), false) == message.OK {
					bound++
				}
			}
		}
		a.ready("%d", bound)
		for {
			c := open(0)
			for c != nil && c.put(wire.OpBindingsReport, 0, nil) {
				if _, _, ok := c.next(); !ok {
					c.Close()
					break
				}
			}
		}
	}},
	{name: "an upgrade beside full queues and half a frame", upgrades: 3, do: func(a *attacker) {
		_, queued := a.queued(100_000)
		crowd := a.crowd(50)
		for _, c := range crowd {
			b := c.append(nil, wire.OpSendMessage, 0, announce("$.Half", 60_000))
			c.write(b[:30_000])
		}
		a.ready("%d queued", queued)
		flood(a, announce("$.Nobody", 32))
	}},
	{name: "upgrades beside one who scribbles, and connects without end", upgrades: 10, do: func(a *attacker) {
		a.ready("all over its segments")
		for n := 0; ; n++ {
			c := open(ringFeatures)
			if c == nil || len(c.fds) < 2 {
				continue
			}
			r := &rings{raw: c, segment: mapped(c)}
			for range 5 {
				a.scribbleOn(r)
			}
			a.scribble(r)
		}
	}},
	{name: "upgrades beside reports, half-written messages and what is thrown away", upgrades: 5, do: func(a *attacker) {
		crowd := a.crowd(20)
		for _, c := range crowd {
			c.bind("$.Q1", false)
			c.unlimited()
			c.do(wire.OpWrite, 0, make([]byte, 100))
		}
		a.ready("without end")
		for i := 0; ; i++ {
			c := crowd[i%len(crowd)]
			c.put(wire.OpBindingsReport, 0, nil)
			c.put(wire.OpStatsReport, 0, nil)
			crowd[0].many(200, wire.OpSendMessage, 0, announce("$.Q1", 100))
			c.put(wire.OpUnbind, 0, []byte("$.Q1"))
			c.put(wire.OpBind, 0, []byte("$.Q1"))
			if !c.write(c.append(nil, wire.OpSendMessage, 0, announce("$.Q1", 1000))[:500]) || i >= len(crowd) {
				c.Close()
				if next := open(0); next != nil {
					next.bind("$.Q1", false)
					crowd[i%len(crowd)] = next
				}
			}
		}
	}},
}

// scribbleOn writes nonsense into the words of a segment.
func (a *attacker) scribbleOn(r *rings) {
	var b [9]byte
	rand.Read(b[:])
	copy(r.segment[64+64*(int(b[8])%14):], b[:8])
	r.ring()
}

// describe attaches a card to a name.
func (c *raw) describe(name string, card []byte) message.Condition {
	condition, _ := c.do(wire.OpDescribe, uint32(len(name)), append([]byte(name), card...))
	return condition
}

// longCard is as long as a card may be.
func longCard(with byte) []byte {
	const before, after = `{"description": "`, `"}`
	card := append([]byte(before), bytes.Repeat([]byte{with}, message.MaxCardBytes-len(before)-len(after))...)
	return append(card, after...)
}

// manyKeys is a card of very many keys, of which none is known.
func manyKeys() []byte {
	card := []byte("{")
	for i := 0; len(card) < message.MaxCardBytes-20; i++ {
		card = fmt.Appendf(card, `"k%d":0,`, i)
	}
	return append(card, `"k":0}`...)
}
