package watch

import (
	"kbus.example/kbus"
)

// Ten times a second the viewers are sent a beat: exact counts of what was said since the one before, and some of the messages
// themselves. Of each name and kind the first few are taken, so that a name that is used often does not hide the others; what was
// refused goes before all else. When so many were said that a few of them would show nothing, only the counts are sent.

const (
	mostOfOne   = 2    // messages of one name and kind in a beat
	mostInBeat  = 24   // messages
	mostRefused = 8    // besides
	crowd       = 1000 // messages from which on a beat has counts only, and what was refused
)

// counts are exact, but for what the tap was too slow for: that is NotSeen, in events.
type counts struct {
	Announcements uint64 `json:"announcements"`
	Requests      uint64 `json:"requests"`
	Replies       uint64 `json:"replies"`
	Statuses      uint64 `json:"statuses"`
	Refused       uint64 `json:"refused"`
	Reached       uint64 `json:"reached"`
	Skipped       uint64 `json:"skipped"`
	Bytes         uint64 `json:"bytes"`
	NotSeen       uint64 `json:"not_seen"`
}

// all is how many messages there were, those that were refused among them.
func (c *counts) all() uint64 {
	return c.Announcements + c.Requests + c.Replies + c.Statuses + c.Refused
}

// add counts a message that was sent, refused, or a Status.
func (c *counts) add(e *kbus.Event) {
	if e.Err != nil {
		c.Refused++
		return
	}
	switch kindOf(e) {
	case "Request":
		c.Requests++
	case "Reply":
		c.Replies++
	case "Status":
		c.Statuses++
	default:
		c.Announcements++
	}
	c.Reached += uint64(e.Reached)
	c.Skipped += uint64(e.Skipped)
	c.Bytes += uint64(e.DataBytes)
}

// beat is what the page gets. The counts are all since the watch began, so none is lost with a beat that is.
type beat struct {
	Bus      uint32     `json:"bus"`
	Time     float64    `json:"time"`
	Counts   counts     `json:"counts"`
	Of       uint64     `json:"of"` // messages since the beat before
	Messages []*message `json:"messages"`
}

// sample is a beat that is being made.
type sample struct {
	before   uint64 // messages at the beat before
	messages []*message
	refused  int
	each     map[string]int // of a kind and name
}

// wants decides whether a message is shown.
func (s *sample) wants(e *kbus.Event) bool {
	if e.Err != nil {
		s.refused++
		return s.refused <= mostRefused
	}
	if len(s.messages)-min(s.refused, mostRefused) >= mostInBeat {
		return false
	}
	if s.each == nil {
		s.each = map[string]int{}
	}
	key := kindOf(e) + e.Message.Name
	s.each[key]++
	return s.each[key] <= mostOfOne
}

// take ends the beat, and begins another.
func (s *sample) take(all uint64) (messages []*message, of uint64) {
	messages, of = s.messages, all-s.before
	if of > crowd {
		shown := messages[:0]
		for _, m := range messages {
			if m.Refused != nil {
				shown = append(shown, m)
			}
		}
		messages = shown
	}
	*s = sample{before: all}
	return messages, of
}
