package conformance

import (
	"slices"
	"testing"

	"kbus.example/kbus/internal/testing/trace"
)

// front is a way to a bus: a column of the table.
type front struct {
	name    string
	missing string            // why it cannot be run here; empty: it can
	broken  error             // it should run here, and does not
	caps    []string          // what it can do
	lacks   map[string]string // and what not, with the reason
	exact   bool              // the bus does not poll for this front end's Ksocks, so the recordings hold as they are (Q5)

	inside func(*testing.T, trace.Config) trace.System         // a system that needs no daemon
	attach func(*testing.T, *daemon, *driverSlot) trace.System // a system of a daemon

	drivers *pool // nil: in this process
}

// noWords says why a front end cannot do what it does not offer, unless it says so itself.
var noWords = map[string]string{
	"bytes": "it deals in whole messages", "pointers": "it shares no memory with the bus", "reports": "it has no reports",
	"results":  "the original's functions tell the id only",
	"unknown":  "it has no numbers to ask by",
	"original": "its Ksocks are modern", "modern": "its Ksocks are original", "traces": "its Ksocks are original",
}

// all is what a front end can be able to do. The words of drivers are among them (see driver.Process.Caps).
var all = []string{"bytes", "whole", "results", "encode", "loss", "reports", "unknown", "original"}

// fronts are the columns: those in Go, and the drivers that are there.
func fronts() []*front {
	list := []*front{
		{name: "Go, in process", inside: func(t *testing.T, c trace.Config) trace.System { return libraryInside(t, c) }},
		{name: "Go, socket", attach: attachLibrary(false)},
		{name: "Go, rings", attach: attachLibrary(true)},
		{name: "frames, socket", attach: attachFrames(false), lacks: noLibrary},
		{name: "frames, rings", attach: attachFrames(true), lacks: noLibrary},
		{name: "device", attach: attachDevice, lacks: noLibraryOnDevice, exact: true, missing: noDevices(),
			drivers: &pool{device: true, again: true}},
	}
	for _, f := range list {
		f.caps = all
	}
	return append(list, driven()...)
}

// noLibrary is what bare frames lack.
var noLibrary = map[string]string{
	"encode": "the protocol carries messages in a form of its own; only languages have a codec for the entire one",
	"loss":   "what a lost bus looks like is made by the libraries; a bare connection just ends",
}

// noLibraryOnDevice is what the bare device lacks. Its results are the original's.
var noLibraryOnDevice = map[string]string{
	"encode":  noLibrary["encode"],
	"loss":    lossOfDevice,
	"results": "SEND on a device tells the id only, as the original's",
}

const lossOfDevice = "of a lost device the kernel tells, with ENOTCONN; there is nobody to make a Status"

func attachLibrary(rings bool) func(*testing.T, *daemon, *driverSlot) trace.System {
	return func(t *testing.T, d *daemon, _ *driverSlot) trace.System {
		l := libraryOn(d.dir, d.devices(), rings, t.Fatal)
		l.mixed = d.mixed
		l.end = d.kill
		return l
	}
}

func attachFrames(rings bool) func(*testing.T, *daemon, *driverSlot) trace.System {
	return func(t *testing.T, d *daemon, _ *driverSlot) trace.System {
		return &frames{daemon: d, t: t, buses: d.devices(), rings: rings}
	}
}

// can tells why the front end cannot do all of that; empty: it can.
func (f *front) can(needs []string) (why string) {
	for _, need := range needs {
		if why := f.lacks[need]; why != "" {
			return why
		}
		if !slices.Contains(f.caps, need) {
			return noWords[need]
		}
	}
	return ""
}

// start makes a fresh system. A mortal one is that of a daemon which can be killed. All of it ends with the test.
func (f *front) start(t *testing.T, c trace.Config, mortal bool) trace.System {
	if f.inside != nil {
		return f.inside(t, c)
	}
	s := &driverSlot{}
	if f.drivers != nil {
		s = f.drivers.take(t)
	} else {
		s.dir = shortDir(t)
	}
	return f.attach(t, startDaemon(t, s, c, mortal), s)
}
