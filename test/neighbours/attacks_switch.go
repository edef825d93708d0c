package main

import (
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Attacks by what concerns the bus as a whole.

var switchAttacks = []attack{
	{name: "a maximum message size of 100 bytes", do: func(a *attacker) {
		condition, _ := a.open().do(wire.OpMaxMessageSize, 100, nil)
		a.ready("%s", named(condition))
	}},
	{name: "every switch of the bus", do: func(a *attacker) {
		c := a.open()
		verbose, _ := c.do(wire.OpVerbose, 1, nil)
		binds, _ := c.do(wire.OpReportReplierBinds, 1, nil)
		a.ready("verbose: %s; bind events: %s", named(verbose), named(binds))
		for {
			c.do(wire.OpVerbose, 0, nil)
			c.do(wire.OpReportReplierBinds, 0, nil)
			c.do(wire.OpReportReplierBinds, 1, nil)
		}
	}},
	{name: "as many buses as there may be", do: func(a *attacker) {
		made, last := a.open().many(300, wire.OpNewBus, 0, nil)
		a.ready("%d made, then %s", made, named(last))
	}},
	{name: "what only Limpets may do", do: func(a *attacker) {
		c := a.open()
		carry, _ := c.do(wire.OpCarry, 7, nil)
		federate, _ := c.do(wire.OpFederate, 1, nil)
		proxy, _ := c.do(wire.OpBindProxy, 0, wire.AppendProxy(nil, wire.Proxy{Name: "$.P"}))
		evict := message.OK
		for id := range uint32(8) {
			evict, _ = c.do(wire.OpEvict, id, []byte(askName))
		}
		a.ready("carry %s, federate %s, proxy %s, evict %s", named(carry), named(federate), named(proxy), named(evict))
	}},
	{name: "a report of replier binds to a queue that is full", do: func(a *attacker) {
		c := a.open()
		c.unlimited()
		bound := 0
		for i := range 5000 {
			if c.bind("$.R"+string(rune('A'+i%26))+string(rune('A'+i/26%26))+string(rune('A'+i/676)), true) != message.OK {
				break
			}
			bound++
		}
		a.ready("%d Repliers, reported again and again", bound)
		for {
			c.do(wire.OpReportReplierBinds, 1, nil)
		}
	}},
}
