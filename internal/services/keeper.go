package services

import (
	"fmt"
	"slices"
	"time"
)

// After a failure the next try waits: one second, then twice as long each time, and never longer than a minute. A program that
// has been the Replier and lived so long has not failed, whatever its end is.
const (
	leastPause = time.Second
	mostPause  = time.Minute
	longLife   = 10 * time.Second
)

// Grace is how long a program that is told to end may take.
const Grace = 5 * time.Second

// Deed is what is to be done.
type Deed uint8

// The deeds.
const (
	Start      Deed = iota + 1 // the program, or systemd's unit; then Ended or, of a unit, Asked must follow some day
	End                        // ask the program to end
	Kill                       // it has not ended in time
	NotStarted                 // the bus is to be told why a name has no Replier
)

// Action is one of them.
type Action struct {
	Deed    Deed
	Service *Service
	Bus     int    // of NotStarted
	Name    string // likewise
	Why     string // likewise
}

// Keeper keeps account of services. It is not safe for concurrent use.
type Keeper struct {
	all     []*state
	left    []*state // no longer configured, but still running
	byName  map[address]*state
	actions []Action
	ending  bool
}

type address struct {
	bus  int
	name string
}

// state is how it is with one service.
type state struct {
	*Service          // as it was when it was last started
	now      *Service // as it is configured: another file may say the same
	pid      int
	runs     bool // a program that was started has not ended; of a unit: systemd has not answered
	bound    bool // the program has been the Replier of one of its names since its start
	began    time.Time
	killAt   time.Time       // it has been asked to end
	wanted   map[string]want // names with Requests that wait
	lacked   map[string]bool // names that have been wanted since they last had a Replier
	failed   failure
	refused  time.Time // no try before that
}

type want struct {
	until time.Time
	ends  int // how often a program has ended since
}

// Ending is how a program has ended.
type Ending uint8

// The ways to end.
const (
	Badly   Ending = iota // a failure
	Well                  // no failure, if it has been the Replier
	Unknown               // nobody knows, so it does not count
)

type failure struct {
	count int
	last  string
	at    time.Time
}

// Wanted is for a Request of a name that waits, and is the first.
func (k *Keeper) Wanted(bus int, name string, now time.Time) {
	s := k.byName[address{bus, name}]
	switch {
	case s == nil:
		k.act(Action{Deed: NotStarted, Bus: bus, Name: name, Why: "no service is configured for it"})
		return
	case k.ending:
		k.notStarted(s, name, "the daemon is stopping")
		return
	}
	s.wanted[name] = want{until: now.Add(s.Deadline)}
	if s.lacked == nil {
		s.lacked = map[string]bool{}
	}
	s.lacked[name] = true
	if !s.runs {
		k.start(s, now)
	}
}

// start starts a service, or says that it is too early for that.
func (k *Keeper) start(s *state, now time.Time) {
	if wait := s.refused.Sub(now); wait > 0 {
		k.giveUp(s, fmt.Sprintf("it has failed %s, last: %s; next try in %d s", times(s.failed.count), s.failed.last, seconds(wait)))
		return
	}
	if mustWait(k, s) {
		return
	}
	s.Service = s.now
	s.runs, s.bound, s.pid, s.began, s.killAt = true, false, 0, now, time.Time{}
	k.act(Action{Deed: Start, Service: s.Service})
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times in a row", n)
}

// seconds rounds up, for people.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// Bound is for a name that has a Replier now.
func (k *Keeper) Bound(bus int, name string) {
	if s := k.byName[address{bus, name}]; s != nil {
		delete(s.wanted, name)
		delete(s.lacked, name)
		s.bound = true
		if s.Unit != "" {
			s.failed.count, s.refused = 0, time.Time{}
		}
	}
}

// Began is for a program that runs, as that process.
func (k *Keeper) Began(of *Service, pid int) {
	if s := k.find(of); s != nil {
		s.pid = pid
	}
}

// Asked is for systemd's answer, that it starts the unit.
func (k *Keeper) Asked(of *Service) {
	if s := k.find(of); s != nil {
		s.runs, s.pid = false, 0
	}
}

// Ended is for a program that has ended, or could not be started, or systemd would not.
func (k *Keeper) Ended(of *Service, how string, end Ending, now time.Time) {
	s := k.find(of)
	if s == nil {
		return
	}
	k.left = slices.DeleteFunc(k.left, func(l *state) bool { return l == s })
	ordered := !s.killAt.IsZero() // and the failure has been counted
	s.runs, s.pid, s.killAt = false, 0, time.Time{}
	startAfter(k, s, now)
	switch {
	case ordered, end == Unknown:
	case s.bound && end == Well:
		s.failed.count = 0
	case s.bound && now.Sub(s.began) >= longLife:
		s.failed = failure{last: how, at: now}
	default:
		k.fail(s, how, now)
	}
	if !s.bound && !ordered && end != Unknown {
		k.giveUp(s, how)
		return
	}
	again := false // wanted after the program had gone as Replier, or its guardian: that has another try
	for _, name := range s.Names {
		w, waits := s.wanted[name]
		if w.ends++; waits && w.ends > 1 {
			k.notStarted(s, name, how)
		} else if waits {
			s.wanted[name], again = w, true
		}
	}
	if again && !k.ending {
		k.start(s, now)
	}
}

// fail counts a failure.
func (k *Keeper) fail(s *state, how string, now time.Time) {
	s.failed = failure{s.failed.count + 1, how, now}
	pause := mostPause
	if n := s.failed.count - 1; n < 6 {
		pause = min(leastPause<<n, mostPause)
	}
	s.refused = now.Add(pause)
}

// giveUp answers all that waits for a service.
func (k *Keeper) giveUp(s *state, why string) {
	for _, name := range s.Names {
		if _, waits := s.wanted[name]; waits {
			k.notStarted(s, name, why)
		}
	}
}

func (k *Keeper) notStarted(s *state, name, why string) {
	delete(s.wanted, name)
	k.act(Action{Deed: NotStarted, Service: s.Service, Bus: s.Bus, Name: name, Why: fmt.Sprintf("%v: %s", s.Service, why)})
}

func (k *Keeper) act(a Action) { k.actions = append(k.actions, a) }

// mustWait reports whether a program for a name of s, as that was configured before, has been told to end and still runs.
func mustWait(k *Keeper, s *state) bool {
	return slices.ContainsFunc(k.left, func(l *state) bool { return l.Unit == "" && !l.killAt.IsZero() && l.shares(s) })
}

// startAfter starts what had to wait for the end of a program.
func startAfter(k *Keeper, ended *state, now time.Time) {
	for _, s := range k.all {
		if s != ended && len(s.wanted) > 0 && !s.runs && s.shares(ended) && !k.ending {
			k.start(s, now)
		}
	}
}

func (s *state) shares(other *state) bool {
	return s.Bus == other.Bus && slices.ContainsFunc(s.Names, func(name string) bool { return slices.Contains(other.Names, name) })
}

// Tick is for when Next has come: time is over for somebody.
func (k *Keeper) Tick(now time.Time) {
	for _, s := range slices.Concat(k.all, k.left) {
		if !s.killAt.IsZero() && !now.Before(s.killAt) {
			s.killAt = now.Add(Grace)
			k.act(Action{Deed: Kill, Service: s.Service})
		}
		late := false
		for _, name := range s.Names {
			if w, waits := s.wanted[name]; waits && !now.Before(w.until) {
				late = true
				k.notStarted(s, name, fmt.Sprintf("it has not become the Replier of %s within %v", name, s.Deadline))
			}
		}
		if !late || s.bound && s.runs && len(s.lacked) < len(s.Names) {
			continue // one that may be the Replier of another name is let be
		}
		if s.killAt.IsZero() && !mustWait(k, s) {
			k.fail(s, fmt.Sprintf("it has not become the Replier within %v", s.Deadline), now)
		}
		k.end(s, now)
	}
}

// end asks a program to end.
func (k *Keeper) end(s *state, now time.Time) {
	if s.runs && s.killAt.IsZero() {
		s.killAt = now.Add(Grace)
		k.act(Action{Deed: End, Service: s.Service})
	}
}

// Next is when Tick is due; zero: nobody waits.
func (k *Keeper) Next() (at time.Time) {
	sooner := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	for _, s := range slices.Concat(k.all, k.left) {
		sooner(s.killAt)
		for _, w := range s.wanted {
			sooner(w.until)
		}
	}
	return at
}

// Actions gives what is to be done, in this order, since the last call.
func (k *Keeper) Actions() []Action {
	a := k.actions
	k.actions = nil
	return a
}

// EndAll asks all programs to end, and starts none from now on. It may be called again, when there is no more time: then
// they are killed.
func (k *Keeper) EndAll(now time.Time) {
	again := k.ending
	k.ending = true
	for _, s := range slices.Concat(k.all, k.left) {
		k.giveUp(s, "the daemon is stopping")
		switch {
		case again && s.runs:
			k.act(Action{Deed: Kill, Service: s.Service})
		default:
			k.end(s, now)
		}
	}
}

// Idle reports whether nothing is to be done now.
func (k *Keeper) Idle() bool { return len(k.actions) == 0 }

// Running reports whether a program that was started has not ended.
func (k *Keeper) Running() bool {
	return slices.ContainsFunc(slices.Concat(k.all, k.left), func(s *state) bool { return s.runs })
}
