package federation

import (
	"strings"
	"sync"

	"github.com/nats-io/nats.go"

	"kbus"
	"kbus/limpet/federation/envelope"
	"kbus/message"
)

// hear reads what our Ksock gets, in the order of the bus, and passes it on.
func (s *session) hear() error {
	var m kbus.Message
	for {
		if err := s.ksock.ReceiveInto(s.ctx, &m); err != nil {
			return err
		}
		s.heard(&m)
	}
}

func (s *session) heard(m *kbus.Message) {
	switch {
	case m.Name == kbus.NameReplierBindEvent && m.Flags.Has(kbus.Synthetic):
		s.heardEvent(m)
	case m.Name == kbus.NameUnbindEventsLost && m.Flags.Has(kbus.Synthetic):
		if err := s.audit(); err != nil {
			s.end(err)
		}
	case m.WantsUsToReply():
		s.asked(m)
	case m.IsReply() && m.To == s.own:
		s.answered(m)
	case m.From == s.own: // what came from NATS never goes back to NATS
	case s.covers(m.Name): // it was said here, or a pair has brought it before NATS has
		s.announce(m, 0)
	}
}

// abroad makes a message of our bus one for the federation: its ids and its sender are those of this bowl (R9.24,
// R9.25, B23), and its incarnation is that of this bus, unless it has one.
func (s *session) abroad(m *kbus.Message) {
	if m.ID.Network == 0 || m.Extra == 0 {
		m.Extra = s.incarnation
	}
	if m.ID.Network == 0 {
		m.ID.Network = s.ID
	}
	if m.OrigFrom.Network == 0 {
		m.OrigFrom = kbus.Origin{Network: s.ID, Local: m.From}
	}
	if m.IsReply() && m.InReplyTo.Network == 0 {
		m.InReplyTo.Network = s.ID
	}
	m.Flags &^= message.WantYouToReply
}

// announce tells all other bowls what their Listeners may hear. The target, if there is one, gets it otherwise.
func (s *session) announce(m *kbus.Message, target uint32) {
	e := envelope.Envelope{Kind: envelope.Heard, Bowl: s.ID, Epoch: s.self.Epoch, Target: target, Message: *m}
	s.abroad(&e.Message)
	o := &s.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	o.count++
	e.Count = o.count
	err := o.publish(s.nc, o.subject(s, m.Name), &e)
	o.quiet = false
	if err != nil {
		o.lost++ // the others see that from the count
	}
}

// outbox is where envelopes become bytes.
type outbox struct {
	mu       sync.Mutex
	scratch  []byte
	subjects map[string]string // of announcements, by name
	count    uint64            // of announcements
	told     uint64            // the count that the others were told when there was nothing else to tell
	quiet    bool              // nothing was announced since the last tick
	lost     uint64            // could not be published
}

const maxSubjects = 4096

func (o *outbox) subject(s *session, name string) string {
	if text, ok := o.subjects[name]; ok {
		return text
	}
	if o.subjects == nil || len(o.subjects) >= maxSubjects {
		o.subjects = map[string]string{}
	}
	text := s.space.Announce(s.ID, name)
	o.subjects[strings.Clone(name)] = text
	return text
}

func (o *outbox) publish(nc *nats.Conn, subject string, e *envelope.Envelope) error {
	o.scratch = e.Append(o.scratch[:0])
	return nc.Publish(subject, o.scratch)
}

// send sends an envelope to its target. If that fails it is as if it had been lost on the way.
func (s *session) send(e *envelope.Envelope) {
	o := &s.outbox
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.publish(s.nc, s.space.To(e.Target, s.ID), e) != nil {
		s.figures.unsent.Add(1)
	}
}
