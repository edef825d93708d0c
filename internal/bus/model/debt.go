package model

import "kbus.example/kbus/message"

// A bus may make many Statuses in pieces. How many at a time is its own affair, but they are these, in this order, and
// until one is made its Request is open.

// debt is a Status that is not made yet.
type debt struct {
	name, why string
	from      message.KsockID
	r         request
}

// owing is what a bus owes.
type owing struct {
	later bool // see Later
	debts []debt
}

// Later has the Statuses that an operation brings in the stead of Repliers wait for Pay, from now on or no more.
func (o *owing) Later(later bool) { o.later = later }

// answer makes a Status for a Request in the stead of a Replier that will not, at once or later.
func answer(b *Bus, name string, from message.KsockID, r request) { answerWhy(b, name, "", from, r) }

func answerWhy(b *Bus, name, why string, from message.KsockID, r request) {
	if b.later {
		b.debts = append(b.debts, debt{name, why, from, r})
		return
	}
	statusWhy(b, name, why, from, r)
}

// Pay makes so many of the Statuses that are owed. Nobody is told of a closed Ksock's own Requests.
func Pay(b *Bus, statuses int) {
	for _, d := range b.debts[:statuses] {
		if d.name != message.NameGoneAway || d.r.from != d.from {
			statusWhy(b, d.name, d.why, d.from, d.r)
		}
	}
	b.debts = b.debts[statuses:]
}
