package gauge

import (
	"errors"
	"fmt"
	"time"
)

// Waiting for other processes on the page that they share: for all to be ready, and for the slowest consumer. Nobody waits for
// ever.

// errFailed means that another process has given up. That process has printed why.
var errFailed = errors.New("a client process has failed")

// waitReady waits until that many clients can begin.
func (p *page) waitReady(clients uint32) error {
	for began := time.Now(); ; {
		n := p.ready.Load()
		switch {
		case p.failed.Load() != 0:
			return errFailed
		case n >= clients:
			return nil
		case time.Since(began) > stall:
			return fmt.Errorf("only %d of %d clients are ready after %v", n, clients, stall)
		}
		futexWait(&p.ready, n, stall)
	}
}

// waitGot waits until every consumer has that many messages. It is an error if no consumer gets anything for too long.
//
// The target is written before the counts are looked at, and consumers count before they look at the target, so one
// of the two sees the other: no wake-up is lost. The word keeps it from being lost between looking and sleeping.
func (p *page) waitGot(consumers int, messages uint64) error {
	defer p.target.Store(0)
	var before uint64
	for since := time.Now(); ; {
		rung := p.bell.Load()
		p.target.Store(messages)
		slowest := p.slowest(consumers)
		if slowest != before {
			before, since = slowest, time.Now()
		}
		switch {
		case p.failed.Load() != 0:
			return errFailed
		case slowest >= messages:
			return nil
		case time.Since(since) > stall:
			return fmt.Errorf("the slowest consumer has %d of %d messages and gets no more", slowest, messages)
		}
		futexWait(&p.bell, rung, stall)
	}
}
