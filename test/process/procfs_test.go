package process

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"kbus"
)

// What the kernel knows of the daemon.

func (d *daemon) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(d.pid), name)
}

// descriptors is how many it has open.
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

func (d *daemon) memory() (m memory) {
	d.t.Helper()
	text, err := os.ReadFile(d.proc("status"))
	must(d.t, err)
	for key, field := range map[string]*int64{"VmRSS:": &m.All, "RssAnon:": &m.Own} {
		_, line, found := bytes.Cut(text, []byte(key))
		if !found {
			d.t.Fatalf("the kernel does not tell %s", key)
		}
		_, err := fmt.Sscanf(string(line), "%d kB", field)
		must(d.t, err)
		*field <<= 10
	}
	return m
}

const mib = 1 << 20

// String is in MiB.
func (m memory) String() string {
	return fmt.Sprintf("%.1f MiB resident, %.1f of it the daemon's own", float64(m.All)/mib, float64(m.Own)/mib)
}

// settled asks until the bus is as wanted. What it waits for has happened already, in the kernel; but the daemon takes
// notice in its own order. Each question is a turn of its loop, so it is turns that are counted here, and a daemon that
// never takes notice fails the test.
func settled(t testing.TB, o *kbus.Observer, wanted func(kbus.BusInfo) bool) (now kbus.BusInfo) {
	t.Helper()
	for range 10_000 {
		var err error
		now, err = o.Info()
		must(t, err)
		if wanted(now) {
			return now
		}
	}
	t.Fatalf("the bus does not come to rest: %+v", now)
	return now
}
