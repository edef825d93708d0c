package server

import (
	"fmt"

	"kbus.example/kbus/message"
)

// What the text of a refusal says besides its condition: the setting that is behind it, and its value.

// Explain says more about conditions that come from here.
func (s *Server) Explain(c message.Condition) string {
	switch c {
	case message.ErrNotAdministrator:
		return fmt.Sprintf("setting administration is %q", s.config.Administration)
	case message.ErrNoMemory:
		s.mu.Lock()
		defer s.mu.Unlock()
		why := s.noBus
		s.noBus = ""
		return why
	case message.ErrUserBuses:
		s.mu.Lock()
		defer s.mu.Unlock()
		return fmt.Sprintf("%d, setting limits.new-buses-per-user", s.config.Limits.NewBusesPerUser)
	case message.ErrTooManyBuses:
		s.mu.Lock()
		defer s.mu.Unlock()
		return fmt.Sprintf("%d, setting limits.buses", s.config.Limits.Buses)
	}
	return ""
}
