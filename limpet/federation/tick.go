package federation

import (
	"time"

	"kbus/limpet/federation/routing"
)

const (
	tickEvery   = 200 * time.Millisecond
	answerTicks = 3  // ticks between two looks at Replies that nobody has acknowledged
	countTicks  = 5  // ticks without an announcement until the count is told
	auditTicks  = 25 // ticks between two looks at what may have gone wrong unseen
)

// tick does what is due every now and then.
func (s *session) tick() error {
	beat := time.NewTicker(tickEvery)
	defer beat.Stop()
	for n := 1; ; n++ {
		select {
		case <-s.ctx.Done():
			return nil
		case <-beat.C:
		}
		var out routing.Out
		s.mu.Lock()
		s.asker.Tick(now(), &out)
		if n%answerTicks == 0 {
			s.answerer.Tick(&out)
		}
		s.mu.Unlock()
		s.owe(&out)
		if n%countTicks == 0 {
			s.tellCount()
		}
		if n%auditTicks == 0 {
			if err := s.checkUp(); err != nil {
				return err
			}
		}
		if err := s.tellLosses(); err != nil {
			return err
		}
		if err := s.retry(); err != nil {
			return err
		}
	}
}

// checkUp looks after what others may have changed behind our back: claims of ours that we do not hold, and the report
// of bind events, which anybody may turn off for the whole bus.
func (s *session) checkUp() error {
	claims := s.atlas.claims(s.ID)
	s.mu.Lock()
	for name, c := range claims {
		if s.held[name] == nil {
			s.put(job{what: (*session).stray, name: name, revision: c.Revision})
		}
	}
	for name, h := range s.held {
		if h.revision == 0 && h.awaited == 0 { // kept without a claim, while there was no quorum
			s.put(job{what: (*session).bound, name: name, ksock: h.ksock, of: h.of})
		}
	}
	s.mu.Unlock()
	s.proxies.mu.Lock()
	s.proxies.roomAgain() // the daemon may have been told so
	s.proxies.mu.Unlock()
	on, err := s.ksock.ReportReplierBinds()
	if err != nil || on {
		return err
	}
	s.Log.Warn("somebody has turned the report of bind events off, which this Limpet needs; turned on again")
	if _, err := s.ksock.SetReportReplierBinds(true); err != nil {
		return s.undelivered(0, err) // tried again
	}
	return s.audit()
}

// audit gives back what we hold for Repliers that are bound no more, when events have been missed.
func (s *session) audit() error {
	at := now()
	list, err := s.ksock.Bindings()
	if err != nil {
		return err
	}
	bound := map[string]uint32{}
	for _, b := range list {
		if b.As == replier {
			bound[b.Name] = b.Ksock
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, h := range s.held {
		if bound[name] != h.ksock {
			s.put(job{what: (*session).audited, name: name, at: at})
		}
	}
	return nil
}
