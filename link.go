package kbus

// A link carries frames to one bus and back. There are two: socketLink, to the daemon, and insideLink, to a bus in this
// process. Everything above them is the same, so what is true of a Ksock does not depend on where its bus is.
//
// A link has no goroutine and no buffer of its own. One goroutine at a time receives; it is whoever waits for an answer
// (see conn). Sending never waits, because a goroutine that waited to send could keep the one that receives from making
// room at the other end.
type link interface {
	// send takes as much of p, whole frames, as fits now, and says how much that was. It may be called while another
	// goroutine is in recv, but not by two at once. After an error nothing more can be sent, though there may still
	// be something to receive.
	send(p []byte) (n int, err error)

	// recv waits for bytes and puts them into p. It returns 0 without an error when poke was called, when room is
	// true and send may take more now, or for no reason. An error means that the other end is gone and everything it
	// had sent has been received.
	recv(p []byte, room bool) (n int, err error)

	// poke makes the recv that runs now, or else the next one, return. Any goroutine may call it at any time, also
	// after close.
	poke()

	// hangUp tells the other end that this is the end, waits until it has taken note, as long as it can be expected
	// to, and gives everything back. Nothing else but poke may be running or follow.
	hangUp()

	// drop gives everything back at once.
	drop()
}

// upgrader is a link that can become a faster one, if the bus grants it in its answer to the Hello. The new link
// takes the old one's place, and its duties.
type upgrader interface {
	features() (wanted uint32)
	upgrade(granted uint32) (link, error)
}

// wantedFeatures is what to ask for. An observer asks too little to need any.
func wantedFeatures(l link, mode Mode) uint32 {
	if u, ok := l.(upgrader); ok && mode != 0 {
		return u.features()
	}
	return 0
}

func upgrade(l link, granted uint32) (link, error) {
	u, ok := l.(upgrader)
	if !ok || granted&^u.features() != 0 {
		return nil, unexpected("features that were not asked for")
	}
	return u.upgrade(granted)
}
