package bus

// A Ksock that closes may have sixteen thousand bindings, and each of those that are a Replier's brings an event for all who
// listen to bind events, which may be as many. If all that is more than one operation may do, and the owner of the bus wants it
// in pieces (see InPieces), the bindings go one after the other, with other operations in between: as if their Ksock were slow
// to close. It is Open no more, nobody can reply to it, and whoever asks it meanwhile has its GoneAway.

// closing is a Ksock that closes in pieces.
type closing struct {
	k     *Ksock
	later bool // its Ignored come later, for its GoneAway do
}

// closings are those of a bus, oldest first, and bindings that are taken away in the same way.
type closings struct {
	closes  []*closing
	deposed []*binding // see deposed.go
	credit  int        // steps that may be done; less than none when an event was more than there were
}

// emptiedPerStep is how many bindings are looked at in a step, for what is queued through them.
const emptiedPerStep = 16

// closingPiece is how many bindings and events go with a Close at once.
const closingPiece = LongQueue

// isMuch reports whether a Ksock has more to take back than one operation may.
func isMuch(b *Bus, k *Ksock) bool {
	n := len(k.bindings)
	switch {
	case b.piece == 0 || n*b.accounts.all.bindings <= closingPiece: // there cannot be more who listen
		return false
	case n > closingPiece:
		return true
	}
	return b.reportBinds && n*len(b.eventListeners(k)) > closingPiece
}

// closeOn goes on with Ksocks that close in pieces. An event that is more than so many steps is paid for by later calls.
func closeOn(b *Bus, steps int) {
	c := &b.litter.closings
	if len(c.closes)+len(c.deposed) == 0 {
		return
	}
	c.credit = min(c.credit+steps, steps)
	for c.credit > 0 && len(c.deposed) > 0 {
		c.credit -= 1 + deposeOn(b)
	}
	for c.credit > 0 && len(c.closes) > 0 {
		one := c.closes[0]
		c.credit--
		if k := one.k; len(k.bindings) == 0 {
			c.closes = drop(c.closes, one)
			finishClose(b, k, one.later)
		} else {
			if k.queue.entries.len() > 0 { // what has come since
				one.later = b.empty(k) || one.later
				c.credit -= len(k.bindings) / emptiedPerStep
			}
			c.credit -= unbindLast(b, k)
		}
	}
}

// unbindLast takes the newest binding of a Ksock that closes back, and gives how many bindings listen to that.
func unbindLast(b *Bus, k *Ksock) (listeners int) {
	n := k.bindings[len(k.bindings)-1]
	if n.replier && b.reportBinds {
		listeners = b.safeEvent(false, n, k)
	}
	b.unbind(n)
	if n.replier {
		if promote(b, n.name, k); b.reportBinds && b.Replier(n.name) != 0 {
			listeners *= 2 // who has stood by brings an event, too
		}
	}
	return listeners
}

// isGone reports whether nobody is behind an id who could have a Reply.
func isGone(k *Ksock) bool { return k == nil || !k.open }
