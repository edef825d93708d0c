package pair

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is how long to wait before trying again: longer each time, up to a longest, and never quite the same, so that
// many Limpets that have lost the same end do not all come back at once.
type backoff struct {
	next, longest time.Duration
}

const firstPause = 100 * time.Millisecond

// steadyAfter is how long a link must have lasted for its loss to be a new one and not the old one again.
const steadyAfter = 5 * time.Second

func newBackoff(longest time.Duration) *backoff { return &backoff{min(firstPause, longest), longest} }

func (p *backoff) reset() { p.next = min(firstPause, p.longest) }

// length is how long the next pause is.
func (p *backoff) length() time.Duration {
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
