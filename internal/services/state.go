package services

import (
	"math"
	"time"

	"kbus.example/kbus/internal/form"
)

// What a daemon that takes over has to know of services. Times are told from now on, or before now, since the clocks of two
// processes may differ. What is to be done is not in it, for that is done before; nor what is wanted, since the buses call for that
// again, and then its deadline begins anew.

// KeeperState is all services.
type KeeperState struct{ Services []ServiceState }

// ServiceState is one of them.
type ServiceState struct {
	Service Service
	Left    bool // no longer configured, but still running
	PID     int
	Runs    bool
	Bound   bool
	Began   time.Duration
	KillAt  time.Duration
	Count   int // of failures
	Last    string
	At      time.Duration // of the last
	Refused time.Duration

	Guardian int // which one has the program; the keeper does not know it
}

// never is a time that is not set.
const never = math.MinInt64

func since(now, t time.Time) time.Duration {
	if t.IsZero() {
		return never
	}
	return t.Sub(now)
}

func from(now time.Time, d time.Duration) time.Time {
	if d == never {
		return time.Time{}
	}
	return now.Add(d)
}

// StateOf gives what there is to hand over. Nothing may be left to be done.
func StateOf(k *Keeper, now time.Time) (all KeeperState) {
	for i, s := range append(k.all[:len(k.all):len(k.all)], k.left...) {
		t := ServiceState{
			Service: *s.Service, Left: i >= len(k.all), PID: s.pid, Runs: s.runs, Bound: s.bound, Began: since(now, s.began), KillAt: since(now, s.killAt),
			Count: s.failed.count, Last: s.failed.last, At: since(now, s.failed.at), Refused: since(now, s.refused), Guardian: -1,
		}
		all.Services = append(all.Services, t)
	}
	return all
}

// Resume begins with what another has handed over. Services in actions are those of that state, which is the Keeper's from now on. Use
// must follow.
func Resume(k *Keeper, all *KeeperState, now time.Time) {
	k.all, k.left = nil, nil
	for i := range all.Services {
		t := &all.Services[i]
		s := &state{
			Service: &t.Service, now: &t.Service, pid: t.PID, runs: t.Runs, bound: t.Bound, began: from(now, t.Began), killAt: from(now, t.KillAt), wanted: map[string]want{},
			failed: failure{t.Count, t.Last, from(now, t.At)}, refused: from(now, t.Refused),
		}
		if t.Left {
			k.left = append(k.left, s)
		} else {
			k.all = append(k.all, s)
		}
	}
}

// Code writes a KeeperState, or reads one.
func (s *KeeperState) Code(c *form.Coder) {
	c.Mark("services")
	form.List(c, &s.Services, codeService)
}

func codeService(c *form.Coder, t *ServiceState) {
	s := &t.Service
	form.Int(c, &s.Bus)
	form.Strings(c, &s.Names)
	form.Strings(c, &s.Exec)
	form.String(c, &s.Unit)
	form.Maybe(c, &s.As, codeIdentity)
	form.Int(c, &s.Deadline)
	form.String(c, &s.File)
	form.Bools(c, &t.Left, &t.Runs, &t.Bound)
	form.Int(c, &t.PID)
	form.Int(c, &t.Guardian)
	form.Int(c, &t.Began)
	form.Int(c, &t.KillAt)
	form.Int(c, &t.Count)
	form.String(c, &t.Last)
	form.Int(c, &t.At)
	form.Int(c, &t.Refused)
}

func codeIdentity(c *form.Coder, i *Identity) {
	form.String(c, &i.User)
	form.String(c, &i.Home)
	form.Uint(c, &i.UID)
	form.Uint(c, &i.GID)
	form.Uints(c, &i.Groups)
}
