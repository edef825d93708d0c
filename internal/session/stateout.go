package session

import (
	"slices"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/file"
)

// From an Engine to its State.

// StateOf gives the state of an Engine, and indexes, which has the index of each session in it. Windows must have been taken
// back (bus.TakeBack), and no report be under way: bus.ErrAtWork. The bytes are the Engine's own and valid until its next
// operation.
func StateOf(e *Engine) (s *State, indexes map[*Session]int, err error) {
	s = &State{}
	if s.Bus, err = bus.StateOf(e.bus); err != nil {
		return nil, nil, err
	}
	ksocks := map[*bus.Ksock]int{nil: bus.None}
	for k := range e.bus.Ksocks() {
		ksocks[k] = len(ksocks) - 1
	}
	indexes = map[*Session]int{nil: bus.None}
	for i, of := range e.sessions {
		if of.report != nil || of.ended != nil {
			return nil, nil, bus.ErrAtWork
		}
		indexes[of] = i
		s.Sessions = append(s.Sessions, stateOf(of, ksocks[of.ksock]))
	}
	for _, of := range e.taps.sessions {
		s.Taps = append(s.Taps, indexes[of])
	}
	s.Federation = federationState(&e.federation, ksocks, indexes)
	return s, indexes, nil
}

func stateOf(s *Session, ksock int) SessionState {
	o := &s.out
	state := SessionState{
		Peer: s.peer, Ksock: ksock, Mode: s.mode, Out: s.out.all(),
		Client: ClientState{Greeted: s.greeted, Marks: s.marks.Missed, Trace: s.marks.Trace, Runs: s.runs, Deaf: s.deaf, Eager: s.out.eager},
		Run:    RunState{At: -1},
		Waits:  WaitsState{Sents: s.sents, BindRequests: s.bindRequests, Readables: s.readables},
	}
	state.Peer.Judge = nil
	if r := &o.run; r.at >= o.sent && o.buf != nil {
		state.Run = RunState{At: r.at - o.sent, Seq: r.seq, Serial: r.serial, Reached: r.reached, More: r.more}
	}
	if s.file != nil {
		f := file.StateOf(s.file)
		state.File = &f
	}
	for _, n := range s.nexts.list[s.nexts.front:] {
		state.Waits.Nexts = append(state.Waits.Nexts, NextState{n.seq, n.most})
	}
	for _, c := range s.calls {
		state.Waits.Calls = append(state.Waits.Calls, CallState{c.op, c.seq, c.request})
	}
	if t := s.tap; t != nil {
		state.Tap = &TapState{t.seq, t.filter, t.missed, t.full, t.waiting}
	}
	return state
}

func federationState(f *federation, ksocks map[*bus.Ksock]int, sessions map[*Session]int) FederationState {
	s := FederationState{
		Federator: sessions[f.federator], Strict: f.strict, Lapsed: f.lapsed, Names: slices.Clone(f.names), LastID: f.lastID,
	}
	for _, c := range f.requests {
		if at, open := ksocks[c.ksock]; open {
			s.Requests = append(s.Requests, BindRequestState{
				ID: c.id, Ksock: at, Waiter: sessions[c.waiter], Name: c.name, Of: c.of, Op: c.op, Seq: c.seq, Standby: c.standby,
				HandedOut: c.handedOut, Decided: c.decided, Outcome: c.outcome,
			})
		}
	}
	return s
}
