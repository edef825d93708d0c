package session

// Settling is how the bus's "what the caller owes" is paid (bus.Woken, bus.Due). It ends because nothing in it sends a
// new message: each round takes queued messages out or brings a waiting one home, and of both there are finitely many.

// Settle does what has become possible: it retries messages that wait for room (F6, Q5) and answers waiting requests.
// Handle, Disconnect and Stop settle by themselves; after Sent it is the caller's turn, once for any number of them.
func (e *Engine) Settle() {
	for {
		due := e.bus.Due()
		for _, k := range due {
			if _, sending := e.bus.Poll(k); !sending {
				if s, ok := k.Tag.(*Session); ok {
					e.look(s)
				}
			}
		}
		for _, k := range e.bus.Woken() {
			if s, ok := k.Tag.(*Session); ok {
				e.look(s)
			}
		}
		if len(e.ready[0]) == 0 {
			if len(due) == 0 {
				return
			}
			continue
		}
		e.ready[0], e.ready[1] = e.ready[1][:0], e.ready[0]
		for i, s := range e.ready[1] {
			e.ready[1][i] = nil
			s.ready = false
			s.answer()
			s.show()
		}
	}
}

// look notes that a waiting request of s may have an answer now.
func (e *Engine) look(s *Session) {
	if !s.ready && (s.window != nil || s.Waiting() > 0) {
		s.ready = true
		e.ready[0] = append(e.ready[0], s)
	}
}
