package claims

import (
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/subject"
)

// Repliers that have come without having asked, and those that have gone: the directory follows what the bus has.

// Event takes a bind event of our bus.
func (c *Claims) Event(e kbus.BindEvent, of kbus.Origin) {
	j := job{do: (*Claims).unbound, name: e.Name, ksock: e.Binder, of: of}
	if e.Bind {
		j.do = (*Claims).bound
	}
	c.workers.put(j)
}

// InDirectory learns of a claim of ours that the directory has.
func (c *Claims) InDirectory(name string, revision uint64) {
	c.workers.put(job{do: (*Claims).unheld, name: name, revision: revision})
}

// Recheck repairs what no event tells of: claims of ours in the directory that we do not hold, and names that we hold
// without a claim, since a time when there was no quorum.
func (c *Claims) Recheck() {
	ours := c.Mirror.ClaimsOf(c.Self.Member)
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, claim := range ours {
		if c.held[name] == nil {
			c.InDirectory(name, claim.Revision)
		}
	}
	for name, h := range c.held {
		if h.revision == 0 && h.awaited == 0 {
			c.workers.put(job{do: (*Claims).bound, name: name, ksock: h.ksock, of: h.of})
		}
	}
}

// Compare releases what we hold for Repliers that are not among those bound, which were read at that moment.
func (c *Claims) Compare(bound map[string]kbus.KsockID, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, h := range c.held {
		if bound[name] != h.ksock {
			c.workers.put(job{do: (*Claims).missing, name: name, at: at})
		}
	}
}

// bound learns that a Replier is bound. If we have not allowed it, it was there before us, and must be claimed now.
func (c *Claims) bound(j *job) {
	c.mu.Lock()
	h := c.held[j.name]
	known := h != nil && (h.awaited > 0 || h.ksock == j.ksock && h.revision != 0)
	if h != nil && h.awaited > 0 {
		h.awaited--
	}
	c.mu.Unlock()
	if known {
		return
	}
	revision, verdict := c.claim(j.name, j.ksock, j.of)
	if c.ctx.Err() != nil {
		return
	}
	if verdict != 0 && (!c.Available || verdict == kbus.ErrReplierBound) {
		c.Log.Warn("a Replier is unbound, because nobody can vouch for it", "name", j.name, "ksock", j.ksock, "why",
			verdict)
		if err := c.Admission.Evict(j.ksock, j.name); err != nil {
			c.Fail(err)
		}
		c.mu.Lock()
		delete(c.held, j.name)
		c.mu.Unlock()
		return
	}
	c.mu.Lock()
	c.held[j.name] = &holding{ksock: j.ksock, of: j.of, revision: revision, since: now()}
	c.mu.Unlock()
}

// unbound learns that a Replier is bound no more, and releases the name, unless another Ksock has it by now.
func (c *Claims) unbound(j *job) {
	c.mu.Lock()
	h := c.held[j.name]
	over := h != nil && h.awaited == 0 && h.ksock == j.ksock
	c.mu.Unlock()
	if over && !h.takenOver(c, j.name) {
		c.release(j.name, h)
	}
}

// takenOver reports whether a standby is the Replier now. It was that in the step in which the one before it went, so the claim
// has never been without a Replier, and stays: no other member sees a difference. Whoever else binds on our bus asks us first.
func (h *holding) takenOver(c *Claims, name string) bool {
	now, err := c.Admission.Replier(name)
	if err != nil {
		c.Fail(err)
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if now == 0 || h.awaited > 0 || c.held[name] != h {
		return h.awaited > 0
	}
	h.ksock = now
	return true
}

// missing releases a name that the bus did not have. A holding that is younger than that news is not judged.
func (c *Claims) missing(j *job) {
	c.mu.Lock()
	h := c.held[j.name]
	over := h != nil && h.since.Before(j.at)
	c.mu.Unlock()
	if over && !h.takenOver(c, j.name) {
		c.release(j.name, h)
	}
}

// unheld deletes a claim of ours that we do not hold: its result was never known, or it could not be released.
func (c *Claims) unheld(j *job) {
	if c.holding(j.name) == nil {
		_ = c.Mirror.Names.Delete(c.ctx, subject.Claim(j.name), j.revision) // tried again
	}
}

func (c *Claims) release(name string, h *holding) {
	c.mu.Lock()
	delete(c.held, name)
	c.mu.Unlock()
	if h.revision != 0 {
		_ = c.Mirror.Names.Delete(c.ctx, subject.Claim(name), h.revision) // else Recheck finds it
	}
}
