package server

import (
	"fmt"
	"io/fs"
	"os"

	"kbus.example/kbus/internal/server/loop"
)

// A reload changes what can change while clients are connected, and nothing of it when something fails.

// Reload takes over Limits, except those that a bus keeps from its beginning (the message sizes, QueueMessages,
// SetAside, HeldRequests), Rules, Services, and SocketMode, SocketGroup and Buses, which can only add some. It returns when all buses go by the new
// values. Other fields are not looked at. Directory, lock and sockets that were removed are made again. On an error
// nothing has changed, except that some of these may have been made and buses may have been added.
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
	for _, bus := range s.all() {
		done := make(chan struct{})
		if bus.Post(func() { bus.takeOver(&config); close(done) }) {
			select {
			case <-done:
			case <-bus.ended:
			}
		}
	}
	return nil
}

// takeOver is for the loop of the bus.
func (s *served) takeOver(config *Config) {
	s.SetLimits(config.Limits)
	s.Restore()
	s.SetRules(config.Rules.Set)
	loop.SetStartable(s.Loop, config.Services.Names(s.number))
}

func (s *Server) takeOver(config Config, group int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return errStopping
	}
	if n := len(s.buses); config.Limits.Buses < n {
		return fmt.Errorf("limits.buses (%d) is below the number of buses there are (%d)", config.Limits.Buses, n)
	}
	if group < 0 && s.group >= 0 {
		group = os.Getegid() // as a new socket would have it
	}
	if err := s.restore(); err != nil {
		return err
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
	s.config.Limits, s.config.Rules, s.config.Services = config.Limits, config.Rules, config.Services
	s.starter.Use(config.Services.Set)
	go s.config.makeRoomForDescriptors(s.log) // it waits, and a loop may want s.mu
	return nil
}

// permitAll changes all sockets that are ours, or puts back those that it has changed.
func (s *Server) permitAll(mode fs.FileMode, group int) error {
	for i, bus := range s.buses {
		if bus.file.none() {
			continue
		}
		if err := permit(bus.file.path, mode, group); err != nil {
			for _, before := range s.buses[:i+1] {
				if !before.file.none() {
					permit(before.file.path, s.config.SocketMode, s.group)
				}
			}
			return err
		}
	}
	return nil
}
