package federation

import (
	"cmp"
	"slices"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/report"
)

// Every joined bus has a Replier for report.Name, so that anybody can ask how the federation looks from there. The
// figures are read from each part in turn, and so belong to slightly different moments.

func (s *session) status() report.Status {
	policy := "strict"
	if s.Available {
		policy = "available"
	}
	in, requests, peers := s.inbound.Figures(), s.exchange.Figures(), s.mirror.Members()
	st := report.Status{Peers: []report.Peer{}}
	st.Self = report.Self{
		Federation: s.Federation, ID: s.ID, Epoch: s.keeper.Epoch(), Policy: policy, InTouch: s.keeper.InTouch(),
		LeaseLeft: s.keeper.Left().Seconds(), UpSeconds: time.Since(s.life.begun).Seconds(),
	}
	if s.nc.IsConnected() {
		st.Server = s.nc.ConnectedServerName()
	}
	claims := s.mirror.ClaimCounts()
	for _, n := range claims {
		st.Names += n
	}
	st.Own = len(s.claims.Revisions())
	if n, err := s.ksock.Queue().Len(s.life.ctx); err == nil { // else the bus is lost, and so is the answer
		st.ToPassOn = n
	}
	st.MessageCounts = report.MessageCounts{Announced: s.outbound.Publisher.Announced(), Received: in.Received, Copies: in.Copies}
	st.RequestCounts = report.RequestCounts{
		Requests: s.outbound.Requests(), Replies: in.Replies, Statuses: requests.Statuses, Outstanding: requests.Open,
		Working: requests.Kept,
	}
	st.ToDeliver, st.Undelivered = in.Waiting, in.Undelivered+requests.Undelivered
	st.Unsent, st.Refused = s.outbound.Publisher.Unsent(), in.Refused
	for _, m := range peers {
		p := report.Peer{
			ID: m.ID, Epoch: m.Epoch, Over: m.Over, Where: m.Where, Version: m.Version,
			Names: claims[m.ID], Outstanding: requests.Outstanding[m.ID],
		}
		p.Announced, p.Lost = s.gaps.seen(m.ID)
		st.Peers = append(st.Peers, p)
	}
	slices.SortFunc(st.Peers, func(a, b report.Peer) int { return cmp.Compare(a.ID, b.ID) })
	return st
}

// answerStatus answers a Request of our bus for it.
func (s *session) answerStatus(m *kbus.Message) {
	status := s.status()
	reply, err := status.Answer(m)
	if err == nil {
		_, err = s.ksock.Send(s.life.ctx, reply)
	}
	_ = s.inbound.Undelivered(s.life.ctx, 0, err) // a Requester that has gone is counted, and no more
}
