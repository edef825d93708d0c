package federation

import (
	"errors"

	"github.com/nats-io/nats.go"

	"kbus"
	"kbus/limpet/federation/envelope"
	"kbus/limpet/federation/routing"
	"kbus/message"
)

// speak takes what comes from NATS, in the order in which it comes, to the bus. Announcements are piped, as long as
// more of them wait; whatever else comes waits until these are through, so that nothing overtakes.
func (s *session) speak(inbox <-chan *nats.Msg) error {
	piped := false
	for {
		select {
		case <-s.ctx.Done():
			return nil
		case m := <-inbox:
			e, err := envelope.Parse(m.Data)
			if sender := s.space.Sender(m.Subject); err != nil || sender == 0 || sender != e.Bowl || e.Epoch == 0 {
				s.distrust(m.Subject, e.Bowl, err)
				continue
			}
			if e.Bowl == s.ID {
				continue
			}
			plain := e.Kind == envelope.Heard && !e.IsRequest() && !e.IsReply()
			if piped && !plain {
				if err := s.flush(); err != nil {
					return err
				}
			}
			if err := s.said(&e); err != nil {
				return err
			}
			piped = plain
		}
		if piped && len(inbox) == 0 {
			piped = false
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
}

// distrust drops what is not from who it says, or cannot be understood.
func (s *session) distrust(subject string, bowl uint32, err error) {
	if s.figures.refused.Add(1) == 1 || err == nil {
		s.Log.Warn("dropped what came from NATS", "subject", subject, "bowl", bowl, "why", err)
	}
}

// flush waits until what was piped is on the bus.
func (s *session) flush() error {
	for {
		_, err := s.pipe.Flush(s.ctx)
		var failed *kbus.PipeError
		if !errors.As(err, &failed) {
			return err
		}
		if err := s.undelivered(s.piped[failed.Index%uint64(len(s.piped))], err); err != nil {
			return err
		}
	}
}

func (s *session) said(e *envelope.Envelope) error {
	switch e.Kind {
	case envelope.Heard:
		return s.overheard(e)
	case envelope.Count:
		s.counted(e, e.Count+1)
		return nil
	}
	if e.Target != s.ID {
		return nil
	}
	var out routing.Out
	s.mu.Lock()
	s.asker.Heard(now(), e.Bowl, e.Epoch, &out)
	s.mu.Unlock()
	s.owe(&out)
	s.told(e)
	return nil
}

// overheard gives our Listeners what was said in another bowl. If a pair has brought it before, the bus knows.
func (s *session) overheard(e *envelope.Envelope) error {
	s.counted(e, e.Count)
	if e.Target == s.ID || !s.covers(e.Name) {
		return nil
	}
	m := &e.Message
	s.home(m)
	m.To = 0
	s.figures.heard.Add(1)
	if m.IsRequest() || m.IsReply() {
		_, err := s.ksock.SendToListeners(s.ctx, m)
		return s.undelivered(e.Bowl, err)
	}
	s.piped[s.pipes%uint64(len(s.piped))] = e.Bowl
	s.pipes++
	err := s.pipe.Send(s.ctx, m)
	var failed *kbus.PipeError
	bowl := e.Bowl
	if errors.As(err, &failed) { // an earlier one
		bowl = s.piped[failed.Index%uint64(len(s.piped))]
	}
	return s.undelivered(bowl, err)
}

// home makes a message of the federation one for our bus. That the bus there had all or nobody is no concern of ours
// (B26): here who has no room misses it.
func (s *session) home(m *kbus.Message) {
	m.Flags &^= message.AllOrWait | message.AllOrFail | message.WantYouToReply
	if m.InReplyTo.Network == s.ID {
		m.InReplyTo.Network = 0
	}
}

// undelivered counts a message of another bowl that the bus did not take, if err says so; the loss of the bus ends the
// session.
func (s *session) undelivered(bowl uint32, err error) error {
	switch {
	case err == nil:
	case errors.Is(err, kbus.ErrBusGone) || errors.Is(err, kbus.ErrClosed) || s.ctx.Err() != nil:
		return err
	case errors.Is(err, kbus.ErrHeard):
		s.figures.copies.Add(1)
	case errors.Is(err, kbus.ErrStale): // it may have come another way long ago, or not
		s.missed(bowl)
		s.figures.undelivered.Add(1)
	default:
		s.figures.undelivered.Add(1)
	}
	return nil
}
