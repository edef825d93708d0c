package process

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"strconv"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

const (
	orderSay = "$.Order.Say"
	orderAsk = "$.Order.Ask."
	orderEnd = "$.Order.End"

	orderStride = 64      // messages of a sender, the last two of which are a Request and its Reply
	orderQueue  = 1 << 20 // messages; with these strides no queue comes near
)

// orderSent is what a sender says in the end. Messages counts Requests and Replies too.
type orderSent struct{ Messages, Requests int }

// orderHeard is what a listener says in the end, the same for all of them.
type orderHeard struct {
	Messages, Replies int
	Sum               uint64
}

// sender number args[0] sends args[2] messages. At the end of each stride it asks one of args[1] listeners, and waits
// for the Reply. A stride is written at once: nobody could send faster.
func sender(p *part) {
	number, listeners, share := p.number(0), p.number(1), p.number(2)
	r, err := openRaw(kbus.RuntimeDir())
	p.must(err)
	p.say(ready{r.ksock})
	p.await()
	var sent orderSent
	stamp := binary.LittleEndian.AppendUint32(nil, uint32(number))
	count := uint32(0)
	put := func(op wire.Op, m *kbus.Message) {
		m.Data = binary.LittleEndian.AppendUint32(stamp, count)
		count++
		r.putMessage(op, m)
	}
	for rest := share; rest > 0; rest = share - sent.Messages {
		stride := min(rest, orderStride)
		asks := rest > orderStride
		says := stride - 1
		if asks {
			says--
		}
		for range says {
			put(wire.OpSendMessage, kbus.Announcement(orderSay, ""))
		}
		if asks {
			put(wire.OpCall, kbus.Request(orderAsk+strconv.Itoa((number+sent.Requests)%listeners), ""))
			sent.Requests++
		} else {
			put(wire.OpSendMessage, kbus.Announcement(orderEnd, ""))
		}
		p.must(r.flush())
		for range says + 1 {
			h, payload, err := r.next()
			p.must(err)
			result, isSent := wire.ParseSent(payload)
			if h.Condition != message.OK || isSent && result.Skipped > 0 {
				p.fail(h.Op, h.Condition, result)
			}
		}
		sent.Messages += stride
	}
	p.say(sent)
}

// listener number args[0] hears everything until args[1] senders have ended, and replies to what it is asked.
func listener(p *part) {
	number, senders := p.number(0), p.number(1)
	ctx := context.Background()
	k := p.open(kbus.ReadAhead(512), kbus.Rings(number%2 == 0))
	_, err := k.Queue().SetLimit(ctx, orderQueue)
	p.must(err)
	p.must(k.Bind(ctx, "$.Order.*", kbus.Listener))
	p.must(k.Bind(ctx, orderAsk+strconv.Itoa(number), kbus.Replier))
	p.say(ready{uint32(k.ID())})

	var heard orderHeard
	var last kbus.ID
	next := make([]uint32, senders)
	sum := fnv.New64a()
	var name, bytes []byte
	var m kbus.Message
	for ended := 0; ended < senders; {
		p.must(k.ReceiveInto(ctx, &m))
		if m.WantsUsToReply() { // what we hear as everybody does comes next
			reply, err := m.Reply(m.Data)
			p.must(err)
			sent, err := k.Send(ctx, reply)
			p.must(err)
			if sent.Skipped > 0 {
				p.fail("Reply", sent)
			}
			continue
		}
		if m.ID.Network != 0 || last.Serial != 0 && m.ID.Serial != last.Serial+1 {
			p.fail("heard", m.ID, "after", last)
		}
		last = m.ID
		heard.Messages++
		from, n := binary.LittleEndian.Uint32(m.Data), binary.LittleEndian.Uint32(m.Data[4:])
		switch {
		case m.IsReply():
			heard.Replies++
		case n != next[from]:
			p.fail("heard", n, "of sender", from, "instead of", next[from])
		default:
			next[from]++
		}
		if m.Name == orderEnd {
			ended++
		}
		name = append(name[:0], m.Name...)
		bytes = wire.AppendMessage(bytes[:0], &m.Header, name, m.Data)
		sum.Write(bytes)
	}
	heard.Sum = sum.Sum64()
	p.say(heard)
}
