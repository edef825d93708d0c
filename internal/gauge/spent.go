package gauge

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// spent is what has been used up by a moment: time, and processor time of the clients and of the bus.
type spent struct {
	at              time.Time
	clients, broker time.Duration
}

func (c *crew) spent() spent {
	s := spent{clients: processorTime(os.Getpid())}
	for _, kid := range c.kids {
		s.clients += processorTime(kid.Process.Pid)
	}
	for _, pid := range c.plan.Brokers {
		s.broker += processorTime(pid)
	}
	s.at = time.Now()
	return s
}

// since is the difference of two moments.
func (s spent) since(began spent) (elapsed, all, broker time.Duration) {
	broker = s.broker - began.broker
	return s.at.Sub(began.at), s.clients - began.clients + broker, broker
}

// processorTime is what a process has used so far, to the nanosecond; 0 if there is no such process. The kernel has a
// clock for each process, whose number is made from that of the process.
func processorTime(pid int) time.Duration {
	const processClock = 2
	var t unix.Timespec
	if unix.ClockGettime(int32(^pid<<3|processClock), &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
