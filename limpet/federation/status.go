package federation

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"

	"kbus"
	"kbus/limpet/federation/report"
)

// replier is a word for what bindings are looked for.
const replier = kbus.Replier

// statusName is a name on every bus that is joined: whoever asks there learns how the federation is.
const statusName = report.Name

// figures count what has passed.
type figures struct {
	heard       atomic.Uint64 // messages of other bowls, given to Listeners
	copies      atomic.Uint64 // of what had come another way
	requests    atomic.Uint64 // of our bus, passed on
	replies     atomic.Uint64 // to these
	statuses    atomic.Uint64 // to these
	undelivered atomic.Uint64 // messages that our bus did not take
	unsent      atomic.Uint64 // that NATS did not take
	refused     atomic.Uint64 // that came from NATS and could not be trusted
}

func (s *session) status() report.Status {
	policy := "strict"
	if s.Available {
		policy = "available"
	}
	f := &s.figures
	st := report.Status{
		Federation: s.Federation, ID: s.ID, Epoch: s.self.Epoch, Policy: policy, InTouch: s.inTouch(),
		UpSeconds: time.Since(s.begun).Seconds(), Heard: f.heard.Load(), Copies: f.copies.Load(),
		Requests: f.requests.Load(),
		Replies:  f.replies.Load(), Statuses: f.statuses.Load(), Undelivered: f.undelivered.Load(), Unsent: f.unsent.Load(),
		Refused: f.refused.Load(), Peers: []report.Peer{},
	}
	if s.nc.IsConnected() {
		st.Server = s.nc.ConnectedServerName()
	}
	if n, err := s.ksock.NumMessages(); err == nil { // else the bus is lost, and so is the answer
		st.ToPassOn = n
	}
	st.LeaseLeft = s.office.Left().Seconds()
	st.ToDeliver = len(s.inbox)
	s.outbox.mu.Lock()
	st.Announced = s.outbox.count
	s.outbox.mu.Unlock()
	claims := s.atlas.counts()
	for _, n := range claims {
		st.Names += n
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Own, st.Outstanding, st.Working = len(s.held), s.asker.Open(), s.answerer.Kept()
	outstanding := s.asker.Outstanding()
	for _, b := range s.atlas.bowls() {
		p := report.Peer{
			ID: b.ID, Epoch: b.Epoch, Over: b.Over, Where: b.Where, Version: b.Version,
			Names: claims[b.ID], Outstanding: outstanding[b.ID],
		}
		if l := s.losses.of[b.ID]; l != nil {
			p.Announced, p.Lost = l.next-1, l.lost
		}
		st.Peers = append(st.Peers, p)
	}
	slices.SortFunc(st.Peers, func(a, b report.Peer) int { return cmp.Compare(a.ID, b.ID) })
	return st
}

// tellStatus answers a Request of our bus for it.
func (s *session) tellStatus(m *kbus.Message) {
	status := s.status()
	reply, err := status.Answer(m)
	if err == nil {
		_, err = s.ksock.Send(s.ctx, reply)
	}
	if err != nil {
		s.figures.undelivered.Add(1) // who asked has gone
	}
}
