package server

import (
	"time"

	"kbus.example/kbus/internal/server/loop"
)

// The end in order, as the loops go through it: no new clients and Requests at once. At four fifths of the time the
// Ksocks that have not answered yet are closed, so that those who asked get a Status, and the last fifth is for reading
// it. A bus on which no client waits for anything ends before its time.

// ending is how far a server has come to its end.
type ending struct {
	running  int // buses that have not ended
	stopping bool
	timers   []*time.Timer
	ended    chan struct{} // closed when all buses have ended
}

// Stop begins the end and returns at once. drain is how long clients have to answer and to read; 0 ends everything
// now, also when a slower end has begun already.
func (s *Server) Stop(drain time.Duration) {
	s.mu.Lock()
	again := s.stopping
	s.stopping = true
	s.mu.Unlock()
	if drain <= 0 {
		postAll(s.all(), (*loop.Loop).Finish)
		s.starter.Hurry()
		return
	}
	if again {
		return
	}
	s.log.Info("stopping", "drain", drain)
	postAll(s.all(), (*loop.Loop).BeginStop)
	s.after(drain/5*4, (*loop.Loop).EndRepliers)
	s.after(drain, (*loop.Loop).Finish)
}

// Wait returns when all buses have ended.
func (s *Server) Wait() { <-s.ended }

func postAll(buses []*served, step func(*loop.Loop)) {
	for _, bus := range buses {
		bus.Post(func() { step(bus.Loop) })
	}
}

func (s *Server) after(d time.Duration, step func(*loop.Loop)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timers = append(s.timers, time.AfterFunc(d, func() { postAll(s.all(), step) }))
}

// busEnded ends the server with its last bus, and the services after it: so they can answer as long as there is a bus.
func (s *Server) busEnded(bus *served) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(bus.ended)
	s.running--
	if s.running > 0 {
		return
	}
	for _, t := range s.timers {
		t.Stop()
	}
	s.log.Info("all buses have ended")
	go func() {
		s.starter.End()
		s.lock.unlock()
		s.ration.end()
		close(s.ended)
	}()
}
