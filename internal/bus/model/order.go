package model

import (
	"fmt"
	"slices"

	"kbus.example/kbus/message"
)

// All readers of two given messages receive them in the same order (R4.36). Each client's history is a chain: this
// one before that one. The chains of all clients together must not lead in a circle, for then no single order
// explains them. Comparing clients pair by pair would not do: three clients can contradict each other although no two
// of them do.

// turn says whether a message came in the order in which the bus delivered it. Urgent ones do not, nor does what was
// picked from the queue; an event may have been set aside (R6.29), and its reader cannot tell; a Request that was held comes
// when its Replier binds.
func (r *Receipt) turn() bool {
	return !r.Flags.Has(message.Urgent) && !r.Picked && !r.isEvent() && !(r.Held && r.WantsUsToReply())
}

func (r *Receipt) isEvent() bool {
	return r.Flags.Has(message.Synthetic) &&
		(r.Name == message.NameReplierBindEvent || r.Name == message.NameUnbindEventsLost)
}

// CheckOrder finds messages that different clients received in different orders (R4.36), and gives one circle of them.
func CheckOrder(history []Client) (violations []string) {
	after := map[message.ID][]message.ID{} // what some client received directly after
	before := map[message.ID]int{}         // how many places in after an id has
	for _, c := range history {
		var last message.ID
		seen := map[message.ID]bool{}
		for _, m := range c.Got {
			if !m.turn() || seen[m.ID] {
				continue
			}
			if seen[m.ID] = true; len(seen) > 1 {
				after[last] = append(after[last], m.ID)
				before[m.ID]++
			}
			last = m.ID
		}
	}
	// Take away what nothing comes before, until nothing is left, or only what is in or after a circle.
	var free []message.ID
	for id := range after {
		if before[id] == 0 {
			free = append(free, id)
		}
	}
	for len(free) > 0 {
		id := free[0]
		free = free[1:]
		for _, next := range after[id] {
			if before[next]--; before[next] == 0 {
				free = append(free, next)
			}
		}
	}
	if circle := findCircle(after, before); circle != nil {
		violations = append(violations, fmt.Sprintf("R4.36: no one order: received one after the other, %v", circle))
	}
	return violations
}

// findCircle walks backwards among the ids that something is still before; going forwards could lead out of the circle.
func findCircle(after map[message.ID][]message.ID, before map[message.ID]int) (walk []message.ID) {
	previous := map[message.ID]message.ID{}
	for id, all := range after {
		for _, next := range all {
			if before[id] > 0 {
				previous[next] = id
			}
		}
	}
	for id := range previous {
		for !contains(walk, id) {
			walk = append(walk, id)
			id = previous[id]
		}
		walk = append(walk[slices.Index(walk, id):], id)
		slices.Reverse(walk)
		return walk
	}
	return nil
}

// CheckSerials finds messages with an id of the bus's own that a client received before others with a smaller one.
// Ids are given out in the order of delivery, but to what waits for room (R4.37). Events that were set aside keep
// their order among themselves (F16), and so do all unbind events; a report of what was bound already may come before
// them (R6.24).
func CheckSerials(c Client) (violations []string) {
	var last, lastUnbind message.ID
	check := func(last *message.ID, id message.ID) {
		if *last != (message.ID{}) && int32(id.Serial-last.Serial) < 0 { // the numbers go round (R1.12)
			violations = append(violations, fmt.Sprintf("R4.36: Ksock %d got %v after %v", c.ID, id, *last))
		}
		*last = id
	}
	for _, m := range c.Got {
		event, _ := message.ParseBindEvent(m.Data)
		switch {
		case m.ID.Network != 0:
		case m.isEvent() && !event.Bind:
			check(&lastUnbind, m.ID)
		case m.turn() && !m.Flags.Has(message.AllOrWait):
			check(&last, m.ID)
		}
	}
	return violations
}
