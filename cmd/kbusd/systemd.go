package main

import (
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/server"
)

// Notices to systemd, and the sockets that it hands over. Without systemd all of this does nothing.

const (
	readyState     = "READY=1"
	reloadingState = "RELOADING=1"
	stoppingState  = "STOPPING=1"
	watchdogState  = "WATCHDOG=1"
)

// mostNotice is how long a notice may take. systemd that does not read must not hold the daemon up for ever.
const mostNotice = time.Second

// notify sends systemd a notice; a failure of that could be reported to no one.
func notify(state string) {
	to := os.Getenv("NOTIFY_SOCKET")
	if to == "" {
		return
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	limit := unix.NsecToTimeval(int64(mostNotice))
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit)
	_ = unix.Sendto(fd, []byte(state), unix.MSG_NOSIGNAL, &unix.SockaddrUnix{Name: to})
}

func (d *daemon) notifyReady() { notify(readyState) }

// notifyReloading must be followed by notifyReady, whatever comes of the reload.
func notifyReloading() {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	notify(reloadingState + "\nMONOTONIC_USEC=" + strconv.FormatInt(now.Nano()/1000, 10))
}

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
	microseconds, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if pid := os.Getenv("WATCHDOG_PID"); err != nil || microseconds <= 0 || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return watchdog{}
	}
	t := time.NewTicker(max(time.Duration(microseconds)*time.Microsecond/3, time.Microsecond))
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
	notify(watchdogState)
}
