package main

import (
	"os"
	"runtime/debug"
)

// The message path allocates nothing, so the garbage collector has little to do, and what it costs is memory: the heap
// may grow by a share before it is collected. A smaller share than Go's own keeps a small daemon small, and a large one
// within what its limits say. GOGC and GOMEMLIMIT still have the last word.
const gcPercent = 20

func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// withoutCollection has no garbage be collected until done is called, unless GOMEMLIMIT says so: for the moment in which buses
// stand still, and all that they have is written or read at once.
func withoutCollection() (done func()) {
	before := debug.SetGCPercent(-1)
	return func() { debug.SetGCPercent(before) }
}

// releaseStartMemory gives back what was needed to start and never will be again.
func releaseStartMemory() { debug.FreeOSMemory() }
