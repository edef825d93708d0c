package session

// Pumping does what the bus owes after an operation (bus.Woken, bus.Due). It ends because nothing in it sends a new
// message: each round takes queued messages out or ends the wait of one, and of both there are finitely many.
//
// There are two halves. Waiting requests are answered after every request, since an answer takes a message out of a
// queue and the next request may meet the difference. Windows are brought up to date less often, after a batch of
// requests: a message that a window does not show yet looks to its client as if it came a moment later, and no client
// can see the difference as long as no result is sent before.

// Pump does what has become possible: it retries messages that wait for room (F6, Q5), answers waiting requests and
// brings windows up to date. Disconnect and Stop pump by themselves; after Handle and Sent it is the caller's turn,
// once for any number of them.
func (e *Engine) Pump() {
	e.bus.Sweep(sweepPiece)
	if e.pieces {
		e.bus.Tries(triesPiece)
	}
	if e.stopping { // there is no next one
		e.bus.Tries(-1)
	}
	for e.answer(); len(e.stale[0]) > 0; e.answer() {
		e.stale[0], e.stale[1] = e.stale[1][:0], e.stale[0]
		for i, s := range e.stale[1] {
			e.stale[1][i] = nil
			s.stale = false
			s.show()
		}
	}
}

// sweepPiece is how much of what was thrown away (bus.Sweep) is freed with each Pump.
const sweepPiece = 16

// triesPiece is how many messages that wait for room are tried again with each Pump: a change may matter to a thousand of them, and
// nobody else's turn should last until all have been tried.
const triesPiece = 16

// answer retries messages that wait for room and answers waiting requests.
func (e *Engine) answer() {
	for len(e.ready[0]) > 0 || !e.bus.Quiet() {
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
