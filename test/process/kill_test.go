package process

import (
	"path"
	"syscall"
	"testing"
	"time"

	"kbus.example/kbus"
)

// Somebody is killed in the middle of a conversation, by kill -9, at many points of it. Whoever had asked gets exactly
// one Reply or Status for each Request (R5.1), nobody sees anything twice, and all see one order (R4.36).
//
// A point is a number of messages that have been heard in the scene; what the victim is doing at that moment is
// anybody's guess, so that every run tries others. Everything else follows from -process.seed.

// All this must be so whether clients talk to the daemon through the socket or through shared memory.
func onBoth(t *testing.T, test func(t *testing.T, rings bool)) {
	t.Run("sockets", func(t *testing.T) { test(t, false) })
	t.Run("rings", func(t *testing.T) { test(t, true) })
}

func TestReplierKilled(t *testing.T) { onBoth(t, replierKilled) }

func replierKilled(t *testing.T, rings bool) {
	s := newStage(t, 1, rings)
	o := s.d.observe()
	before, err := o.Info(s.Context())
	must(t, err)
	for range *pointsFlag {
		victim := s.d.cast("talkReplier", 0, talkHold)
		hear[ready](victim)
		s.replied(s.scene(victim.kill, victim))
		s.quiet(o, before)
	}
	if s.tally.statuses[string(kbus.ErrGoneAway)] == 0 || s.tally.statuses[string(kbus.ErrIgnored)] == 0 {
		t.Error("not all Statuses have been seen:", &s.tally)
	}
	publish(t, "kill -9 of a Replier, "+path.Base(t.Name()),
		"%v; from the kill to each Status: %v", &s.tally, s.tally.told)
}

// A sender has asked, and dies: who owes it a Reply learns when it replies, and who listens for replier bind events
// learns at once.
func TestSenderKilled(t *testing.T) { onBoth(t, senderKilled) }

func senderKilled(t *testing.T, rings bool) {
	s := newStage(t, 2, rings)
	watch := s.d.open()
	must(t, watch.Bind(s.Context(), kbus.NameReplierBindEvent, kbus.Listener))
	_, err := watch.Settings().SetReportReplierBinds(s.Context(), true)
	must(t, err)
	m, err := watch.Next(s.Context())
	for ; m != nil; m, err = watch.Next(s.Context()) { // of what was bound before
	}
	must(t, err)
	o := s.d.observe()
	before, err := o.Info(s.Context())
	must(t, err)
	var told durations
	for range *pointsFlag {
		victim := s.d.cast("talkAsker", s.random.Uint32(), "$.Victim")
		id := hear[ready](victim).Ksock
		s.replied(s.scene(func() {
			at := time.Now()
			victim.signal(syscall.SIGKILL)
			for e := (kbus.BindEvent{Bind: true}); e.Bind; { // that it was bound, and that it is no more
				m, err := watch.Receive(patient(t))
				must(t, err)
				if e, _ = kbus.ParseBindEvent(m.Data); uint32(e.Binder) != id {
					t.Fatalf("Ksock %d was killed, and the event is %+v", id, e)
				}
			}
			told = append(told, time.Since(at))
			victim.kill()
		}, victim))
		s.quiet(o, before)
	}
	if s.tally.tooLate == 0 || len(s.tally.statuses) > 0 {
		t.Error("no Reply was too late, or somebody else was told a Status:", &s.tally)
	}
	publish(t, "kill -9 of a sender, "+path.Base(t.Name()),
		"%v, and %d more for the dead; from the kill to the bind event: %v",
		&s.tally, s.tally.tooLate, told)
}

// When the daemon dies, the library of each client tells it (ErrBusGoneAway). Then all reopen, and are bound as before.
func TestDaemonKilled(t *testing.T) { onBoth(t, daemonKilled) }

func daemonKilled(t *testing.T, rings bool) {
	s := newStage(t, 3, rings)
	holder := s.d.cast("talkReplier", 0, talkHold)
	hear[ready](holder)
	s.repliers = append(s.repliers, holder)
	for range *pointsFlag {
		for _, seen := range s.scene(s.d.kill) {
			if !seen.Lost {
				t.Fatalf("Ksock %d has not noticed", seen.ID)
			}
		}
		s.d = startDaemonIn(t, s.d.dir)
		s.d.rings = rings
		s.listen()
	}
	if s.tally.statuses[string(kbus.ErrBusGoneAway)] == 0 {
		t.Error("nobody was told:", &s.tally)
	}
	publish(t, "kill -9 of the daemon, "+path.Base(t.Name()),
		"%v (%d of them to a Call); from the kill to each Status: %v",
		&s.tally, s.tally.nameless, s.tally.told)
}
