package metrics

import (
	"slices"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// Names are labels only where somebody has said so, and only so many: each of them is a series of its own in a data base
// that keeps it for months, and on some buses programs put numbers into names.

// others is the label of the names that have none of their own. It is no name that a message could have.
const others = "(other names)"

type name struct {
	announcements, requests, replies, statuses uint64
	bytes, reached, skipped                    uint64
	answers                                    uint64
	answering                                  time.Duration
	within                                     [len(limits)]uint64 // answers that duration no longer, and longer than the limit before
}

// limits of the histogram of answers, in seconds: from what a call takes on a quiet machine to what a person notices.
var limits = [...]float64{.00002, .00005, .0001, .0002, .0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10}

func (n *name) answer(duration time.Duration) {
	n.answers++
	n.answering += duration
	if i, _ := slices.BinarySearch(limits[:], duration.Seconds()); i < len(limits) {
		n.within[i]++
	}
}

// buckets are the counts as a histogram has them: how many duration no longer than each limit.
func (n *name) buckets() map[float64]uint64 {
	all, sum := make(map[float64]uint64, len(limits)), uint64(0)
	for i, limit := range limits {
		sum += n.within[i]
		all[limit] = sum
	}
	return all
}

// name gives the figures of a name, or those of all others.
func (b *Bus) name(of string) *name {
	n := b.names[of]
	if n != nil {
		return n
	}
	own := func(p string) bool { return message.Matches(p, of) }
	if len(b.names) >= b.config.Most || !slices.ContainsFunc(b.config.Names, own) {
		of = others
		if n = b.names[of]; n != nil {
			return n
		}
	}
	n = &name{}
	b.names[of] = n
	return n
}

func condition(err error) string {
	if c, ok := err.(kbus.Condition); ok {
		return c.Name()
	}
	return "other"
}
