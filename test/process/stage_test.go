package process

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/bus/model"
)

// stage is a bus with the cast of a conversation. The test itself is in the audience: it hears everything, and so knows
// how far the conversation has come.
type stage struct {
	*testing.T
	d *daemon

	hearers, repliers, askers []*actor

	listener *kbus.Ksock // ours
	random   *rand.Rand
	point    int // of this scene: how many messages are heard before the kill
	tally    tally
}

func newStage(t *testing.T, seed uint64, rings bool) *stage {
	t.Helper()
	s := &stage{T: t, d: startDaemon(t), random: rand.New(rand.NewPCG(*seedFlag, seed))}
	s.d.rings = rings
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("-process.seed=%d, scene %d, in which somebody was to be killed after %d messages",
				*seedFlag, s.tally.scenes, s.point)
		}
	})
	s.listen()
	s.hearers = []*actor{s.d.cast("talkHearer", 4), s.d.cast("talkHearer", 100)}
	s.repliers = []*actor{s.d.cast("talkReplier", 1, 0), s.d.cast("talkReplier", "*", 0)}
	for range talkAskers {
		s.askers = append(s.askers, s.d.cast("talkAsker", s.random.Uint32()))
	}
	for _, a := range s.all() {
		hear[ready](a)
	}
	return s
}

// all are in the order in which they enter: nobody asks before there is somebody to reply.
func (s *stage) all() []*actor { return slices.Concat(s.hearers, s.repliers, s.askers) }

func (s *stage) listen() {
	s.Helper()
	s.listener = s.d.open(kbus.ReadAhead(64))
	_, err := s.listener.Queue().SetLimit(s.Context(), 1<<20)
	must(s, err)
	must(s, s.listener.Bind(s.Context(), talkAll, kbus.Listener))
}

// scene plays one, in which kill kills somebody at some point, and checks what all who are left have seen.
func (s *stage) scene(kill func(), guests ...*actor) (all []seen) {
	s.Helper()
	cast := slices.Concat(guests, s.all())
	for _, a := range cast {
		a.cue("go")
		hear[ready](a)
	}
	ctx := patient(s)
	us := model.Client{ID: s.listener.ID()}
	for s.point = s.random.IntN(150); len(us.Got) < s.point; {
		m, err := s.listener.Receive(ctx)
		must(s, err)
		us.Got = append(us.Got, model.Receipt{Message: *m})
	}
	at := time.Now()
	kill()
	for _, a := range slices.Backward(cast) { // those who ask end first, while the others still reply
		if !a.over {
			a.cue("stop")
			all = append(all, hear[seen](a))
		}
	}
	m, err := s.listener.Next(ctx)
	for ; m != nil; m, err = s.listener.Next(ctx) {
		us.Got = append(us.Got, model.Receipt{Message: *m})
	}
	if !errors.Is(err, kbus.ErrBusGone) { // which it is when the daemon was killed
		must(s, err)
	}
	history := []model.Client{us}
	for i := range all {
		history = append(history, all[i].Client)
	}
	violations := model.Check(history)
	if len(violations) > 0 {
		s.Fatalf("%d violations, the first of which is\n%s", len(violations), violations[0])
	}
	s.tally.add(all, at)
	return all
}

// quiet checks that nothing is left of a scene in the bus, but for those who play on.
func (s *stage) quiet(o *kbus.Observer, before kbus.BusInfo) {
	s.Helper()
	now, err := o.Info(s.Context())
	must(s, err)
	before.NextKsock, before.NextSerial = now.NextKsock, now.NextSerial
	if now != before {
		s.Fatalf("something is left:\n%+v, and before it was\n%+v", now, before)
	}
}

// replied checks that whoever read Requests replied to all of them, and that nobody has lost the bus.
func (s *stage) replied(all []seen) {
	s.Helper()
	for _, a := range all {
		if a.Lost || a.Replied+a.TooLate != a.Requests {
			s.Fatalf("Ksock %d read %d Requests, made %d+%d Replies; lost the bus: %v",
				a.ID, a.Requests, a.Replied, a.TooLate, a.Lost)
		}
	}
}
