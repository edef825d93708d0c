package claims

import "kbus.example/kbus"

// A Bind on our bus waits until its name is claimed in the directory, or another member has it.

// Bind begins to decide about a bind on our bus that waits.
func (c *Claims) Bind(b kbus.BindRequest) {
	c.workers.put(job{do: (*Claims).decide, name: b.Name, ksock: b.Ksock, bind: b})
}

// decide claims the name for a bind that waits.
func (c *Claims) decide(j *job) {
	if h := c.holding(j.name); h != nil {
		c.handOver(j, h)
		return
	}
	revision, verdict := c.claim(j.name, j.ksock, j.bind.Of)
	if verdict == kbus.ErrNoFederation && c.Available {
		verdict = 0
	}
	if verdict != 0 {
		c.Admission.Refuse(j.bind, verdict)
		return
	}
	h := &holding{ksock: j.ksock, of: j.bind.Of, revision: revision, awaited: 1, since: now()}
	c.mu.Lock()
	c.held[j.name] = h
	c.mu.Unlock()
	if c.Admission.Allow(c, j.bind) != nil { // the bind has failed all the same
		c.release(j.name, h)
	}
}

// handOver is for a name that our bus has already, for another Ksock. Whether that one still has it, the bus knows;
// nothing is changed in the directory unless it has not.
func (c *Claims) handOver(j *job, h *holding) {
	c.mu.Lock()
	before := *h
	h.ksock, h.of, h.since = j.ksock, j.bind.Of, now()
	h.awaited++
	c.mu.Unlock()
	allowed := c.Admission.Allow(c, j.bind) == nil
	var revision uint64
	if allowed {
		revision, _ = c.claim(j.name, j.ksock, j.bind.Of) // 0: the claim stays that of the one before, and is ours
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !allowed:
		h.ksock, h.of, h.since = before.ksock, before.of, before.since
		h.awaited--
	case revision != 0:
		h.revision = revision
	}
}
