package federation

import (
	"encoding/json"
	"errors"
	"hash/maphash"
	"sync"
	"time"

	"kbus"
	"kbus/limpet/federation/directory"
	"kbus/limpet/federation/store"
	"kbus/limpet/federation/subject"
)

// A Bind on our bus waits until the name is claimed in the directory. Clerks do that, several so that one slow claim
// does not hold up all, and always the same one for a name, so that what happens to a name happens in one order.

const clerks = 8

// holding is a name that we have claimed for a Ksock of our bus.
type holding struct {
	ksock    uint32
	of       kbus.Origin // whose proxy it is, if it is one
	revision uint64      // of the claim
	awaited  int         // bind events that are still to come for Binds that we have allowed
	since    time.Time
}

// job is something that has happened to a name.
type job struct {
	what     func(*session, *job)
	name     string
	ksock    uint32
	of       kbus.Origin // whose proxy it is, if it is one
	claim    kbus.Claim
	revision uint64
	at       time.Time
}

// isClaim tells whether a Bind waits for the job to be done.
func (j *job) isClaim() bool { return j.claim.Name != "" }

// desk is the queue of a clerk. It has no limit of its own: it holds one job for each claim, of which the bus lets 4096
// wait, and for each bind event, of which our queue bounds the number.
type desk struct {
	mu   sync.Mutex
	jobs []job
	bell chan struct{}
}

func (d *desk) init() { d.bell = make(chan struct{}, 1) }

func (d *desk) put(j job) {
	d.mu.Lock()
	d.jobs = append(d.jobs, j)
	d.mu.Unlock()
	select {
	case d.bell <- struct{}{}:
	default:
	}
}

func (d *desk) work(s *session) func() error {
	return func() error {
		for {
			select {
			case <-s.ctx.Done():
				return nil
			case <-d.bell:
			}
			d.mu.Lock()
			jobs := d.jobs
			d.jobs = nil
			d.mu.Unlock()
			for i := range jobs {
				if s.ctx.Err() == nil || jobs[i].isClaim() {
					jobs[i].what(s, &jobs[i])
				}
			}
		}
	}
}

var seed = maphash.MakeSeed()

func (s *session) put(j job) { s.desk(j.name).put(j) }

func (s *session) desk(name string) *desk { return &s.clerks[maphash.String(seed, name)%clerks] }

// dropClaims decides the claims that are left when the session has ended and its clerks have gone: nobody may wait for
// ever.
func (s *session) dropClaims() {
	for i := range s.clerks {
		d := &s.clerks[i]
		d.mu.Lock()
		jobs := d.jobs
		d.jobs = nil
		d.mu.Unlock()
		for i := range jobs {
			if jobs[i].isClaim() {
				jobs[i].what(s, &jobs[i])
			}
		}
	}
}

// decide claims the name for a Bind that waits.
func (s *session) decide(j *job) {
	s.mu.Lock()
	h := s.held[j.name]
	s.mu.Unlock()
	if h != nil {
		s.decideOurs(j, h)
		return
	}
	revision, verdict := s.claim(j.name, j.ksock, j.claim.Of)
	if verdict == kbus.ErrNoFederation && s.Available {
		verdict = 0
	}
	if verdict != 0 {
		_ = s.guard.federator.Decide(j.claim, verdict) // who asked may have gone
		return
	}
	h = &holding{ksock: j.ksock, of: j.claim.Of, revision: revision, awaited: 1, since: now()}
	s.mu.Lock()
	s.held[j.name] = h
	s.mu.Unlock()
	if s.guard.allow(s, j.claim) != nil { // the Bind has failed all the same
		s.release(j.name, h)
	}
}

// decideOurs is for a name that our bus has already, for another Ksock. Whether that one still has it, the bus knows;
// nothing is changed in the directory unless it has not.
func (s *session) decideOurs(j *job, h *holding) {
	s.mu.Lock()
	before := *h
	h.ksock, h.of, h.since = j.ksock, j.claim.Of, now()
	h.awaited++
	s.mu.Unlock()
	allowed := s.guard.allow(s, j.claim) == nil
	var revision uint64
	if allowed {
		revision, _ = s.claim(j.name, j.ksock, j.claim.Of) // 0: the claim stays that of the one before, and is ours
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !allowed:
		h.ksock, h.of, h.since = before.ksock, before.of, before.since
		h.awaited--
	case revision != 0:
		h.revision = revision
	}
}

// bound hears that somebody is bound. If we have not allowed it, it was there before us, and must be claimed now.
func (s *session) bound(j *job) {
	s.mu.Lock()
	h := s.held[j.name]
	known := h != nil && (h.awaited > 0 || h.ksock == j.ksock && h.revision != 0)
	if h != nil && h.awaited > 0 {
		h.awaited--
	}
	s.mu.Unlock()
	if known {
		return
	}
	revision, verdict := s.claim(j.name, j.ksock, j.of)
	if s.ctx.Err() != nil {
		return
	}
	if verdict != 0 && (!s.Available || verdict == kbus.ErrReplierBound) {
		s.Log.Warn("a Replier is unbound, because nobody can vouch for it", "name", j.name, "ksock", j.ksock, "why",
			verdict)
		s.evict(j.ksock, j.name)
		s.mu.Lock()
		delete(s.held, j.name)
		s.mu.Unlock()
		return
	}
	s.mu.Lock()
	s.held[j.name] = &holding{ksock: j.ksock, of: j.of, revision: revision, since: now()}
	s.mu.Unlock()
}

// unbound hears that somebody is no longer bound, and gives the claim back, unless it is for somebody else by now.
func (s *session) unbound(j *job) {
	s.mu.Lock()
	h := s.held[j.name]
	over := h != nil && h.awaited == 0 && h.ksock == j.ksock
	s.mu.Unlock()
	if over {
		s.release(j.name, h)
	}
}

// audited compares a holding with what the bus says it has. A holding that is younger than that is not judged.
func (s *session) audited(j *job) {
	s.mu.Lock()
	h := s.held[j.name]
	over := h != nil && h.since.Before(j.at)
	s.mu.Unlock()
	if over {
		s.release(j.name, h)
	}
}

// stray finds a claim of ours that we do not hold: its result was never known, or it could not be given back.
func (s *session) stray(j *job) {
	s.mu.Lock()
	h := s.held[j.name]
	s.mu.Unlock()
	if h == nil {
		_ = s.atlas.names.Delete(s.ctx, subject.Claim(j.name), j.revision) // tried again
	}
}

func (s *session) release(name string, h *holding) {
	s.mu.Lock()
	delete(s.held, name)
	s.mu.Unlock()
	if h.revision != 0 {
		_ = s.atlas.names.Delete(s.ctx, subject.Claim(name), h.revision) // else it is found as a stray
	}
}

func (s *session) evict(ksock uint32, name string) {
	if err := s.guard.evict(ksock, name); err != nil {
		s.end(err)
	}
}

// claim makes a name ours, and gives the revision of the claim. It swaps until it succeeds, or has seen that somebody
// holds the name whose epoch is not proved over. The Repliers of other bowls are for these to claim, and not for a pair
// that joins us to one of them.
func (s *session) claim(name string, ksock uint32, of kbus.Origin) (revision uint64, verdict kbus.Condition) {
	if !s.inTouch() {
		return 0, kbus.ErrNoFederation
	}
	key := subject.Claim(name)
	value := marshal(directory.Claim{
		Bowl: s.ID, Epoch: s.self.Epoch, Ksock: ksock, Network: of.Network, Hops: of.Local,
	})
	if s.atlas.alive(of.Network) {
		return 0, kbus.ErrReplierBound
	}
	s.mu.Lock()
	if h := s.held[name]; h != nil {
		revision = h.revision
	}
	s.mu.Unlock()
	const attempts = 5
	for range attempts {
		made, err := s.atlas.names.Swap(s.ctx, key, value, revision)
		if err == nil {
			return made, 0
		}
		if !errors.Is(err, store.ErrChanged) {
			return 0, kbus.ErrNoFederation
		}
		e, err := s.atlas.names.Read(s.ctx, key)
		if err != nil && !errors.Is(err, store.ErrNone) {
			return 0, kbus.ErrNoFederation
		}
		var other directory.Claim
		if err == nil && !e.Deleted {
			if json.Unmarshal(e.Value, &other) != nil || other.Bowl != s.ID && !s.over(other.Bowl, other.Epoch) {
				return 0, kbus.ErrReplierBound
			}
		}
		revision = e.Revision
	}
	return 0, kbus.ErrReplierBound
}

// over tells whether the log proves an epoch over.
func (s *session) over(bowl uint32, epoch uint64) bool {
	if s.atlas.over(bowl, epoch) {
		return true
	}
	e, err := s.atlas.leases.Read(s.ctx, subject.Lease(bowl))
	var t tenancy
	if err != nil || json.Unmarshal(e.Value, &t) != nil {
		return false
	}
	return t.Epoch > epoch || t.Epoch == epoch && t.Over
}
