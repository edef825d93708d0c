package main

import (
	"fmt"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Attacks by what is kept in queues, and by who does not read.

var queueAttacks = []attack{
	{name: "a Listener to everything that never reads", do: func(a *attacker) {
		c := a.open()
		c.bind("$.*", false)
		a.ready("it misses what does not fit its queue")
	}},
	{name: "a Listener without a limit that never reads, and a sender", do: func(a *attacker) {
		c := a.open()
		c.unlimited()
		c.bind("$.*", false)
		good, last := a.open().many(2000, wire.OpSendMessage, 0, announce("$.Flood", 20_000))
		a.ready("%d sent, %s", good, named(last))
	}},
	{name: "ninety Listeners to everything that never read", do: func(a *attacker) {
		for _, c := range a.crowd(90) {
			c.unlimited()
			c.bind("$.*", false)
		}
		a.ready("%d Ksocks", len(a.held))
	}},
	{name: "a stopped Listener with its queue full, and bind events", do: func(a *attacker) {
		c := a.open()
		c.bind("$.*", false)
		condition, _ := c.do(wire.OpReportReplierBinds, 1, nil)
		c.many(200, wire.OpSendMessage, 0, announce("$.Tick", 0))
		a.ready("reports of binds: %s", named(condition))
		freeze()
	}},
	{name: "binding one name over and over, and empty messages", do: func(a *attacker) {
		c := a.open()
		c.unlimited()
		bound, last := c.many(20_000, wire.OpBind, 0, []byte("$.Q"))
		good, full := a.open().many(2000, wire.OpSendMessage, 0, announce("$.Q", 0))
		a.ready("%d bindings, %s; %d sent, %s", bound, named(last), good, named(full))
	}},
	{name: "as many wildcard bindings as there may be", do: func(a *attacker) {
		bound, last := 0, message.OK
		for _, c := range a.crowd(90) {
			for i := range 300 {
				if last = c.bind(fmt.Sprintf("$.W%d.*", i%16), false); last != message.OK {
					break
				}
				bound++
			}
			c.bind("$.Healthy.*", false)
		}
		a.ready("%d bindings, %s", bound, named(last))
	}},
	{name: "many bindings to the names of the pair", do: func(a *attacker) {
		bound := 0
		for _, c := range a.crowd(90) {
			for range 16 {
				if c.bind(newsName, false) == message.OK {
					bound++
				}
			}
		}
		a.ready("%d Listeners to the pair's announcements", bound)
	}},
	{name: "Requests that nobody answers", do: func(a *attacker) {
		r := a.open()
		r.unlimited()
		r.bind("$.Hole", true)
		asked, last := 0, message.OK
		for _, c := range a.crowd(20) {
			c.unlimited()
			n := 0
			n, last = c.many(5000, wire.OpSendMessage, 0, ask("$.Hole"))
			asked += n
		}
		a.ready("%d open, %s", asked, named(last))
	}},
	{name: "messages that wait for room, of many", do: func(a *attacker) {
		full := a.open()
		full.bind("$.Full", false)
		full.many(100, wire.OpSendMessage, 0, announce("$.Full", 0))
		waiting, last := 0, message.OK
		for _, c := range a.crowd(90) {
			condition, _ := c.do(wire.OpSendMessage, 0, say("$.Full", 100_000, message.AllOrWait))
			if condition == message.ErrPending {
				waiting++
			} else {
				last = condition
			}
		}
		a.ready("%d wait, %s", waiting, named(last))
		for { // and something happens that they might wait for
			full.bind("$.Other", false)
			full.do(wire.OpUnbind, 0, []byte("$.Other"))
		}
	}},
	{name: "Replies to Requests of the pair", do: func(a *attacker) {
		c := a.open()
		c.bind(askName, false)
		a.ready("each is refused")
		for serial := uint32(1); ; serial++ {
			for to := range uint32(4) {
				h := message.Header{To: message.KsockID(to), InReplyTo: message.ID{Serial: serial}}
				c.do(wire.OpSendMessage, 0, wire.AppendMessage(nil, &h, []byte(askName), []byte("forged")))
			}
		}
	}},
	{name: "taking the name of the service", do: func(a *attacker) {
		c := a.open()
		a.ready("%s; a wildcard wins nothing from it: %s", named(c.bind(askName, true)), named(c.bind("$.Healthy.*", true)))
		for {
			c.bind(askName, true)
		}
	}},
	{name: "binding and unbinding as Replier without end", do: func(a *attacker) {
		c := a.open()
		c.do(wire.OpReportReplierBinds, 1, nil)
		a.ready("bind events for everybody who wants them")
		for {
			c.bind("$.Flicker", true)
			c.do(wire.OpUnbind, 1, []byte("$.Flicker"))
		}
	}},
}
