package process

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"kbus"
)

const (
	floodBytes = 4096
	livelyEnd  = "$.End.Lively"
	stoppedEnd = "$.End.Stopped"

	floodProcesses   = 10  // of each kind
	floodConnections = 100 // of each kind
)

// Half of 200 connections belong to processes that stand still (SIGSTOP), while much is sent to all. The others get
// everything, in order, and are not kept waiting; those who stand still lose only their own messages, and the sender is
// told how many; and the daemon holds no more for them than their queues and sockets.
func TestStoppedReaders(t *testing.T) {
	const each = floodConnections / floodProcesses
	const many, few = 1000, 100
	f := &flooded{T: t, d: startDaemon(t)}
	f.sender = f.d.open()
	o := f.d.observe()
	for range floodProcesses {
		f.lively = append(f.lively, f.d.cast("reader", each, 0, 1<<20, livelyEnd))
		f.stopped = append(f.stopped, f.d.cast("reader", each, each/2, 100, stoppedEnd))
	}
	f.all(f.lively, func(a *actor) { hear[ready](a) })
	f.all(f.stopped, func(a *actor) { hear[ready](a); a.stop() })
	f.serve()

	skipped := f.send(many, 2*floodConnections)
	f.heardAll(many)
	// If it kept everything for those who stand still, it would keep 400 MiB.
	full := f.d.memory()
	if full.Own > 48*mib {
		t.Errorf("with stopped readers: %v", full)
	}
	// Who wants everybody to hear is told that they cannot, or waits for them, and nobody else does.
	_, err := f.sender.Send(t.Context(), f.message(kbus.AllOrFail))
	if !errors.Is(err, kbus.ErrListenerFull) {
		t.Errorf("all or fail: %v", err)
	}
	_, err = f.sender.Send(t.Context(), f.message(kbus.AllOrWait))
	if !errors.Is(err, kbus.ErrPending) {
		t.Errorf("all or wait: %v", err)
	}

	f.all(f.stopped, (*actor).resume)
	must(t, f.sender.WaitSent(t.Context()))
	f.finish(stoppedEnd)
	got := 0
	f.all(f.stopped, func(a *actor) { got += hear[int](a) })
	if want := (many + 1) * floodConnections; got+skipped != want {
		t.Errorf("of %d copies %d came, and the sender was told of %d that did not", want, got, skipped)
	}

	f.all(f.stopped, (*actor).stop)
	f.send(few, 2*floodConnections)
	f.all(f.stopped, (*actor).kill)
	settled(t, o, func(i kbus.BusInfo) bool { return i.Ksocks == floodConnections+2 })
	if skipped := f.send(few, floodConnections); skipped > 0 {
		t.Errorf("%d copies skipped, and nobody is slow", skipped)
	}
	f.heardAll(1 + 2*few)
	publish(t, "memory of the daemon with 100 stopped readers", "%v", full)
}

// flooded is a bus with those who hear the flood.
type flooded struct {
	*testing.T
	d               *daemon
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
		sent, err := f.sender.Send(f.Context(), f.message(0))
		must(f, err)
		if int(sent.Reached+sent.Skipped) != listeners {
			f.Fatalf("%d listeners, and %+v", listeners, sent)
		}
		skipped += int(sent.Skipped)
		if i%50 == 0 {
			_, err := f.sender.Call(f.Context(), kbus.Request("$.Echo", "do you hear me?"))
			must(f, err)
		}
	}
	return skipped
}

// serve replies to what send asks.
func (f *flooded) serve() {
	k := f.d.open()
	must(f, k.Bind("$.Echo", kbus.Replier))
	go k.Serve(context.Background(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return kbus.ReplyTo(m, m.Data)
	})
}

// finish sends the message that ends a round.
func (f *flooded) finish(name string) {
	f.Helper()
	m := kbus.Announcement(name, "")
	m.Flags = kbus.AllOrWait
	if _, err := f.sender.Send(f.Context(), m); err != nil && !errors.Is(err, kbus.ErrPending) {
		f.Fatal(err)
	}
	must(f, f.sender.WaitSent(f.Context()))
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
