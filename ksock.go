package kbus

import (
	"fmt"
	"sync"

	"kbus/internal/wire"
)

// Ksock is one open of a bus: it can be sender, Listener and Replier at once (R1.9). All methods may be called from any
// number of goroutines. Those that take a context may wait; all others are answered by the bus at once.
//
// Every method may fail with ErrClosed after Close and with ErrBusGone when the bus is lost; comments tell only what
// else can happen.
type Ksock struct {
	// Observer holds what a Ksock can tell of its bus.
	Observer

	mode      Mode
	memoryMu  sync.Mutex
	memory    memory
	reopening sync.Mutex
}

// ID is the number of the Ksock on its bus, from 1 (R1.7). It changes with Reopen.
func (k *Ksock) ID() uint32 { return k.conn.Load().id }

// Mode is what the Ksock was opened for.
func (k *Ksock) Mode() Mode { return k.mode }

// String gives "Ksock device 0, id 1, mode read/write", or "Ksock device 0 (closed)" (R10.41).
func (k *Ksock) String() string {
	c := k.conn.Load()
	if c.isClosed() {
		return fmt.Sprintf("Ksock device %d (closed)", c.bus)
	}
	return fmt.Sprintf("Ksock device %d, id %d, mode %v", c.bus, c.id, k.mode)
}

// Reset does nothing, and is here because the original has it (R3.13).
func (k *Ksock) Reset() error { return k.conn.Load().tell(wire.OpReset, 0, "") }

// Close closes the Ksock (R6.7). When it returns, the bus has taken note, unless it does not answer within a second.
// Whoever waits on the Ksock gets ErrClosed. It always succeeds, also a second time.
func (k *Ksock) Close() error {
	k.remember(func(m *memory) { m.closed = true })
	k.conn.Load().end(true)
	return nil
}
