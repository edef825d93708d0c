package limpet

import "kbus.example/kbus"

// Link is a stream of messages to the Limpet at the other end and from it, after they have greeted each other. One
// goroutine reads; any may do the rest.
type Link interface {
	// Read waits for the next message and reads it into m, whose Data it overwrites or replaces. An error that is
	// kbus.ErrMessageTooLong means that the message is there without its data; any other that the link is lost.
	Read(m *kbus.Message) error
	// Write takes a message to be sent, and does not keep it. It never waits; it fails if far too much waits to be sent
	// already, or the link is lost.
	Write(m *kbus.Message) error
	// Ready waits while much waits to be sent. It ends with the link.
	Ready()
	// Close sends what waits, if that can be done soon, and ends the link. Calls that wait return. A second time it
	// does nothing.
	Close() error
}
