package services

import "time"

// How services are, for who asks.

// Status is how a service is.
type Status struct {
	*Service
	State     State
	PID       int           // 0: none is known
	Failures  int           // in a row
	Last      string        // the last failure; "" if there was none
	LastAge   time.Duration // and how long ago it was
	NextTryIn time.Duration // of one that has failed
}

// State is how it is with a service in one word.
type State string

// The states.
const (
	Idle     State = "idle"     // nobody has asked, or the program has ended well
	Starting State = "starting" // it has been started and is not the Replier yet
	Running  State = "running"  // its program runs and has been the Replier
	Failed   State = "failed"   // the last try did; the next may have to wait
)

// Report tells of all services.
func (k *Keeper) Report(now time.Time) (all []Status) {
	for _, s := range k.all {
		t := Status{Service: s.now, State: Idle, PID: s.pid, Failures: s.failed.count, Last: s.failed.last}
		if t.Last != "" {
			t.LastAge = now.Sub(s.failed.at)
		}
		switch {
		case s.runs && s.bound:
			t.State = Running
		case s.runs, len(s.wanted) > 0:
			t.State = Starting
		case s.failed.count > 0:
			t.State, t.NextTryIn = Failed, max(s.refused.Sub(now), 0)
		}
		all = append(all, t)
	}
	return all
}
