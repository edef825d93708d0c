package services

import (
	"slices"
	"time"
)

// Services may be configured anew while programs of them run.

// Use has services known from now on, in the place of those that were. One that is as before goes on as it is. The program of
// one that is not is let be if it has been a Replier, and else told to end; what waits for a name has the new service
// started.
func (k *Keeper) Use(set *Set, now time.Time) {
	before := k.all
	k.all, k.byName = nil, map[address]*state{}
	for _, one := range set.Services {
		s := &state{Service: one, now: one, wanted: map[string]want{}}
		if i := slices.IndexFunc(before, func(b *state) bool { return b.same(one) }); i >= 0 {
			s = before[i]
			s.now = one
			before = slices.Delete(slices.Clone(before), i, i+1)
		}
		k.all = append(k.all, s)
		for _, name := range one.Names {
			k.byName[address{one.Bus, name}] = s
		}
	}
	for _, gone := range before {
		wanted := gone.wanted
		gone.wanted = map[string]want{}
		if gone.runs {
			k.left = append(k.left, gone)
			if !gone.bound {
				k.end(gone, now)
			}
		}
		for _, name := range gone.Names {
			if _, waits := wanted[name]; waits && k.byName[address{gone.Bus, name}] != nil {
				k.Wanted(gone.Bus, name, now)
			}
		}
	}
}

// find gives the state of a service that an action was about.
func (k *Keeper) find(of *Service) *state {
	for _, s := range slices.Concat(k.all, k.left) {
		if s.Service == of {
			return s
		}
	}
	return nil
}
