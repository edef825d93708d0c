package websocket

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Who runs the endpoint wants to know of a page that finds no door: whether its origin is written otherwise, or its token is
// another. The page itself is not told which, and the token is never written. Anybody may ask as often as they like, so it is one line
// in a while, which has the number of those that were passed over.

// between is how long it takes at least from one such line to the next.
const between = time.Second

// Refused is called with a line about a page that has found no door.
type Refused func(text string)

// refusals are those since the last line.
type refusals struct {
	mu     sync.Mutex
	next   time.Time
	passed int
}

// note writes a line, unless there was one just now.
func (r *refusals) note(to Refused, doors []*Door, origin, token, address string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if to == nil {
		return
	}
	if now.Before(r.next) {
		r.passed++
		return
	}
	text := fmt.Sprintf("refused at /socket: %s: %s", address, whyNoDoor(doors, origin, token))
	if r.passed > 0 {
		text += fmt.Sprintf("; %d more before it", r.passed)
	}
	r.next, r.passed = now.Add(between), 0
	to(text)
}

// whyNoDoor says why there is no door for an origin and a token.
func whyNoDoor(doors []*Door, origin, token string) string {
	if origin == "" {
		origin = NoOrigin
	}
	switch {
	case !slices.ContainsFunc(doors, func(d *Door) bool { return d.Origin == origin }):
		return fmt.Sprintf("no door is for the origin %.200q", origin)
	case token == "":
		return fmt.Sprintf("a page of %q has offered no token (subprotocol %s and the token)", origin, tokenPrefix)
	}
	return fmt.Sprintf("the token of a page of %q is that of no door for this origin", origin)
}
