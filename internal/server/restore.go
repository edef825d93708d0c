package server

// A runtime directory can be cleaned away under a daemon, by hand or by a program that tidies up. Clients that are
// connected notice nothing, but no new ones come in. A reload makes again what is missing: the directory, the lock, and
// the sockets that were ours. It can only report a missing socket that was handed over. A second daemon that has come
// to the place meanwhile keeps it.

// restore is a part of a reload; the caller holds mu.
func (s *Server) restore() error {
	if !s.lock.mine.isThere() {
		lock, err := lockDir(s.config.Dir)
		if err != nil {
			return err
		}
		s.lock.unlock()
		s.lock = lock
		s.log.Info("the runtime directory was cleaned away: locked anew", "dir", s.config.Dir)
	}
	for _, bus := range s.buses {
		if !bus.given.none() && !bus.given.isThere() {
			bus.log.Warn("the socket that was handed over is gone, and whoever made it must make it again",
				"path", bus.given.path, "with systemd", "systemctl restart kbusd.socket kbusd.service")
		}
		if bus.file.none() || bus.file.isThere() {
			continue
		}
		socket, file, err := s.listen(bus.number)
		if err != nil {
			return err
		}
		bus.file = file
		if !bus.Post(func() { bus.Relisten(socket) }) {
			socket.Close()
		}
		bus.log.Info("the socket was gone: made again", "path", file.path)
	}
	return nil
}
