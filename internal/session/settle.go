package session

// Settling is how the bus's "what the caller owes" is paid (bus.Woken, bus.Due). It ends because nothing in it sends a
// new message: each round takes queued messages out or brings a waiting one home, and of both there are finitely many.
//
// There are two halves. Waiting requests are answered after every request, since an answer takes a message out of a
// queue and the next request may meet the difference. Windows are brought up to date less often, after a batch of
// requests: what a window does not show yet its client cannot take, as if it had come a moment later, and nobody can
// tell as long as no result is sent before.

// Settle does what has become possible: it retries messages that wait for room (F6, Q5), answers waiting requests and
// brings windows up to date. Disconnect and Stop settle by themselves; after Handle and Sent it is the caller's turn,
// once for any number of them.
func (e *Engine) Settle() {
	for e.answer(); len(e.stale[0]) > 0; e.answer() {
		e.stale[0], e.stale[1] = e.stale[1][:0], e.stale[0]
		for i, s := range e.stale[1] {
			e.stale[1][i] = nil
			s.stale = false
			s.show()
		}
	}
}

// answer retries messages that wait for room and answers waiting requests.
func (e *Engine) answer() {
	for {
		due := e.bus.Due()
		for _, k := range due {
			switch of := k.Tag.(type) {
			case *Session:
				if _, sending := e.bus.Poll(k); !sending {
					e.look(of)
				}
			case Guest:
				of.Wake()
			}
		}
		for _, k := range e.bus.Woken() {
			switch of := k.Tag.(type) {
			case *Session:
				e.look(of)
				e.change(of)
			case Guest:
				of.Wake()
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
			e.change(s)
		}
	}
}

// look notes that a waiting request of s may have an answer now.
func (e *Engine) look(s *Session) {
	if !s.ready && s.Waiting() > 0 {
		s.ready = true
		e.ready[0] = append(e.ready[0], s)
	}
}

// change notes that what the window of s should show may have changed.
func (e *Engine) change(s *Session) {
	if !s.stale && s.window != nil {
		s.stale = true
		e.stale[0] = append(e.stale[0], s)
	}
}
