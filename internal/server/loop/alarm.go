package loop

import (
	"math"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/message"
)

// A federator vouches for the Repliers of its bus until a moment (session.Engine.Alarm). The moment is kept by the
// kernel, as one more descriptor of the loop, on the clock that goes on while the machine sleeps: what has come due in
// that time must not be trusted afterwards.

// setAlarm is called on the loop. 0 is never.
func (l *Loop) setAlarm(at uint64) message.Condition {
	if l.alarm < 0 {
		fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
		if err == nil {
			if err = l.control(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN, 0); err != nil {
				unix.Close(fd)
			}
		}
		if err != nil {
			l.log.Error("no timer for the federator's word", "error", err)
			return message.ErrNoMemory
		}
		l.alarm = fd
	}
	due := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(min(at, math.MaxInt64)))}
	if err := unix.TimerfdSettime(l.alarm, unix.TFD_TIMER_ABSTIME, &due, nil); err != nil {
		l.log.Error("no timer for the federator's word", "error", err)
		return message.ErrNoMemory
	}
	return message.OK
}

// rang is for when the moment has come.
func (l *Loop) rang() {
	var count [8]byte
	if n, err := unix.Read(l.alarm, count[:]); err != nil || n == 0 {
		return // it has been set anew meanwhile
	}
	l.log.Warn("the federator has not vouched for the Repliers of this bus in time: they are unbound")
	l.engine.Lapse()
	l.wakeOthers()
}
