package session

// An Engine has its sessions in lists, so that nothing that it does goes through all of them: those that may have an answer
// now, whose window is out of date, or that have something to send. A session is in each list once at most.

// lists is the lists of an Engine.
type lists struct {
	sessions []*Session    // all, in no order
	ready    [2][]*Session // with a waiting request that may have an answer; the second is being worked through
	stale    [2][]*Session // with a window that does not show what it should; the second is being worked through
	dirty    [2][]*Session // with something to send; the second was handed out by Dirty
}

// listed is where in them a session stands.
type listed struct {
	index int  // in sessions
	dirty bool // or its request is being handled
	ready bool
	stale bool
}

func (l *lists) enter(s *Session) {
	s.index = len(l.sessions)
	l.sessions = append(l.sessions, s)
}

func (l *lists) leave(s *Session) {
	last := len(l.sessions) - 1
	l.sessions[s.index] = l.sessions[last]
	l.sessions[s.index].index = s.index
	l.sessions[last] = nil
	l.sessions = l.sessions[:last]
}

// look notes that a waiting request of s may have an answer now.
func (l *lists) look(s *Session) {
	if !s.ready && s.Waiting() > 0 {
		s.ready = true
		l.ready[0] = append(l.ready[0], s)
	}
}

// change notes that what the window of s should show may have changed.
func (l *lists) change(s *Session) {
	if !s.stale && s.window != nil {
		s.stale = true
		l.stale[0] = append(l.stale[0], s)
	}
}

// Dirty gives the sessions that have had something added to Out since the last call, each once, but not by their own
// Handle: its caller looks at Out anyway. The slice is valid until the next call.
func (l *lists) Dirty() []*Session {
	answered := l.dirty[1]
	if len(answered) == 0 && len(l.dirty[0]) == 0 {
		return nil
	}
	clear(answered)
	l.dirty[0], l.dirty[1] = answered[:0], l.dirty[0]
	list := l.dirty[1][:0]
	for _, s := range l.dirty[1] {
		s.dirty = false
		if !s.closed {
			list = append(list, s)
		}
	}
	clear(l.dirty[1][len(list):])
	l.dirty[1] = list
	return list
}

// touched notes that s has something to send.
func (l *lists) touched(s *Session) {
	if !s.dirty {
		s.dirty = true
		l.dirty[0] = append(l.dirty[0], s)
	}
}
