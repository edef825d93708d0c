package server

// Whether the loops are alive is tried, not assumed: each is rung, and must have turned by the next time. A loop that
// hangs, for whatever reason, does not answer, and then the watchdog gets no more notices.

// Hanging lists the buses whose loop has not turned since the last call, and rings all of them for the next call.
// After a first call that cannot know, and between calls that are apart long enough for a turn, it is empty while all
// is well.
func (s *Server) Hanging() (buses []int) {
	for _, bus := range s.all() {
		if !bus.Turned() {
			buses = append(buses, bus.number)
		}
	}
	return buses
}
