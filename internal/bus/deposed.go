package bus

// New rules may take very many Repliers their names, and each that goes brings an event for all who listen to bind events, who
// may be very many too. What the rules say holds at once, and if all those events are more than one operation may do, and the owner of
// the bus wants that in pieces (see InPieces), the bindings go one after the other. One that has not gone yet is no Replier
// any more: it goes before anybody's Request would reach it, and before anybody else binds its name.

// deposeAll takes the names of Repliers from them, now or in pieces.
func deposeAll(b *Bus, repliers []*binding) {
	if b.piece > 0 && b.reportBinds && len(repliers)*len(b.eventListeners(nil)) > closingPiece {
		for _, n := range repliers {
			n.deposed = true
		}
		b.deposed = append(b.deposed, repliers...)
		return
	}
	for _, n := range repliers {
		depose(b, n)
	}
}

// deposeOn takes the next, and gives how many bindings listen to that.
func deposeOn(b *Bus) (listeners int) {
	n := b.deposed[0]
	if b.deposed = b.deposed[1:]; len(b.deposed) == 0 {
		b.deposed = nil
	}
	if n.ksock == nil || !n.deposed { // it has gone by itself, or for somebody's sake
		return 0
	}
	n.deposed = false
	return depose(b, n)
}

// deposeFor has those gone that stand in the way of a Request of that name.
func deposeFor(b *Bus, name []byte) {
	for {
		_, r := b.bindings.match(name)
		if r == nil || !r.deposed {
			return
		}
		r.deposed = false
		depose(b, r)
	}
}

// deposeExactly is the same for a binding of that text.
func deposeExactly(b *Bus, text string) {
	if g := b.bindings.group(text); g != nil && g.replier != nil && g.replier.deposed {
		g.replier.deposed = false
		depose(b, g.replier)
	}
}
