package process

import (
	"context"
	"encoding/binary"
	"fmt"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A reader is a process with many connections, each of which hears a flood. The messages of the flood are numbered; a
// connection misses some when its queue is full, but must not hear any twice, or out of order.

const (
	floodName = "$.Flood"
	// floodAhead is how many messages a greedy reader asks for at once: more bytes than a socket holds.
	floodAhead = 1000
)

// reader has args[0] connections. So many as args[1] says are greedy: they ask for far more messages than they have
// read. args[2] is the queue limit of each, and args[3] a name: when a message of that name has come to all, the reader
// says how many of the flood they have heard since the last time.
func reader(p *part) {
	counts := make(chan int)
	for i := range p.number(0) {
		f := &flood{part: p, last: -1, end: p.args[3], counts: counts}
		if i < p.number(1) {
			f.greedy()
		} else {
			f.modest(i%2 == 0)
		}
	}
	for p.say(ready{}); ; {
		sum := 0
		for range p.number(0) {
			sum += <-counts
		}
		p.say(sum)
	}
}

// flood is what one connection hears.
type flood struct {
	*part
	last, count int64
	end         string
	counts      chan<- int
}

func (f *flood) hear(name string, data []byte) {
	switch name {
	case floodName:
		n := int64(binary.LittleEndian.Uint32(data))
		if n <= f.last {
			f.fail("heard", n, "after", f.last)
		}
		f.last = n
		f.count++
	case f.end:
		f.counts <- int(f.count)
		f.count = 0
	}
}

// modest reads with the library, one message at a time.
func (f *flood) modest(rings bool) {
	k := f.open(kbus.Rings(rings))
	_, err := k.Queue().SetLimit(context.Background(), uint32(f.number(2)))
	f.must(err)
	f.must(k.Bind(context.Background(), floodName, kbus.Listener))
	f.must(k.Bind(context.Background(), f.end, kbus.Listener))
	go func() {
		var m kbus.Message
		for {
			f.must(k.ReceiveInto(context.Background(), &m))
			f.hear(m.Name, m.Data)
		}
	}()
}

// greedy reads with the bare protocol.
func (f *flood) greedy() {
	r, err := openRaw(kbus.RuntimeDir())
	f.must(err)
	_, _, err = r.ask(wire.OpMaxMessages, uint32(f.number(2)), nil)
	f.must(err)
	for _, name := range []string{floodName, f.end} {
		_, _, err = r.ask(wire.OpBind, 0, []byte(name))
		f.must(err)
	}
	for range floodAhead {
		r.put(wire.OpNextWait, 1, nil)
	}
	f.must(r.flush())
	go func() {
		for {
			h, payload, err := r.next()
			f.must(err)
			var header message.Header
			name, data, rest, ok := wire.ParseMessage(payload, &header)
			if h.Condition != message.OK || !ok || len(rest) > 0 {
				f.fail(fmt.Sprint(h))
			}
			f.hear(string(name), data)
			r.put(wire.OpNextWait, 1, nil)
			f.must(r.flush())
		}
	}()
}
