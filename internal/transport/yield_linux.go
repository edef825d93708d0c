package transport

import (
	"runtime"
	"time"
)

// turn keeps a goroutine that waits in the kernel again and again from looking like one that computes.
//
// It never passes through the scheduler: each wait is over before that is worth it. After 10 ms of the same turn the
// runtime sends it a signal, which ends a wait, and then looks at everything 10 000 times a second for some
// milliseconds. On one processor those looks were in the way of every twentieth round trip, which took three times as
// long. So before it waits it begins another turn now and then.
type turn struct{ begun time.Duration }

// longestTurn is how long one may last. A wait may come on top of it.
const longestTurn = 10*time.Millisecond - soon - 2*time.Millisecond

// started is what turns are counted from.
var started = time.Now()

// before is to be called before each wait, and gives the time.
func (t *turn) before() time.Duration {
	now := time.Since(started)
	if now-t.begun > longestTurn {
		runtime.Gosched()
		t.begun = now
	}
	return now
}
