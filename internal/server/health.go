package server

// Whether the loops are alive is asked, not assumed: each is rung, and must have turned by the next time. A loop that
// hangs, for whatever reason, does not answer, and whoever feeds a watchdog stops.

// Hanging lists the buses whose loop has not turned since the last call, and rings all of them for the next call.
// After a first call that cannot know, and between calls that are apart long enough for a turn, it is empty while all
// is well.
func (s *Server) Hanging() (buses []int) {
	for _, l := range s.all() {
		if !l.ping() {
			buses = append(buses, l.number)
		}
	}
	return buses
}

// ping reports whether the loop has turned since the last ping, and rings it.
func (l *loop) ping() bool {
	l.jobs.Lock()
	defer l.jobs.Unlock()
	if l.bell < 0 {
		return true // it has ended, as it should
	}
	turned := l.turned.Load() == l.pinged.Load()
	if turned {
		l.pinged.Add(1)
	}
	l.ring()
	return turned
}
