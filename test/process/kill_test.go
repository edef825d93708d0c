package process

import (
	"syscall"
	"testing"
	"time"

	"kbus"
)

// Somebody is killed in the middle of a conversation, by kill -9, at many points of it. Whoever had asked gets exactly
// one Reply or Status for each Request (R5.1), nobody sees anything twice, and all see one order (R4.36).
//
// A point is a number of messages that have been heard in the scene; what the victim is doing at that moment is
// anybody's guess, so that every run tries others. Everything else follows from -process.seed.

func TestReplierKilled(t *testing.T) {
	s := newStage(t, 1)
	o := s.d.observe()
	before, err := o.Info()
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
	publish(t, "kill -9 of a Replier", "%v; from the kill to each Status: %v", &s.tally, s.tally.told)
}

// Nobody asks for the death of a sender: who owes it a Reply learns when it replies, the others from the bind event.
func TestSenderKilled(t *testing.T) {
	s := newStage(t, 2)
	watch := s.d.open()
	must(t, watch.Bind(kbus.NameReplierBindEvent, kbus.Listener))
	_, err := watch.SetReportReplierBinds(true)
	must(t, err)
	o := s.d.observe()
	for m, _ := watch.Next(); m != nil; m, _ = watch.Next() { // of what was bound before
	}
	before, err := o.Info()
	must(t, err)
	var told durations
	for range *pointsFlag {
		victim := s.d.cast("talkAsker", s.random.Uint32(), "$.Victim")
		id := hear[ready](victim).Ksock
		s.replied(s.scene(func() {
			at := time.Now()
			victim.signal(syscall.SIGKILL)
			for e := (kbus.BindEvent{Bind: true}); e.Bind; {
				m, err := watch.Receive(t.Context())
				must(t, err)
				e, _ = kbus.ParseBindEvent(m.Data)
				if e.Binder != id {
					t.Errorf("Ksock %d was killed, and the event is %+v", id, e)
				}
			}
			told = append(told, time.Since(at))
			victim.kill()
		}, victim))
		s.quiet(o, before)
	}
	if s.tally.tooLate == 0 || len(s.tally.statuses) > 0 {
		t.Error("nobody was asked at the moment, or told a Status:", &s.tally, s.tally.tooLate)
	}
	publish(t, "kill -9 of a sender", "%v, and %d Replies were too late; from the kill to the bind event: %v",
		&s.tally, s.tally.tooLate, told)
}

// When the daemon dies, the library of each client tells (ErrBusGoneAway). Then all reopen, and bind as before.
func TestDaemonKilled(t *testing.T) {
	s := newStage(t, 3)
	s.repliers = append(s.repliers, s.d.cast("talkReplier", 0, talkHold))
	hear[ready](s.repliers[2])
	for range *pointsFlag {
		for _, seen := range s.scene(s.d.kill) {
			if !seen.Lost {
				t.Errorf("Ksock %d has not noticed", seen.ID)
			}
		}
		s.d = startDaemonIn(t, s.d.dir)
		s.listen()
	}
	if s.tally.statuses[string(kbus.ErrBusGoneAway)] == 0 {
		t.Error("nobody was told:", &s.tally)
	}
	publish(t, "kill -9 of the daemon", "%v (%d of them to a Call); from the kill to each Status: %v",
		&s.tally, s.tally.nameless, s.tally.told)
}

// replied checks that whoever read Requests replied to all of them, and that nobody has lost the bus.
func (s *stage) replied(all []seen) {
	s.Helper()
	for _, a := range all {
		if a.Lost || a.Replied+a.TooLate != a.Requests {
			s.Errorf("Ksock %d read %d Requests, made %d+%d Replies; lost the bus: %v",
				a.ID, a.Requests, a.Replied, a.TooLate, a.Lost)
		}
	}
}
