// Package choose says which events of a recording are meant: by name, by Ksock, by time, as a tap chooses those of a bus; and by bus,
// for a recording may be of several.
package choose

import (
	"fmt"
	"slices"
	"time"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/message"
)

// Choice is what is meant. The zero Choice is everything.
type Choice struct {
	Patterns     []string // names and wildcards: what has such a name, or answers a Request that has; none: all
	Bus          *uint32  // only what was on that bus; nil: on any
	Ksock        uint32   // only what it does, sends or is sent; 0: all
	OnlyFailures bool     // only what was refused, what somebody missed, and Statuses
	From, To     Moment   // only from that moment on, and only before that one

	began    int64 // wall-clock time of the first event
	followed following
}

// Check says what is wrong with it, with a name that is none.
func (c *Choice) Check() (name string, fault message.Condition) {
	for _, p := range c.Patterns {
		if fault = message.CheckBinding(p); fault != message.OK {
			return p, fault
		}
	}
	return "", message.OK
}

// Wants reports whether an event is meant. It must be asked of every event of a recording, in order.
func (c *Choice) Wants(e *event.Event) bool {
	named, inTime := c.means(e), c.InTime(e)
	switch {
	case !named, !inTime:
		return false
	case !c.onBus(e):
		return false
	case c.OnlyFailures && e.Condition == message.OK && e.Skipped == 0 && e.Kind != event.Status:
		return false
	case c.Ksock != 0 && e.Ksock != c.Ksock && uint32(e.Header.To) != c.Ksock && e.Replier != c.Ksock:
		return false
	}
	return true
}

// Loses reports whether events were lost before this one that may have been meant. As with Wants, it must be asked of every event.
func (c *Choice) Loses(e *event.Event) bool { return c.InTime(e) && c.onBus(e) && e.Missed > 0 }

func (c *Choice) onBus(e *event.Event) bool { return c.Bus == nil || *c.Bus == e.Bus }

// Named reports whether a name is meant.
func (c *Choice) Named(name string) bool {
	return len(c.Patterns) == 0 || slices.ContainsFunc(c.Patterns, func(p string) bool { return p == name || message.Covers(p, name) })
}

// InTime reports whether a time is meant. As with Wants, it must be asked of every event.
func (c *Choice) InTime(e *event.Event) bool {
	if e.Wall == 0 { // it only tells of a loss
		return true
	}
	if c.began == 0 {
		c.began = e.Wall
	}
	return !c.From.after(e.Wall, c.began) && (c.To.IsZero() || c.To.after(e.Wall, c.began))
}

// Past reports whether neither this event nor one that comes later, if the clock was not set back, is meant.
func (c *Choice) Past(e *event.Event) bool {
	return e.Wall != 0 && c.began != 0 && !c.To.IsZero() && !c.To.after(e.Wall, c.began)
}

// Moment is a time, or so long after the beginning of the recording. It is the value of a flag.
type Moment struct {
	at     time.Time
	offset time.Duration
	set    bool
}

// IsZero reports whether there is none.
func (m *Moment) IsZero() bool { return !m.set }

// after reports whether the moment is later than a wall-clock time of a recording that began then.
func (m *Moment) after(wall, began int64) bool {
	switch {
	case !m.set:
		return false
	case m.at.IsZero():
		return began+int64(m.offset) > wall
	}
	return m.at.UnixNano() > wall
}

// String is as Set reads it.
func (m *Moment) String() string {
	switch {
	case !m.set:
		return ""
	case m.at.IsZero():
		return m.offset.String()
	}
	return m.at.Format(time.RFC3339Nano)
}

// Type is what the help calls it.
func (m *Moment) Type() string { return "MOMENT" }

// Set reads a duration or a time.
func (m *Moment) Set(text string) error {
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		*m = Moment{offset: d, set: true}
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return fmt.Errorf("%q is no moment: give a time since the beginning, as 90s, or one as 2026-11-30T01:22:13Z", text)
	}
	*m = Moment{at: at, set: true}
	return nil
}
