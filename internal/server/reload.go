package server

import (
	"fmt"
	"io/fs"
	"os"
)

// A reload changes what can change while clients are connected, and nothing of it when something fails.

// Reload takes over Limits, except those that a bus keeps from its beginning (the message sizes, QueueMessages,
// SetAside), and SocketMode, SocketGroup and Buses, which can only add some. It returns when all buses go by the new
// values. Other fields are not looked at. On an error nothing has changed, except that buses may have been added.
func (s *Server) Reload(config Config) error {
	if bad := config.Check(); len(bad) > 0 {
		return bad[0]
	}
	group, err := groupID(config.SocketGroup)
	if err != nil {
		return fmt.Errorf("socket %w", err)
	}
	if err := s.takeOver(config, group); err != nil {
		return err
	}
	for _, l := range s.all() {
		done := make(chan struct{})
		limits := config.Limits
		if l.post(func() { l.setLimits(limits); close(done) }) {
			select {
			case <-done:
			case <-l.ended:
			}
		}
	}
	return nil
}

func (s *Server) takeOver(config Config, group int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return errStopping
	}
	if n := len(s.loops); config.Limits.Buses < n {
		return fmt.Errorf("limits.buses (%d) is below the number of buses there are (%d)", config.Limits.Buses, n)
	}
	if group < 0 && s.group >= 0 {
		group = os.Getegid() // as a new socket would have it
	}
	if config.SocketMode != s.config.SocketMode || group != s.group {
		if err := s.permitAll(config.SocketMode, group); err != nil {
			return err
		}
		s.config.SocketMode, s.config.SocketGroup, s.group = config.SocketMode, config.SocketGroup, group
	}
	if err := s.grow(config.Buses); err != nil {
		return err
	}
	s.config.Limits = config.Limits
	return nil
}

// permitAll changes all sockets that are ours, or puts back those that it has changed.
func (s *Server) permitAll(mode fs.FileMode, group int) error {
	for i, l := range s.loops {
		if l.listener.path == "" {
			continue
		}
		if err := permit(l.listener.path, mode, group); err != nil {
			for _, before := range s.loops[:i+1] {
				if before.listener.path != "" {
					permit(before.listener.path, s.config.SocketMode, s.group)
				}
			}
			return err
		}
	}
	return nil
}

func (l *loop) setLimits(limits Limits) {
	l.accounts.limits = limits
	l.bus.SetLimits(limits.forBus())
}
