// Package transport carries frames between a client and one bus, in three ways: through a socket to the daemon, through
// memory that is shared with it, and by hand to a bus in this process. Everything above is the same for all of them, so what
// is true of a Ksock does not depend on where its bus is.
//
// A Link has no goroutine and no buffer of its own. One goroutine at a time receives; it is the one that waits for an answer
// (see driver). Sending never waits, because a goroutine that waited to send could keep the one that receives from making
// room at the other end.
package transport

import (
	"fmt"
	"time"
)

// Link is a connection to one bus.
type Link interface {
	// Send takes as much of p, whole frames, as fits now, and says how much that was. It may be called while another
	// goroutine is in Recv, but not by two at once. After an error nothing more can be sent, though there may still
	// be something to receive.
	Send(p []byte) (n int, err error)

	// Recv waits for bytes and puts them into p. It returns 0 without an error when Poke was called, when room is
	// true and Send may take more now, or for no reason. An error means that the other end is gone and everything it
	// had sent has been received.
	Recv(p []byte, room bool) (n int, err error)

	// Poke makes the Recv that runs now, or else the next one, return. Any goroutine may call it at any time, also
	// after Drop.
	Poke()

	// HangUp tells the other end that this is the end, waits until it has taken note, but no longer than patience, and
	// gives everything back. Nothing else but Poke may be running or follow.
	HangUp(patience time.Duration)

	// Drop gives everything back at once.
	Drop()
}

// Upgrader is a Link that can become a faster one, if the bus grants it in its answer to the Hello. The new Link takes the
// old one's place, and its duties.
type Upgrader interface {
	Features() (wanted uint32)
	Upgrade(granted uint32) (Link, error)
}

// BodySender is a Link that can take a frame in two parts. Then the data of a large message, which is most of the frame, is
// not copied first.
type BodySender interface {
	// SendBody is Send for head and body, one behind the other. n counts over both.
	SendBody(head, body []byte) (n int, err error)
}

// WantedFeatures is what to ask for in the Hello.
func WantedFeatures(l Link) uint32 {
	if u, ok := l.(Upgrader); ok {
		return u.Features()
	}
	return 0
}

// Upgrade makes a Link what the bus has granted.
func Upgrade(l Link, granted uint32) (Link, error) {
	u, ok := l.(Upgrader)
	if !ok || granted&^u.Features() != 0 {
		return nil, unexpected("features that were not asked for")
	}
	return u.Upgrade(granted)
}

// unexpected is what the other end may not say: it speaks another protocol, or is broken.
func unexpected(format string, args ...any) error {
	return fmt.Errorf("unexpected answer: "+format, args...)
}
