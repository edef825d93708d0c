package main

import (
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Attacks by what is dear to do.

// queued makes a Ksock with so many empty messages in its queue, as far as it is let, half through each of two names.
func (a *attacker) queued(messages int) (c *raw, good int) {
	c = a.open()
	c.unlimited()
	c.bind("$.Q1", false)
	c.bind("$.Q2", false)
	sender := a.open()
	for range 10 {
		n, _ := sender.many(messages/20, wire.OpSendMessage, 0, announce("$.Q1", 0))
		m, _ := sender.many(messages/20, wire.OpSendMessage, 0, announce("$.Q2", 0))
		good += n + m
	}
	return c, good
}

var workAttacks = []attack{
	{name: "an Unbind with a long queue, again and again", do: func(a *attacker) {
		c, good := a.queued(100_000)
		a.ready("%d queued", good)
		sender := a.held[1]
		for {
			c.do(wire.OpUnbind, 0, []byte("$.Q1"))
			c.bind("$.Q1", false)
			sender.many(20_000, wire.OpSendMessage, 0, announce("$.Q1", 0))
		}
	}},
	{name: "a death with a long queue", dies: true, do: func(a *attacker) {
		_, good := a.queued(100_000)
		a.ready("%d queued", good)
	}},
	{name: "a death with many Requests unread", dies: true, do: func(a *attacker) {
		r := a.open()
		r.unlimited()
		r.bind("$.Hole", true)
		asked := 0
		for _, c := range a.crowd(20) {
			c.unlimited()
			n, _ := c.many(5000, wire.OpSendMessage, 0, ask("$.Hole"))
			asked += n
		}
		a.ready("%d unread", asked)
	}},
	{name: "an Unbind with 400 000 queued, again and again", queueMiB: 80, do: func(a *attacker) {
		c, good := a.queued(400_000)
		a.ready("%d queued", good)
		for {
			c.do(wire.OpUnbind, 0, []byte("$.Q1"))
			c.bind("$.Q1", false)
			a.held[1].many(200_000, wire.OpSendMessage, 0, announce("$.Q1", 0))
		}
	}},
	{name: "a death with 400 000 queued, the last a Request", dies: true, queueMiB: 80, do: func(a *attacker) {
		c, good := a.queued(400_000)
		c.bind("$.Hole", true)
		c.do(wire.OpUnbind, 0, []byte("$.Q1")) // for room
		a.held[1].do(wire.OpSendMessage, 0, ask("$.Hole"))
		a.ready("%d queued", good)
	}},
	{name: "who comes and goes beside 400 000 queued", queueMiB: 80, do: func(a *attacker) {
		_, good := a.queued(400_000)
		a.ready("%d queued", good)
		for {
			if c := open(0); c != nil {
				c.Close()
			}
		}
	}},
	{name: "reports, as fast as they come", do: func(a *attacker) {
		a.ready("each is made")
		crowd := a.crowd(8)
		for {
			for _, c := range crowd {
				c.many(50, wire.OpStatsReport, 0, nil)
				c.many(50, wire.OpBindingsReport, 0, nil)
				c.many(50, wire.OpList, 0, nil)
			}
		}
	}},
	{name: "reports that nobody reads", do: func(a *attacker) {
		left := 0
		for _, c := range a.crowd(90) {
			for range 20 {
				var b []byte
				for range 100 {
					b = c.append(b, wire.OpStatsReport, 0, nil)
				}
				if !c.write(b) {
					break
				}
				left += 100
			}
		}
		a.ready("%d asked for", left)
	}},
	{name: "reports of the dead", dies: true, do: func(a *attacker) {
		left := 0
		for _, c := range a.crowd(90) {
			var b []byte
			for range 2000 {
				b = c.append(b, wire.OpStatsReport, 0, nil)
			}
			c.write(b)
			left += 2000
		}
		a.ready("%d asked for", left)
	}},
	{name: "a flood of announcements to nobody", do: func(a *attacker) {
		a.ready("as fast as the socket takes them")
		flood(a, announce("$.Nobody", 32))
	}},
	{name: "a flood of large announcements to a Listener that reads", do: func(a *attacker) {
		c := a.open()
		c.bind("$.Large", false)
		a.ready("64 KiB each")
		for {
			a.held[0].do(wire.OpSendMessage, 0, announce("$.Large", 64<<10))
			c.do(wire.OpNext, 10, nil)
		}
	}},
	{name: "a flood to ninety Listeners", do: func(a *attacker) {
		for _, c := range a.crowd(90) {
			c.bind("$.Fan", false)
		}
		a.ready("whose queues are soon full")
		flood(a, announce("$.Fan", 1000))
	}},
	{name: "a flood of refused Requests", do: func(a *attacker) {
		a.ready("for names that nobody answers")
		flood(a, ask("$.Nobody"))
	}},
	{name: "a flood of long names", do: func(a *attacker) {
		long := "$"
		for len(long) < message.MaxNameBytes-1 {
			long += ".a"
		}
		for _, c := range a.crowd(10) {
			for range 10 {
				c.bind(long[:1+2*(len(a.held)+100)]+".*", false)
			}
		}
		a.ready("of 500 words each")
		flood(a, announce(long, 0))
	}},
	{name: "waiting requests of each kind, and cancels", do: func(a *attacker) {
		c := a.open()
		var b []byte
		for range 4200 {
			b = c.append(b, wire.OpNextWait, 1, nil)
			b = c.append(b, wire.OpWaitReadable, 0, nil)
		}
		c.write(b)
		a.ready("4096 of each wait; more are refused")
		for seq := uint32(1); ; seq++ {
			if !c.put(wire.OpCancel, seq%8400, nil) {
				c = open(0)
				continue
			}
			if !c.put(wire.OpNextWait, 1, nil) {
				c = open(0)
			}
		}
	}},
}

// flood sends without end, and reads the results as they come.
func flood(a *attacker, payload []byte) {
	c := a.open()
	for {
		if _, last := c.many(1000, wire.OpSendMessage, 0, payload); last == message.ErrBusGone {
			c = a.open()
		}
	}
}
