package cli

import "kbus.example/kbus/internal/rundir"

// Buses lists the buses that have a socket in the directory, in order. A socket may have been left behind by a daemon
// that was killed.
func (f *Flags) Buses() []uint32 { return rundir.BusesIn(f.Directory()) }
