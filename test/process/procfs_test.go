package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// What the kernel knows of the daemon.

func (d *daemon) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(d.pid), name)
}

// descriptors is how many it has open. Just after its start there may be one more, through which it said that it is
// ready.
func (d *daemon) descriptors() int {
	d.t.Helper()
	entries, err := os.ReadDir(d.proc("fd"))
	must(d.t, err)
	return len(entries)
}

// memory is in bytes: what is resident.
type memory struct {
	All int64 // with the parts of the program itself and whatever is shared
	Own int64 // that belongs to the daemon alone
}

func (d *daemon) memory() memory {
	d.t.Helper()
	return memory{All: d.status("VmRSS:") << 10, Own: d.status("RssAnon:") << 10}
}

// status is a number that the kernel tells of it.
func (d *daemon) status(key string) (n int64) {
	d.t.Helper()
	text, err := os.ReadFile(d.proc("status"))
	must(d.t, err)
	_, line, found := bytes.Cut(text, []byte(key))
	if !found {
		d.t.Fatalf("the kernel does not tell %s", key)
	}
	_, err = fmt.Sscan(string(line), &n)
	must(d.t, err)
	return n
}

const mib = 1 << 20

// String is in MiB.
func (m memory) String() string {
	return fmt.Sprintf("%.1f MiB resident, %.1f of it the daemon's own", float64(m.All)/mib, float64(m.Own)/mib)
}
