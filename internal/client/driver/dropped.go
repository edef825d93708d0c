package driver

import (
	"log/slog"
	"runtime"

	"kbus.example/kbus/internal/transport"
	"kbus.example/kbus/message"
)

// A Ksock that is dropped without Close is closed when the garbage collector finds it, so that a program that forgets
// loses nothing for ever: no descriptors, no memory, no name. Nobody knows when that will be; Close is still the way.
//
// A Conn refers to its owner, so a goroutine that waits in the Conn keeps the Ksock alive. Closing needs the link alone, which
// refers to neither.

// OwnedBy has the connection closed when its owner, a Ksock or an Observer, can be used no more.
func OwnedBy[T any](c *Conn, owner *T) {
	c.cleanup = runtime.AddCleanup(owner, leftover.drop, leftover{c.link, c.Bus(), c.ID()})
	c.owner = owner
}

// leftover is what nobody has closed.
type leftover struct {
	link transport.Link
	bus  uint32
	id   message.KsockID
}

func (l leftover) drop() {
	slog.Debug("kbus: dropped without Close; the garbage collector has closed it", "bus", l.bus, "ksock", l.id)
	l.link.Drop()
}
