package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Attacks by what the bus remembers of a client, by windows, and by the stranger operations.

// windowed opens Ksocks of the library, with rings and windows, that listen to a name and never read.
func windowed(most int, name string) (all []*kbus.Ksock) {
	for len(all) < most {
		k, err := kbus.Open(context.Background(), 0)
		if err != nil {
			break
		}
		k.Queue().SetLimit(context.Background(), 1<<32-1)
		if k.Bind(context.Background(), name, kbus.Listener) != nil {
			break
		}
		all = append(all, k)
	}
	return all
}

func frozen(a *attacker, format string, args ...any) {
	a.ready(format, args...)
	freeze()
}

var moreAttacks = []attack{
	{name: "Listeners to everything with windows, whose user is full", do: func(a *attacker) {
		crowd := windowed(80, "$.*")
		s := a.open()
		good, last := s.many(3000, wire.OpSendMessage, 0, announce("$.Flood", 20_000))
		a.ready("%d Ksocks; %d sent, %s", len(crowd), good, named(last))
	}},
	{name: "urgent messages to a window", do: func(a *attacker) {
		windowed(1, "$.Urgent")
		a.ready("which is taken back for each")
		flood(a, say("$.Urgent", 10, message.Urgent))
	}},
	{name: "bindings taken back under a window", do: func(a *attacker) {
		k := windowed(1, "$.W1")[0]
		k.Bind(context.Background(), "$.W2", kbus.Listener)
		s := a.open()
		a.ready("again and again")
		for {
			s.many(100, wire.OpSendMessage, 0, announce("$.W1", 10))
			s.many(100, wire.OpSendMessage, 0, announce("$.W2", 10))
			k.Unbind(context.Background(), "$.W1", kbus.Listener)
			k.Bind(context.Background(), "$.W1", kbus.Listener)
		}
	}},
	{name: "urgent messages without end to a long queue", do: func(a *attacker) {
		a.queued(50_000)
		a.ready("they go to the front")
		flood(a, say("$.Q1", 0, message.Urgent))
	}},
	{name: "answers given up by the ten thousand", do: func(a *attacker) {
		r := a.open()
		r.unlimited()
		r.bind("$.Hole", true)
		c, gave := a.open(), 0
		c.unlimited()
		for range 300 {
			var b []byte
			var seqs []uint32
			for range 100 {
				b = c.append(b, wire.OpCall, 0, ask("$.Hole"))
				seqs = append(seqs, c.seq)
			}
			for _, seq := range seqs {
				b = c.append(b, wire.OpGiveUp, seq, nil)
			}
			if !c.write(b) {
				break
			}
			for range seqs {
				for {
					h, _, ok := c.next()
					if !ok || h.Op == wire.OpGiveUp {
						gave += int(h.Arg)
						break
					}
				}
			}
		}
		a.ready("%d", gave)
		for {
			c.do(wire.OpMissed, 0, nil)
		}
	}},
	{name: "who sent this, and what did I miss, without end", do: func(a *attacker) {
		c := a.open()
		a.ready("of all there are and were")
		for id := uint32(0); ; id++ {
			c.many(100, wire.OpPeer, id%2000, nil)
			c.many(100, wire.OpMissed, 0, nil)
		}
	}},
	{name: "messages of very many who have left", do: func(a *attacker) {
		l := a.open()
		l.unlimited()
		l.bind("$.Gone", false)
		left := 0
		leave := func() {
			if c := open(0); c != nil {
				c.do(wire.OpSendMessage, 0, announce("$.Gone", 0))
				c.Close()
				left++
			}
		}
		for range 3000 {
			leave()
		}
		a.ready("%d who must be remembered, and more", left)
		for {
			leave()
		}
	}},
	{name: "a death with as many bindings as there may be", dies: true, do: func(a *attacker) {
		bound := 0
		for _, c := range a.crowd(16) {
			for i := range 1000 {
				if c.bind(fmt.Sprintf("$.B%d.N%d", c.id, i), i%2 == 0) == message.OK {
					bound++
				}
			}
		}
		a.open().do(wire.OpReportReplierBinds, 1, nil)
		a.ready("%d, half of them Repliers', with bind events", bound)
	}},
	{name: "as many connections as a user may have by default, all busy", connections: 1024, do: func(a *attacker) {
		crowd := a.crowd(1024)
		var b []byte
		for _, c := range crowd {
			b = b[:0]
			for range 200 {
				b = c.append(b, wire.OpSendMessage, 0, announce("$.Nobody", 0))
			}
			c.write(b)
		}
		a.ready("%d", len(crowd))
		for { // nobody reads the results but to make room for more
			for _, c := range crowd {
				syscall.Read(fdOf(c), make([]byte, 64<<10))
				c.write(b)
			}
		}
	}},
	{name: "as many messages that wait as there may be connections", connections: 1024, do: func(a *attacker) {
		full := a.open()
		full.bind("$.Full", false)
		full.many(100, wire.OpSendMessage, 0, announce("$.Full", 0))
		waiting := 0
		for _, c := range a.crowd(1000) {
			if condition, _ := c.do(wire.OpSendMessage, 0, say("$.Full", 100, message.AllOrWait)); condition == message.ErrPending {
				waiting++
			}
		}
		a.ready("%d wait", waiting)
		for {
			full.bind("$.Full", true)
			full.do(wire.OpUnbind, 1, []byte("$.Full"))
		}
	}},
	{name: "halves of Hellos", do: func(a *attacker) {
		hello := wire.AppendFrame(nil, wire.Header{Op: wire.OpHello, Seq: 1}, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
		n := 0
		for range 200 {
			if c, err := dial(); err == nil && c.write(hello[:len(hello)/2]) {
				a.held = append(a.held, c)
				n++
			}
		}
		a.ready("%d tried", n)
	}},
	{name: "messages read byte by byte, and never to the end", do: func(a *attacker) {
		for _, c := range a.crowd(90) {
			c.bind("$.Slow", false)
		}
		a.held[0].do(wire.OpSendMessage, 0, announce("$.Slow", 300_000))
		for _, c := range a.held {
			c.do(wire.OpNextMsg, 0, nil)
		}
		a.ready("%d of 300 000 bytes", len(a.held))
		for {
			for _, c := range a.held {
				c.do(wire.OpRead, 1, nil)
			}
		}
	}},
	{name: "observers that look at everything", do: func(a *attacker) {
		var crowd []*raw
		for range 100 {
			if c := observer(); c != nil {
				crowd = append(crowd, c)
			}
		}
		a.ready("%d", len(crowd))
		for {
			for _, c := range crowd {
				c.many(10, wire.OpList, 0, nil)
				c.many(10, wire.OpInfo, 0, nil)
				c.many(10, wire.OpWho, 0, []byte(newsName))
			}
		}
	}},
	{name: "an original Listener to bind events that stands still", do: func(a *attacker) {
		c := open(wire.FeatureOriginal)
		if c == nil {
			fail("no original Ksock")
		}
		c.bind("$.*", false)
		c.do(wire.OpReportReplierBinds, 1, nil)
		c.many(200, wire.OpSendMessage, 0, announce("$.Tick", 0))
		condition := a.open().bind("$.Other", true)
		frozen(a, "somebody else's Bind: %s", named(condition))
	}},
	{name: "stopped in the middle of a frame", do: func(a *attacker) {
		c := a.open()
		b := c.append(nil, wire.OpSendMessage, 0, announce("$.Half", 300_000))
		c.write(b[:150_000])
		frozen(a, "half of it is there")
	}},
	{name: "stopped in the middle of a Call, as Replier and as caller", do: func(a *attacker) {
		r := a.open()
		r.bind("$.Still", true)
		c := a.open()
		c.put(wire.OpCall, 0, ask("$.Still"))
		r.do(wire.OpNext, 1, nil)
		frozen(a, "neither goes on")
	}},
	{name: "the device, by a program that stands still", device: true, do: func(a *attacker) {
		f, err := os.OpenFile(filepath.Join(os.Getenv("KBUS_DIR"), "bus0", "kbus0"), os.O_RDWR, 0)
		check(err)
		_, err = f.Write(entire("$.Half", 1000)[:40])
		check(err)
		frozen(a, "half a message is written")
	}},
	{name: "the device, by a program that writes without end", device: true, do: func(a *attacker) {
		f, err := os.OpenFile(filepath.Join(os.Getenv("KBUS_DIR"), "bus0", "kbus0"), os.O_RDWR, 0)
		check(err)
		a.ready("nonsense")
		for b := make([]byte, 4096); ; b[0]++ {
			f.Write(b)
		}
	}},
	{name: "three users who keep all that they get", users: 3, do: func(a *attacker) {
		for _, c := range a.crowd(20) {
			c.unlimited()
			c.bind("$.*", false)
		}
		good, last := a.open().many(2000, wire.OpSendMessage, 0, announce("$.Flood", 20_000))
		a.ready("%d sent, %s", good, named(last))
	}},
	{name: "three users who flood", users: 3, do: func(a *attacker) {
		a.ready("each as fast as it can")
		flood(a, announce("$.Nobody", 32))
	}},
	{name: "three users who ask each other and give up", users: 3, do: func(a *attacker) {
		name := fmt.Sprintf("$.User%d", os.Getuid())
		k, err := kbus.Open(context.Background(), 0)
		check(err)
		k.Bind(context.Background(), name, kbus.Replier)
		a.ready("each other")
		for i := 0; ; i++ {
			ctx, done := context.WithCancel(context.Background())
			done()
			k.Call(ctx, kbus.Request(fmt.Sprintf("$.User%d", attackerUID-i%3), ""))
			k.Next(ctx)
		}
	}},
}

// observer is a connection that has said Hello and is no Ksock.
func observer() *raw {
	c, err := dial()
	if err != nil {
		return nil
	}
	c.put(wire.OpHello, 0, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
	if h, _, ok := c.next(); !ok || h.Condition != message.OK {
		c.Close()
		return nil
	}
	return c
}

func fdOf(c *raw) (fd int) {
	r, err := c.SyscallConn()
	check(err)
	check(r.Control(func(f uintptr) { fd = int(f) }))
	return fd
}

// entire is the beginning of a message in the entire form of the original.
func entire(name string, data int) []byte {
	b := make([]byte, 80+len(name)+data)
	binary.NativeEndian.PutUint32(b, 0x7375624B)
	return b
}
