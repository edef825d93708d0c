package top

import (
	"slices"
	"strings"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/requests"
)

// What is said under each name, for who shows rates and for who counts only. So many names are told apart; what is said under others
// is counted together.

const otherNames = "(other names)"

type counts struct {
	Name
	lately    flow
	reached   uint64 // lately
	answering time.Duration
}

// Names counts it.
type Names map[string]*counts

func (n Names) of(name string) *counts {
	c := n[name]
	if c == nil && len(n) >= mostNames {
		name = otherNames
		c = n[name]
	}
	if c == nil {
		c = &counts{Name: Name{Name: name}}
		n[name] = c
	}
	return c
}

// Note counts a message that was sent, or a Status. answered is the Request that it ends; nil: none.
func (n Names) Note(e *kbus.Event, answered *requests.Request) {
	switch {
	case e.Event != kbus.EventSent && e.Event != kbus.EventStatus:
		return
	case e.Event == kbus.EventStatus:
		if answered != nil {
			n.of(answered.Name).Statuses++
		}
		return
	case e.Err == error(kbus.ErrPending): // it comes again
		return
	case e.Err != nil:
		n.of(e.Message.Name).Refused++
		return
	}
	c := n.of(e.Message.Name)
	c.lately.add(1, uint64(e.DataBytes))
	c.reached += uint64(e.Reached)
	c.Messages++
	c.Bytes += uint64(e.DataBytes)
	c.Copies += uint64(e.Reached)
	c.Skipped += uint64(e.Skipped)
	if answered != nil {
		after := e.Time.Sub(answered.Sent)
		c := n.of(answered.Name)
		c.Answered++
		c.answering += after
		c.Mean, c.Longest = c.answering/time.Duration(c.Answered), max(c.Longest, after)
	}
}

// Rows are the figures, and the rates since the last call, over that time, in the order of the alphabet.
func (n Names) Rows(over time.Duration) []Name {
	rows := make([]Name, 0, len(n))
	for _, c := range n {
		row := c.Name
		row.Rate, row.Reached = c.lately.rate(over), flow{messages: c.reached}.rate(over).Messages
		c.lately, c.reached = flow{}, 0
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b Name) int { return strings.Compare(a.Name, b.Name) })
	return rows
}
