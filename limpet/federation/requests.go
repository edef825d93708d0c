package federation

import (
	"bytes"
	"errors"
	"time"

	"kbus"
	"kbus/limpet/federation/envelope"
	"kbus/limpet/federation/routing"
	"kbus/message"
)

// now is the clock of the state machines. It goes on while the machine sleeps.
func now() time.Time { return time.Unix(0, int64(kbus.SinceBoot())) }

// conversation is a Requester of our bus and the Replier elsewhere that it had a Reply from. A stateful Request goes to
// that Replier, in the epoch of that Reply, or nowhere.
type conversation struct {
	requester uint32
	replier   kbus.Origin
}

const maxConversations = 1 << 16

// asked takes a Request of our bus that we are the Replier of.
func (s *session) asked(m *kbus.Message) {
	if m.Name == statusName {
		s.tellStatus(m)
		return
	}
	id := m.ID
	if id.Network == 0 {
		id.Network = s.ID
	}
	e := envelope.Envelope{Message: *m}
	var status string
	var parcel envelope.Envelope
	s.mu.Lock()
	bowl, epoch, status := s.whom(m)
	switch {
	case status != "":
	case !s.nc.IsConnected():
		status = remoteError(kbus.ErrNoFederation)
	case int64(e.Bytes()) > s.nc.MaxPayload():
		status = remoteError(kbus.ErrMessageTooLong)
	default:
		request := *m
		request.Data = bytes.Clone(m.Data)
		s.abroad(&request)
		request.ID = m.ID // as it is here
		var ok bool
		if parcel, ok = s.asker.Ask(now(), request, id, bowl, epoch); !ok {
			status = remoteError(kbus.ErrStillSending)
		}
	}
	s.mu.Unlock()
	if status != "" {
		s.give(routing.Status{ID: m.ID, To: m.From, Name: status})
		return
	}
	s.figures.requests.Add(1)
	s.announce(m, bowl)
	s.send(&parcel)
}

// whom finds the bowl that a Request goes to, or the Status that says why it cannot. s.mu is held.
func (s *session) whom(m *kbus.Message) (bowl uint32, epoch uint64, status string) {
	switch {
	case m.From == s.own: // it came from another bowl, and its Replier here has gone
		return 0, 0, message.NameGoneAway
	case m.To != 0:
		epoch = s.states[conversation{m.From, m.FinalTo}]
		b := s.atlas.told(m.FinalTo.Network)
		if epoch == 0 || b.Epoch > epoch || m.FinalTo.Network == s.ID {
			return 0, 0, message.NameNotSameKsock
		}
		return m.FinalTo.Network, epoch, ""
	}
	c, ok := s.atlas.lookup(m.Name)
	if !ok || c.Bowl == s.ID {
		return 0, 0, message.NameGoneAway
	}
	return c.Bowl, c.Epoch, ""
}

// answered takes a Reply or Status of our bus to a Request of another bowl.
func (s *session) answered(m *kbus.Message) {
	if !s.vouches() {
		return
	}
	reply := *m
	reply.Data = bytes.Clone(m.Data)
	s.abroad(&reply)
	e := envelope.Envelope{Message: reply}
	if int64(e.Bytes()) > s.nc.MaxPayload() {
		reply.Name, reply.Data = remoteError(kbus.ErrMessageTooLong), nil
	}
	var out routing.Out
	s.mu.Lock()
	target := s.answerer.Replied(reply, &out)
	s.mu.Unlock()
	if target != 0 && !m.Flags.Has(kbus.Synthetic) && s.covers(m.Name) {
		s.announce(m, target)
	}
	s.owe(&out)
}

// told takes what another bowl tells us alone.
func (s *session) told(e *envelope.Envelope) {
	var out routing.Out
	switch e.Kind {
	case envelope.Request:
		s.request(e, &out)
	case envelope.Reply:
		s.reply(e)
	case envelope.Queued:
		s.mu.Lock()
		s.asker.Queued(e.Bowl, e.InReplyTo)
		s.mu.Unlock()
	case envelope.Thanks:
		s.mu.Lock()
		s.answerer.Thanked(e.Bowl, e.InReplyTo)
		s.mu.Unlock()
	case envelope.Probe:
		s.mu.Lock()
		s.answerer.Probed(e.Bowl, e.Epoch, envelope.IDs(e.Data), &out)
		s.mu.Unlock()
	case envelope.States:
		s.mu.Lock()
		s.asker.States(e.Bowl, envelope.StatesOf(e.Data), &out)
		s.mu.Unlock()
	}
	s.owe(&out)
}

// request gives a Request of another bowl to its Replier here.
func (s *session) request(e *envelope.Envelope, out *routing.Out) {
	if !s.vouches() {
		return // who asked will see that we are silent
	}
	stateful := e.To != 0
	s.mu.Lock()
	step := routing.Refuse
	refusal := remoteError(kbus.ErrReplierFull)
	switch {
	case e.TargetEpoch != s.self.Epoch && stateful:
		refusal = message.NameNotSameKsock
	case e.TargetEpoch != s.self.Epoch:
		refusal = message.NameGoneAway
	default:
		step = s.answerer.Asked(e, out)
	}
	if step == routing.Refuse {
		s.answerer.Refused(e, refusal, out)
	}
	s.mu.Unlock()
	if step != routing.Deliver {
		return
	}
	m := e.Message
	s.home(&m)
	m.To = 0
	if stateful {
		m.To, m.FinalTo.Network = m.FinalTo.Local, 0
	}
	_, err := s.ksock.Send(s.ctx, &m)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.answerer.Delivered(e.ID, out)
	case errors.Is(err, kbus.ErrOtherReplier):
		s.answerer.Refused(e, message.NameNotSameKsock, out)
	case errors.Is(err, kbus.ErrNoReplier):
		s.answerer.Refused(e, message.NameGoneAway, out)
	default:
		s.answerer.Refused(e, remoteError(err), out)
	}
}

// reply gives a Reply of another bowl to who asked here.
func (s *session) reply(e *envelope.Envelope) {
	m := e.Message
	s.mu.Lock()
	thanks, to, local, ok := s.asker.Replied(e.Bowl, e.Epoch, m.InReplyTo)
	if ok {
		if len(s.states) >= maxConversations {
			clear(s.states) // those who go on with one are told that it is over
		}
		s.states[conversation{to, m.OrigFrom}] = e.Epoch
	}
	s.mu.Unlock()
	s.send(&thanks)
	if !ok {
		return
	}
	s.home(&m)
	m.To, m.InReplyTo = to, local
	s.figures.replies.Add(1)
	if _, err := s.ksock.Send(s.ctx, &m); err != nil {
		s.figures.undelivered.Add(1) // who asked has gone
	}
}

// owe does what a state machine owes.
func (s *session) owe(out *routing.Out) {
	for i := range out.Parcels {
		s.send(&out.Parcels[i])
	}
	for _, status := range out.Statuses {
		s.give(status)
	}
}

// give gives a Status to who asked here.
func (s *session) give(status routing.Status) {
	s.figures.statuses.Add(1)
	m := kbus.Message{Header: kbus.Header{To: status.To, InReplyTo: status.ID}, Name: status.Name}
	if _, err := s.ksock.Send(s.ctx, &m); err != nil {
		s.figures.undelivered.Add(1) // who asked has gone
	}
}
