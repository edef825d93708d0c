package process

import (
	"context"
	"encoding/binary"
	"testing"

	"kbus.example/kbus"
)

// flooded is a bus with those who hear the flood.
type flooded struct {
	*testing.T
	d               *daemon
	ctx             context.Context
	sender          *kbus.Ksock
	lively, stopped []*actor
	number          uint32
}

func (f *flooded) all(cast []*actor, do func(*actor)) {
	for _, a := range cast {
		do(a)
	}
}

// message makes the next message of the flood.
func (f *flooded) message(flags kbus.Flags) *kbus.Message {
	m := kbus.Announcement(floodName, make([]byte, floodBytes))
	m.Flags = flags
	binary.LittleEndian.PutUint32(m.Data, f.number)
	f.number++
	return m
}

// send sends to so many listeners, and gives how many copies were skipped. Now and then it asks something.
func (f *flooded) send(messages, listeners int) (skipped int) {
	f.Helper()
	for i := range messages {
		sent, err := f.sender.Send(f.ctx, f.message(0))
		must(f, err)
		if int(sent.Reached+sent.Skipped) != listeners {
			f.Fatalf("%d listeners, and %+v", listeners, sent)
		}
		skipped += int(sent.Skipped)
		if i%50 == 0 {
			_, err := f.sender.Call(f.ctx, kbus.Request("$.Echo", "do you hear me?"))
			must(f, err)
		}
	}
	return skipped
}

// serve replies to what send asks.
func (f *flooded) serve() {
	k := f.d.open()
	must(f, k.Bind(f.Context(), "$.Echo", kbus.Replier))
	go k.Serve(context.Background(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return m.Reply(m.Data)
	})
}

// finish sends the message that ends a round.
func (f *flooded) finish(name string) {
	f.Helper()
	m := kbus.Announcement(name, "")
	m.Flags = kbus.AllOrWait
	if _, err := f.sender.Send(f.ctx, m); err != nil {
		f.Fatal(err)
	}
	must(f, f.sender.WaitSent(f.ctx))
}

// heardAll checks that every lively connection has heard so many messages.
func (f *flooded) heardAll(messages int) {
	f.Helper()
	f.finish(livelyEnd)
	f.all(f.lively, func(a *actor) {
		if n := hear[int](a); n != messages*floodConnections/floodProcesses {
			f.Errorf("%s heard %d of %d messages", a.name, n, messages*floodConnections/floodProcesses)
		}
	})
}
