package loop

// A client that finds us asleep must ring, which is a system call for it and one more wait for us. Whoever has just been
// served is likely to be heard of again before we sleep: the Replier that a Request goes to, the caller that a Reply goes
// to. So while the loop works, the last few peers with rings are marked awake, and need not ring; before the loop waits
// for events it dozes each of them, which looks at its ring once more, and serves those that have put something there.
// Nobody sleeps for ever by that: it is Doze that decides, as for every other connection, only later.

// keptAwake is how many peers those are. Each costs two stores a turn to memory that its client reads.
const keptAwake = 4

// recent are the peers whose rings were found empty last.
type recent struct {
	conns [keptAwake]*conn
	next  int
}

// noteRecent has a peer among them, in the place of the oldest. That one must ring from now on.
func (s *schedule) noteRecent(c *conn) {
	r := &s.recent
	for _, have := range r.conns {
		if have == c {
			return
		}
	}
	oldest := r.conns[r.next]
	r.conns[r.next] = c
	r.next = (r.next + 1) % keptAwake
	if oldest != nil && oldest.rings.awake {
		oldest.rings.awake = false
		if !oldest.rings.reader.Doze() {
			s.again(oldest)
		}
	}
}

// forget is for a connection that ends: its ring must not be looked at any more.
func (r *recent) forget(c *conn) {
	if c.rings != nil {
		c.rings.awake = false
	}
	for i, have := range r.conns {
		if have == c {
			r.conns[i] = nil
		}
	}
}

// keepAwake marks them, when the loop has something to do.
func (s *schedule) keepAwake() {
	for _, c := range s.recent.conns {
		if c != nil && c.rings.spoiled == nil && !c.rings.closed {
			c.rings.reader.Awake()
			c.rings.awake = true
		}
	}
}

// doze says that there is nothing to be read from a connection, and reports false if there is after all. It is put off
// for one that is kept awake.
func (s *schedule) doze(c *conn) bool {
	if c.rings.awake {
		return true
	}
	s.noteRecent(c)
	return c.rings.reader.Doze()
}

// dozePeers is for before the loop waits.
func (l *Loop) dozePeers() {
	for _, c := range l.recent.conns {
		if c == nil || !c.rings.awake {
			continue
		}
		c.rings.awake = false
		if !c.rings.reader.Doze() && !c.unfinished && !c.putOff {
			l.turn(c, true)
		}
	}
}
