package session

import (
	"errors"
	"fmt"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/wire"
)

// From a State to an Engine. As in package bus, what does not fit together is an error.

var errBadState = errors.New("session: bad state")

// Restore makes the sessions of a State in an Engine that has none. Its bus was made of s.Bus, and ksocks came with that. judge
// gives the Judge of a session; nil: none has one. The sessions are in the order of the State; Tags and windows are for the owner
// to set. Pump must follow.
func Restore(e *Engine, s *State, ksocks []*bus.Ksock, judge func(at int) Judge) ([]*Session, error) {
	for i := range s.Sessions {
		of := &s.Sessions[i]
		peer := of.Peer
		if judge != nil {
			peer.Judge = judge(i)
		}
		session := &Session{engine: e, peer: peer}
		session.index = len(e.sessions)
		session.out.spare = &e.buffers
		e.sessions = append(e.sessions, session)
		if err := restore(session, of, ksocks); err != nil {
			return nil, fmt.Errorf("session %d: %w", i, err)
		}
	}
	for _, at := range s.Taps {
		if at < 0 || at >= len(e.sessions) || e.sessions[at].tap == nil {
			return nil, fmt.Errorf("tap %d: %w", at, errBadState)
		}
		e.taps.sessions = append(e.taps.sessions, e.sessions[at])
		e.bus.SetTap(&e.taps)
	}
	return e.sessions, e.federation.restore(e, &s.Federation, ksocks)
}

func restore(s *Session, of *SessionState, ksocks []*bus.Ksock) (err error) {
	c := &of.Client
	s.mode, s.greeted, s.runs, s.deaf, s.out.eager = of.Mode, c.Greeted, c.Runs, c.Deaf, c.Eager
	s.marks = wire.Marks{Missed: c.Marks, Trace: c.Trace}
	if of.Ksock != bus.None {
		if of.Ksock < 0 || of.Ksock >= len(ksocks) || ksocks[of.Ksock].Tag != nil {
			return errBadState
		}
		s.ksock = ksocks[of.Ksock]
		s.ksock.Tag = s
		bus.SetJudge(s.ksock, s.peer.Judge)
	}
	if s.ksock == nil && (of.File != nil || of.Waits.any()) {
		return errBadState
	}
	if of.File != nil {
		if s.file, err = file.FromState(of.File, s.engine.bus, s.ksock, file.Mode(s.mode)); err != nil {
			return err
		}
	}
	s.out.run.at = -1
	if len(of.Out) > 0 {
		s.out.buf = append(s.out.spare.take(), of.Out...)
		s.engine.touched(s)
	}
	if r := &of.Run; r.At >= 0 {
		if r.At >= len(of.Out) {
			return errBadState
		}
		s.out.run = series{r.At, r.Seq, r.Serial, r.Reached, r.More}
	}
	if t := of.Tap; t != nil {
		s.tap = &tap{t.Seq, t.Filter, t.Missed, t.Full, t.Waiting}
	}
	restoreWaits(s, &of.Waits)
	return nil
}

func (w *WaitsState) any() bool {
	return len(w.Nexts)+len(w.Calls)+len(w.Sents)+len(w.BindRequests)+len(w.Readables) > 0
}

func restoreWaits(s *Session, w *WaitsState) {
	for _, n := range w.Nexts {
		s.nexts.push(next{n.Seq, n.Most})
	}
	for _, c := range w.Calls {
		s.calls = append(s.calls, call{c.Op, c.Seq, c.Request})
	}
	s.sents, s.bindRequests, s.readables = w.Sents, w.BindRequests, w.Readables
	s.engine.look(s)
}

func (f *federation) restore(e *Engine, s *FederationState, ksocks []*bus.Ksock) error {
	session := func(at int) (*Session, bool) {
		switch {
		case at == bus.None:
			return nil, true
		case at < 0 || at >= len(e.sessions):
			return nil, false
		}
		return e.sessions[at], true
	}
	var ok bool
	if f.federator, ok = session(s.Federator); !ok {
		return fmt.Errorf("federator %d: %w", s.Federator, errBadState)
	}
	f.strict, f.lapsed, f.names, f.lastID = s.Strict, s.Lapsed, s.Names, s.LastID
	if f.federator != nil {
		e.bus.SetBindHook(e.bindHook)
	}
	for _, c := range s.Requests {
		waiter, ok := session(c.Waiter)
		if !ok || c.Ksock < 0 || c.Ksock >= len(ksocks) {
			return fmt.Errorf("bind request %d: %w", c.ID, errBadState)
		}
		f.requests = append(f.requests, &bindRequest{
			id: c.ID, ksock: ksocks[c.Ksock], name: c.Name, of: c.Of, waiter: waiter, op: c.Op, standby: c.Standby, seq: c.Seq,
			handedOut: c.HandedOut, decided: c.Decided, outcome: c.Outcome,
		})
		if waiter != nil {
			waiter.binds++
		}
	}
	return nil
}
