package transport

import "time"

// patience is whether what a connection waits for comes so soon that it is worth waiting in the kernel.
//
// While a goroutine waits in the kernel the runtime believes that it works, and has a thread look after it, 50 000 times a
// second in the beginning. One program that waits for an answer hardly notices. With 64 that each wait for their turn, those
// looks were most of what the machine did. A shorter time limit is no way out: where the processor is a virtual one, to set a
// timer that is due before the next tick costs more than the round trip that is waited for.
//
// So we look at how long waits take. After one that was long the next ones are in the runtime's poller, until one is short
// again.
type patience struct {
	lost  bool  // the next wait is in the poller
	waits uint8 // in the kernel
}

// long is what a wait takes when it was not worth waiting in the kernel.
const long = time.Millisecond

// seldom is how many waits in the kernel there are for one that is timed, which costs a little.
const seldom = 8

// waited notes a wait in the kernel that began then.
func (p *patience) waited(began time.Duration) {
	if p.waits++; p.waits%seldom == 0 {
		p.lost = time.Since(started)-began > long
	}
}

// parked notes a wait in the poller.
func (p *patience) parked(began time.Duration) { p.lost = time.Since(started)-began > long }
