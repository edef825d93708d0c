package server

import (
	"testing"
)

// The rings of a machine, and of a user with many connections.
func TestLengthOfRings(t *testing.T) {
	for memory, want := range map[uint64]int64{0: 64 << 10, 512 << 20: 64 << 10, littleMemory: 256 << 10, 64 << 30: 256 << 10} {
		if got := defaultRing(memory); got != want {
			t.Errorf("%d bytes of memory: rings of %d, not %d", memory, got, want)
		}
	}
	if machineMemory() == 0 {
		t.Error("the machine does not say how much memory it has")
	}
}
