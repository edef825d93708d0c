package rundir

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Who asks for a bus that is not there has mostly a daemon that runs with fewer.

// LastBus is the highest number that a bus can have.
const LastBus = 255

// BusesIn are the buses whose sockets are in a directory, in order.
func BusesIn(dir string) []uint32 {
	var list []uint32
	entries, _ := os.ReadDir(dir) // no directory, no buses
	for _, e := range entries {
		number, isSocket := BusNumber(e.Name())
		n, err := strconv.ParseUint(number, 10, 32)
		if isSocket && err == nil && n <= LastBus {
			list = append(list, uint32(n))
		}
	}
	slices.Sort(list)
	return list
}

// OnlyBuses says which buses are in a directory, if there are some and bus is none of them; else "".
func OnlyBuses(dir string, bus uint32) string {
	switch there := BusesIn(dir); {
	case len(there) == 0 || slices.Contains(there, bus): // a socket that is there was left behind
		return ""
	case len(there) == 1:
		return fmt.Sprintf("there is only bus %d", there[0])
	default:
		return "there are only buses " + strings.ReplaceAll(strings.Trim(fmt.Sprint(there), "[]"), " ", ", ")
	}
}
