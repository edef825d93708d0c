package top

import (
	"slices"
	"strings"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/requests"
)

// What is said under each name, for who shows rates and for who counts only. So many names are told apart; what is said under others
// is counted together. Names are what others choose: for a new one there is room again, else a program that is refused under ever new names
// would hide all that come later. Names that were only refused go first, and never does a refused name take the place of another.

const otherNames = "(other names)"

type counts struct {
	Name
	lately    flow
	reached   uint64 // lately
	answering time.Duration
}

// Names counts it. The zero Names has counted nothing.
type Names struct {
	all   map[string]*counts
	taken bool // nothing could be forgotten since the last Rows
}

// forgotten is how many names are forgotten at once: to find them costs a look at all.
const forgotten = mostNames / 10

func (n *Names) of(name string) *counts { return n.counts(name, false) }

func (n *Names) counts(name string, refused bool) *counts {
	c := n.all[name]
	if c == nil && len(n.all) >= mostNames && !n.makeRoom(refused) {
		name = otherNames
		c = n.all[name]
	}
	if c == nil {
		if n.all == nil {
			n.all = map[string]*counts{}
		}
		c = &counts{Name: Name{Name: name}}
		n.all[name] = c
	}
	return c
}

// makeRoom forgets some names, and reports whether there were any to be forgotten.
func (n *Names) makeRoom(refused bool) bool {
	if n.taken {
		return false
	}
	if n.forget(func(c *counts) bool { return c.Messages+c.Statuses+c.Answered == 0 }) {
		return true
	}
	if refused {
		return false
	}
	n.taken = !n.forget(func(c *counts) bool { return c.lately.messages == 0 })
	return !n.taken
}

// forget counts some of the names that may go among the others.
func (n *Names) forget(may func(*counts) bool) bool {
	var gone []*counts
	for name, c := range n.all {
		if name != otherNames && may(c) {
			if gone = append(gone, c); len(gone) == forgotten {
				break
			}
		}
	}
	for _, c := range gone {
		delete(n.all, c.Name.Name)
	}
	for _, c := range gone {
		n.of(otherNames).add(c)
	}
	return len(gone) > 0
}

// add counts what another name has, too.
func (c *counts) add(o *counts) {
	c.lately.messages += o.lately.messages
	c.lately.bytes += o.lately.bytes
	c.reached += o.reached
	c.answering += o.answering
	c.Messages += o.Messages
	c.Bytes += o.Bytes
	c.Copies += o.Copies
	c.Skipped += o.Skipped
	c.Refused += o.Refused
	c.Statuses += o.Statuses
	c.Answered += o.Answered
	c.Longest = max(c.Longest, o.Longest)
	if c.Answered > 0 {
		c.Mean = c.answering / time.Duration(c.Answered)
	}
}

// Note counts a message that was sent, or a Status. answered is the Request that it ends; nil: none.
func (n *Names) Note(e *kbus.Event, answered *requests.Request) {
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
		n.counts(e.Message.Name, true).Refused++
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
func (n *Names) Rows(over time.Duration) []Name {
	n.taken = false
	rows := make([]Name, 0, len(n.all))
	for _, c := range n.all {
		row := c.Name
		row.Rate, row.Reached = c.lately.rate(over), flow{messages: c.reached}.rate(over).Messages
		c.lately, c.reached = flow{}, 0
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b Name) int { return strings.Compare(a.Name, b.Name) })
	return rows
}
