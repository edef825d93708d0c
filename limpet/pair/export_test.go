package pair

import (
	"testing"
	"time"
)

// Hurry makes time pass faster for links that begin during a test.
func Hurry(t *testing.T, heartbeat, unread time.Duration) {
	everyWas, stuckWas := heartbeatEvery, stuck
	heartbeatEvery, stuck = heartbeat, unread
	t.Cleanup(func() { heartbeatEvery, stuck = everyWas, stuckWas })
}

// MaxPending is how many may have shown nothing.
const MaxPending = maxPending
