package session

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A client that sends many messages gets many results that say the same: accepted, the next id, as many reached as
// before. If it asks for it (wire.FeatureRuns) it gets one result for a run of them, with the number of those that
// follow the first in its argument. So a stream of small messages costs one result a turn, to write here and to read
// there.
//
// Only lazy results are put together, since no caller waits for those, and only those of requests that follow one
// another in every respect: anything else that is sent to the client in between, and a result that has been sent
// already, ends the run.

// series is the results that the last frame of an output stands for.
type series struct {
	at                   int // of the frame in buf; -1: the last frame is none
	seq, serial, reached uint32
	more                 uint32
}

// moved follows the output's buffer when its beginning has been given up.
func (r *series) moved(by int) { r.at = max(r.at-by, -1) }

func runs(h wire.Header, o *bus.Outcome) bool {
	return h.Op == wire.OpSendMessage && h.Flags&wire.Lazy != 0 && o.Err == message.OK && o.Skipped == 0 && o.ID.Network == 0
}

// prolong has the last frame stand for this result as well. It reports false if it cannot.
func (s *Session) prolong(h wire.Header, o *bus.Outcome) bool {
	out := &s.out
	r := &out.run
	if r.at < 0 || r.at < out.sent || h.Seq != r.seq+1 || o.ID.Serial != r.serial+1 || o.Reached != r.reached {
		return false
	}
	r.seq, r.serial, r.more = h.Seq, o.ID.Serial, r.more+1
	s.end(r.at, r.more)
	return true
}

// startRun notes that the last frame, at that place, is the result of this request.
func (s *Session) startRun(at int, h wire.Header, o *bus.Outcome) {
	s.out.run = series{at: at, seq: h.Seq, serial: o.ID.Serial, reached: o.Reached}
}
