package server

import "time"

// The end in order, as the loops go through it: no new clients and Requests at once; at four fifths of the time, those
// who have not answered yet are closed, so that whoever asked gets a Status; then the last fifth is for reading it.
// A bus on which nobody waits for anything any more ends before its time.

// Stop begins the end and returns at once. drain is how long clients have to answer and to read; 0 ends everything
// now, also when a slower end has begun already.
func (s *Server) Stop(drain time.Duration) {
	s.mu.Lock()
	again := s.stopping
	s.stopping = true
	s.mu.Unlock()
	if drain <= 0 {
		s.postAll((*loop).finish)
		return
	}
	if again {
		return
	}
	s.log.Info("stopping", "drain", drain)
	s.postAll((*loop).beginStop)
	s.after(drain/5*4, (*loop).endRepliers)
	s.after(drain, (*loop).finish)
}

// Wait returns when all buses have ended.
func (s *Server) Wait() { <-s.ended }

func (s *Server) postAll(step func(*loop)) {
	for _, l := range s.all() {
		l.post(func() { step(l) })
	}
}

func (s *Server) after(d time.Duration, step func(*loop)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timers = append(s.timers, time.AfterFunc(d, func() { s.postAll(step) }))
}

// loopEnded is the last thing a loop does.
func (s *Server) loopEnded(l *loop) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(l.ended)
	s.running--
	if s.running > 0 {
		return
	}
	for _, t := range s.timers {
		t.Stop()
	}
	s.lock.unlock()
	s.log.Info("all buses have ended")
	close(s.ended)
}
