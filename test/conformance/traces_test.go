// Package conformance holds every way to a bus against the same recordings of the reference. A way is a front end: the
// library to a daemon, through its socket or through shared memory; the library to a bus in its own process; bare frames,
// with no library in between; and the device. Each performs every recording. A new way is done when it is green here.
//
// No other front end shares memory with the bus in the way the original device does, so there the recordings are replayed
// without pointers (Trace.WithoutPointers). The device performs them whole, but for writes of no bytes, which the kernel
// does not pass on.
package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"kbus/internal/file/trace"
)

// recordings is where they are. KBUS_TRACES names another directory of the same format; a relative one is relative to
// the module.
func recordings() string {
	dir := os.Getenv("KBUS_TRACES")
	switch {
	case dir == "":
		return filepath.Join("..", "..", "internal", "file", "testdata", "traces")
	case !filepath.IsAbs(dir):
		return filepath.Join("..", "..", dir)
	}
	return dir
}

func TestTraces(t *testing.T) {
	for _, way := range []struct {
		name  string
		start func(*testing.T, trace.Config) trace.System
	}{
		{"library, socket", librarySocket},
		{"library, rings", libraryRings},
		{"library, in process", libraryInside},
		{"frames, socket", framesSocket},
		{"frames, rings", framesRings},
	} {
		t.Run(way.name, func(t *testing.T) {
			eager := 0
			adapt := func(recorded *trace.Trace) *trace.Trace {
				foretold, changed := foretell(recorded.WithoutPointers())
				eager += changed
				return foretold
			}
			result, err := trace.RunAdapted(recordings(), func(c trace.Config) trace.System { return way.start(t, c) }, adapt)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Printf("%s: %v\n", way.name, result)
			t.Logf("%d outcomes are not as recorded, because the bus polls for its clients (Q5)", eager)
			if result.Divergences > 0 {
				t.Errorf("first divergence: %v", result.First)
			}
		})
	}
}

func TestTracesThroughDevice(t *testing.T) {
	needDevices(t)
	result, err := trace.RunAdapted(recordings(), func(c trace.Config) trace.System { return deviceFUSE(t, c) },
		(*trace.Trace).WithoutEmptyWrites)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("device, FUSE: %v\n", result)
	if result.Divergences > 0 {
		t.Errorf("first divergence: %v", result.First)
	}
}
