package cli

import (
	"os"
	"slices"
	"strconv"

	"kbus.example/kbus/internal/rundir"
)

// Buses lists the buses that have a socket in the directory, in order. A socket may have been left behind by a daemon
// that was killed.
func (f *Flags) Buses() []uint32 { return BusesIn(f.Directory()) }

// BusesIn is Buses for a directory.
func BusesIn(dir string) []uint32 {
	var list []uint32
	entries, _ := os.ReadDir(dir) // no directory, no buses
	for _, e := range entries {
		number, isSocket := rundir.BusNumber(e.Name())
		n, err := strconv.ParseUint(number, 10, 32)
		if isSocket && err == nil && n <= LastBus {
			list = append(list, uint32(n))
		}
	}
	slices.Sort(list)
	return list
}
