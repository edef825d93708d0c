package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/rundir"
)

// noBus is the commonest failure of all, and gets a line that says what to do.
type noBus struct {
	text  string
	cause error
}

func (n *noBus) Error() string { return n.text }
func (n *noBus) Unwrap() error { return n.cause }

// machineDir is where the machine's own daemon has its sockets: not the first place to look for a user who has a
// directory too.
const machineDir = "/run/kbus"

// ExplainNoBus says what to do if an error is that there is no such bus.
func (f *Flags) ExplainNoBus(bus uint32, err error) error {
	if !errors.Is(err, kbus.ErrNoSuchBus) {
		return err
	}
	dir := f.Directory()
	text := fmt.Sprintf("no bus %d in %s: ", bus, dir)
	if only := rundir.OnlyBuses(dir, bus); only != "" {
		return &noBus{text + only, err}
	}
	_, nowhere := rundir.OfDaemon()
	start := starting(f.Dir, bus, nowhere != nil)
	if os.Getenv("KBUS_DIR") == "" && f.Dir == "" && dir != machineDir && slices.Contains(rundir.BusesIn(machineDir), bus) {
		text += "is your own kbusd running? Start it with: " + start + "; or use that of the machine with: --dir " + machineDir
	} else {
		text += "is kbusd running? Start it with: " + start
	}
	return &noBus{text, err}
}

// starting is how a daemon is started that has a bus; dir is what --dir says, and nowhere that without it the daemon does not know
// where to put its sockets, though we know where to look for them.
func starting(dir string, bus uint32, nowhere bool) string {
	start, more := "kbusd", ""
	switch {
	case dir != "":
		start += " --dir " + dir
	case nowhere:
		start, more = "KBUS_DIR=/tmp/kbus kbusd", ", and set that here too"
	}
	if bus > 0 {
		start += fmt.Sprintf(" --buses %d", bus+1)
	}
	return start + more
}
