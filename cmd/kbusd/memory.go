package main

import (
	"os"
	"runtime/debug"
)

// The message path allocates nothing, so the garbage collector has little to do, and what it costs is memory: the heap
// may grow by a share before it is collected. A smaller share than Go's own keeps a small daemon small. GOGC and
// GOMEMLIMIT still have the last word.
const gcPercent = 50

func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// releaseStartMemory gives back what was needed to start and never will be again.
func releaseStartMemory() { debug.FreeOSMemory() }
