package process

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus"
)

// A daemon that runs out of file descriptors (RLIMIT_NOFILE) refuses who comes, and says why; those who are there do
// not notice. When some have gone, others can come again, and no descriptor is lost on the way.
func TestOutOfDescriptors(t *testing.T) {
	const limit, episodes, attempts = 64, 3, 200
	d := startDaemonAs(t, tempDir(t), "sh", "-c", `ulimit -n "$1" && exec "$0" --log-level error`, daemonPath(t),
		strconv.Itoa(limit))
	listener, sender, o := d.open(), d.open(), d.observe()
	must(t, listener.Bind(t.Context(), "$.Still.Here", kbus.Listener))
	before, err := o.Info(t.Context())
	must(t, err)
	descriptors := d.descriptors()

	for range episodes {
		crowd := d.cast("crowd", limit, attempts)
		came := hear[int](crowd)
		if came < limit/2 {
			t.Errorf("only %d could come before descriptors ran out", came)
		}
		_, err := sender.Send(patient(t), kbus.Announcement("$.Still.Here", ""))
		must(t, err)
		_, err = listener.Receive(patient(t))
		must(t, err)
		if _, err := sender.Settings().AddBus(crowd.t.Context()); err == nil {
			t.Error("a bus was made of nothing")
		}

		crowd.kill()
		now := eventually(t, o, func(i kbus.BusInfo) bool {
			return i.Connections == before.Connections && d.descriptors() <= descriptors // which are closed a little later
		})
		if now.Ksocks != before.Ksocks || now.Bindings != before.Bindings {
			t.Errorf("%+v, and before it was %+v", now, before)
		}
		if n := d.descriptors(); n > descriptors {
			t.Errorf("%d descriptors, and before it was %d", n, descriptors)
		}
	}
	_, err = sender.Settings().AddBus(t.Context())
	must(t, err)
}

// The table of descriptors is as long as it can get before a daemon takes over: in a process with threads whoever makes it longer
// waits for all processors, and that would be while the buses stand still.
func TestRoomForDescriptors(t *testing.T) {
	var limit unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	const connections, each = 4096, 4 // by default
	want := int64(min(limit.Max, connections*each))
	d := startDaemon(t)
	if err := d.upgrade(); err != nil {
		t.Fatal(err)
	}
	if room := d.status("FDSize:"); room < want {
		t.Errorf("room for %d descriptors in the daemon that took over; want %d", room, want)
	}
}

// crowd comes with up to args[0] connections, until one is refused; then it tries args[1] times more. It says how
// many came.
func crowd(p *part) {
	came, refused := 0, 0
	for came < p.number(0) && refused <= p.number(1) {
		switch _, err := kbus.Open(context.Background(), 0); {
		case errors.Is(err, kbus.ErrBusConnections):
			refused++
		default:
			p.must(err)
			if refused > 0 {
				p.fail("came after", refused, "were refused")
			}
			came++
		}
	}
	p.say(came)
}
