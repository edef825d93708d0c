package loop

import (
	"time"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/session"
)

// Taps see everything that is said on a bus, so who may be one is a setting: as for administration, judged at the connect.

// mayTap reports whether a process may look at everything.
func mayTap(p session.Peer) bool { return p.MayTap }

// affordTap charges a client what may wait for it as a tap, or names the limit that forbids it: a connection over its limit ends
// without a word.
func affordTap(l *Loop) func(*session.Session) (why string) {
	return func(s *session.Session) string {
		c := s.Tag.(*conn)
		if err := l.chargeBytes(c, c.held+session.TapBytes); err != nil {
			return err.Error()
		}
		return ""
	}
}

// tapClock tells taps when something has happened, without a system call for each: the clock of the wall and the one that
// never jumps can be read without one, and how far the latter is behind the machine's start changes only while the machine
// sleeps. It is asked again each second, and when the wall's clock has jumped, as it does over a sleep.
type tapClock struct {
	began time.Time
	apart int64 // wall without the clock since began
	boot  int64 // time since the machine's start without it
	asked int64 // when both were found out, by that clock
	last  int64
}

const mostJump = int64(time.Millisecond)

// read is for session.Taps: nanoseconds since the machine was started, its sleep included, and since 1970.
func (c *tapClock) read() (boot, wall int64) {
	now := time.Now()
	since, wall := int64(now.Sub(c.began)), now.UnixNano()
	if moved := wall - since - c.apart; moved > mostJump || moved < -mostJump || since-c.asked > int64(time.Second) {
		var t unix.Timespec
		if unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) == nil {
			c.apart, c.boot, c.asked = wall-since, t.Nano()-since, since
		}
	}
	c.last = max(c.last, since+c.boot)
	return c.last, wall
}

// flushTaps sends taps what waits, when there is nothing else to do.
func (l *Loop) flushTaps() {
	l.engine.FlushTaps()
	l.wakeOthers()
}
