package process

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kbus"
	"kbus/internal/bus/model"
)

// stage is a bus with the cast of a conversation. The test itself is in the audience: it hears everything, and so knows
// how far the conversation has come.
type stage struct {
	*testing.T
	d *daemon

	hearers, repliers, askers []*actor

	ear    *kbus.Ksock // ours
	random *rand.Rand
	tally  tally
}

func newStage(t *testing.T, seed uint64) *stage {
	t.Helper()
	t.Logf("-process.seed=%d", *seedFlag)
	s := &stage{T: t, d: startDaemon(t), random: rand.New(rand.NewPCG(*seedFlag, seed))}
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
	s.ear = s.d.open(kbus.ReadAhead(64))
	_, err := s.ear.SetMaxMessages(1 << 20)
	must(s, err)
	must(s, s.ear.Bind(talkAll, kbus.Listener))
}

// scene plays one, in which kill kills somebody at some point, and checks what all who are left have seen.
func (s *stage) scene(kill func(), guests ...*actor) (all []seen) {
	s.Helper()
	cast := slices.Concat(guests, s.all())
	for _, a := range cast {
		a.cue("go")
		hear[ready](a)
	}
	us := model.Client{ID: s.ear.ID()}
	for point := s.random.IntN(150); len(us.Got) < point; {
		m, err := s.ear.Receive(s.Context())
		must(s, err)
		us.Got = append(us.Got, model.Receipt{Message: *m})
	}
	point, at := len(us.Got), time.Now()
	kill()
	for _, a := range slices.Backward(cast) { // those who ask end first, while the others still reply
		if !a.over {
			a.cue("stop")
			all = append(all, hear[seen](a))
		}
	}
	for m, _ := s.ear.Next(); m != nil; m, _ = s.ear.Next() {
		us.Got = append(us.Got, model.Receipt{Message: *m})
	}
	history := []model.Client{us}
	for i := range all {
		history = append(history, all[i].Client)
	}
	violations := model.Check(history)
	if len(violations) > 0 {
		s.Fatalf("scene %d, killed after %d messages: %d violations, the first of which is\n%s", s.tally.scenes, point,
			len(violations), violations[0])
	}
	s.tally.add(all, at)
	return all
}

// quiet checks that nothing is left of a scene in the bus, but for those who play on.
func (s *stage) quiet(o *kbus.Observer, before kbus.BusInfo) {
	s.Helper()
	now, err := o.Info()
	must(s, err)
	before.NextKsock, before.NextSerial = now.NextKsock, now.NextSerial
	if now != before {
		s.Fatalf("scene %d left something behind:\n%+v, and before it was\n%+v", s.tally.scenes, now, before)
	}
}

// tally is the figures of all scenes.
type tally struct {
	scenes, asked, replies, tooLate, nameless int

	statuses map[string]int
	told     durations
}

func (t *tally) add(all []seen, killed time.Time) {
	t.scenes++
	if t.statuses == nil {
		t.statuses = map[string]int{}
	}
	for _, s := range all {
		t.asked += len(s.Asked)
		t.tooLate += s.TooLate
		t.nameless += s.Nameless
		for _, m := range s.Got {
			if m.Kind() == kbus.ReplyKind && m.To == s.ID {
				t.replies++
			}
		}
		for _, status := range s.Statuses {
			t.statuses[status.Name]++
			t.told = append(t.told, time.Unix(0, status.At).Sub(killed))
		}
	}
}

func (t *tally) String() string {
	text := fmt.Sprintf("%d times: %d Requests = %d Replies", t.scenes, t.asked, t.replies)
	for _, name := range slices.Sorted(maps.Keys(t.statuses)) {
		text += fmt.Sprintf(" + %d %s", t.statuses[name], name)
	}
	return text
}
