package conformance

import (
	"context"
	"slices"
	"testing"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/trace"
	"kbus.example/kbus/test/conformance/driver"
)

// attachDriver gives a driver a fresh daemon.
func attachDriver(f *front) func(*testing.T, *daemon, *driverSlot) trace.System {
	return func(t *testing.T, d *daemon, s *driverSlot) trace.System {
		h := &host{t: t, daemon: d, watch: libraryOn(d.dir, 0, false, t.Fatal)}
		h.watch.mixed = true
		return &drivenSystem{driver.NewSystem(s.process, f.caps, h), h}
	}
}

// drivenSystem is a driver's system whose daemon can be killed.
type drivenSystem struct {
	*driver.System
	host *host
}

// Kill is kill -9.
func (s *drivenSystem) Kill() {
	s.host.lost = true
	s.host.daemon.kill()
}

// host is driver.Host: what the daemon itself tells beside the driver.
type host struct {
	t      *testing.T
	daemon *daemon
	watch  *library
	lost   bool // the daemon has been killed
}

func (h *host) Broken(operation string, err error) {
	if operation != "" {
		operation = "\nwhile performing " + operation
	}
	h.t.Fatalf("%v%s", err, operation)
}

// Closed asks the bus until the Ksock is gone from it. Each question is a round trip, so it waits for the bus.
func (h *host) Closed(device int, id uint32) {
	ctx, done := context.WithTimeout(context.Background(), *patience) // that of the test has ended when it cleans up
	defer done()
	gaveUp := time.Now().Add(*patience)
	for !h.lost {
		list, err := h.watch.watcher(device).List(ctx)
		if err != nil {
			h.t.Fatal(err)
		}
		if !slices.ContainsFunc(list, func(k kbus.KsockInfo) bool { return uint32(k.Ksock) == id }) {
			return
		}
		if time.Now().After(gaveUp) {
			h.t.Fatalf("Ksock %d was closed, and is still there after %v", id, *patience)
		}
	}
}

// Bindings and Stats are for drivers without reports, which may have made devices.
func (h *host) Bindings() string {
	h.watch.devices = h.daemon.devices()
	return h.watch.Bindings()
}

func (h *host) Stats() string {
	h.watch.devices = h.daemon.devices()
	return h.watch.Stats()
}

func (h *host) End() { h.watch.End() }
