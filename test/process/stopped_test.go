package process

import (
	"errors"
	"testing"

	"kbus.example/kbus"
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
	f := &flooded{T: t, d: startDaemon(t), ctx: patient(t)}
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
	_, err := f.sender.Send(f.ctx, f.message(kbus.AllOrFail))
	if !errors.Is(err, kbus.ErrListenerFull) {
		t.Errorf("all or fail: %v", err)
	}
	sent, err := f.sender.Send(f.ctx, f.message(kbus.AllOrWait))
	if err != nil || !sent.Pending {
		t.Errorf("all or wait: %v", err)
	}

	f.all(f.stopped, (*actor).resume)
	must(t, f.sender.WaitSent(f.ctx))
	f.finish(stoppedEnd)
	got := 0
	f.all(f.stopped, func(a *actor) { got += hear[int](a) })
	if want := (many + 1) * floodConnections; got+skipped != want {
		t.Errorf("of %d copies %d came, and the sender was told of %d that did not", want, got, skipped)
	}

	f.all(f.stopped, (*actor).stop)
	f.send(few, 2*floodConnections)
	f.all(f.stopped, (*actor).kill)
	eventually(t, o, func(i kbus.BusInfo) bool { return i.Ksocks == floodConnections+2 })
	if skipped := f.send(few, floodConnections); skipped > 0 {
		t.Errorf("%d copies skipped, and nobody is slow", skipped)
	}
	f.heardAll(1 + 2*few)
	publish(t, "memory of the daemon with 100 stopped readers", "%v", full)
}
