package server

import "runtime/debug"

// Memory is given back to the system for loops that ask for it, by a goroutine of its own: they do not wait for that.

// muchLeft has an entry when a loop has asked for it.
type muchLeft chan struct{}

// GiveBack is for loop.Host.
func (m muchLeft) GiveBack() {
	select {
	case m <- struct{}{}:
	default: // it is going to happen
	}
}

// givesBack serves the loops until the server has ended.
func (m muchLeft) givesBack(ended <-chan struct{}) {
	for {
		select {
		case <-m:
			debug.FreeOSMemory()
		case <-ended:
			return
		}
	}
}
