package pair

import (
	"context"
	"math/rand/v2"
	"time"
)

// pause is how long to wait before trying again: longer each time, up to a longest, and never quite the same, so that
// many who have lost the same end do not all come back at once.
type pause struct {
	next, longest time.Duration
}

const shortest = 100 * time.Millisecond

// steady is how long a link must have lasted for its loss to be a new one and not the old one again.
const steady = 5 * time.Second

func newPause(longest time.Duration) *pause { return &pause{min(shortest, longest), longest} }

func (p *pause) reset() { p.next = min(shortest, p.longest) }

// length is how long the next pause is.
func (p *pause) length() time.Duration {
	now := p.next
	p.next = min(2*p.next, p.longest)
	return now*3/4 + rand.N(now/2+1)
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
