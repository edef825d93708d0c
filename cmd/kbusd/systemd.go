package main

import (
	"context"
	"os"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"kbus/internal/server"
)

// What systemd is told, and what it hands over. Without systemd all of this does nothing.

const stoppingState = systemd.SdNotifyStopping

var background = context.Background()

// notify tells systemd; there is nobody to tell that it failed.
func notify(state string) { _, _ = systemd.SdNotify(false, state) }

func (d *daemon) notifyReady() { notify(systemd.SdNotifyReady) }

// notifyReloading must be followed by notifyReady, whatever comes of the reload.
func notifyReloading() { notify(systemd.SdNotifyReloading + "\n" + systemd.SdNotifyMonotonicUsec()) }

// handedOver gives the sockets that systemd made for us, and hides them from child processes.
func handedOver() ([]server.Listener, error) {
	defer func() {
		for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
			os.Unsetenv(name)
		}
	}()
	return server.HandedOver(os.Getpid(), os.Getenv)
}

// watchdog ticks three times in the interval after which systemd would end us.
type watchdog struct {
	tick   <-chan time.Time // nil without a watchdog
	ticker *time.Ticker
}

func newWatchdog() watchdog {
	interval, err := systemd.SdWatchdogEnabled(false)
	if err != nil || interval < time.Microsecond {
		return watchdog{}
	}
	t := time.NewTicker(interval / 3)
	return watchdog{t.C, t}
}

func (w watchdog) stop() {
	if w.ticker != nil {
		w.ticker.Stop()
	}
}

// feed tells systemd that all is well, if every bus's loop has turned since the last time.
func (d *daemon) feed() {
	if hanging := d.server.Hanging(); len(hanging) > 0 {
		d.log.Error("watchdog not fed: a bus does not turn", "buses", hanging)
		return
	}
	notify(systemd.SdNotifyWatchdog)
}
