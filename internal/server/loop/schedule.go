package loop

// schedule is whose turn it is, and when. Only what has something to do is in it, so that a turn costs nothing for those that
// are silent.
type schedule struct {
	unfinished []*conn    // with requests in memory, for the next turn
	worked     []*conn    // the other of the two slices
	resumed    line       // taken over from another process, without a turn so far
	movedIn    func()     // is told when the bus has all data of its messages itself; nil: it has been
	late       []*account // users with connections that are put off, see fair.go
	crowd      crowd
	turns      uint64
	rivals     rivals
	recent     recent

	stopping, finished bool
}

// again puts a connection among those with work left.
func (s *schedule) again(c *conn) {
	if !c.unfinished {
		c.unfinished = true
		s.unfinished = append(s.unfinished, c)
	}
}

// putOff puts a connection at the end of its user's line.
func (s *schedule) putOff(c *conn) {
	if c.putOff {
		return
	}
	c.putOff = true
	u := c.user
	if !u.late {
		u.late = true
		s.late = append(s.late, u)
	}
	u.line.push(c)
}
