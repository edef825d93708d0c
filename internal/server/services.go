package server

import (
	"path/filepath"

	"kbus.example/kbus/internal/server/loop"
	"kbus.example/kbus/internal/server/starter"
)

// Services that are started when somebody asks for them: the buses call for them, the starter starts them.

// host is what a loop knows of the process.
type host struct {
	*Server
	*starter.Starter
}

// newStarter is that of a server.
func newStarter(s *Server) *starter.Starter {
	dir := func() string {
		if dir, err := filepath.Abs(s.config.Dir); err == nil {
			return dir
		}
		return s.config.Dir
	}
	return starter.New(s.log, dir, func(bus int, name, why string) {
		if all := s.all(); bus < len(all) {
			loop.NotStarted(all[bus].Loop, name, why)
		}
	})
}
