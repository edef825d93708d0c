package server

import (
	"os"

	"kbus/internal/session"
)

// mayJoin reports whether that process may join a bus to others.
func (s *Server) mayJoin(p session.Peer) bool {
	switch s.config.Limpets {
	case LimpetsOfOwner:
		return p.UID == 0 || p.UID == uint32(os.Geteuid())
	case LimpetsOfAnyone:
		return true
	}
	return false
}
