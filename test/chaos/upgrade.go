package main

// upgrade has another process take over from the daemon, so many times in all, spread over the kills. All who play go on: for
// them, and for the books, it is the same life of the bus.
//
// If nobody is killed, so many lines are said between two of them.
func (s *stage) upgrade(times int64) {
	defer s.tell()
	defer s.replaced.Store(true)
	for n := int64(0); n < times && !s.finishes.Load(); {
		s.await(func() bool {
			isDue := s.killed.Load() >= n*s.kills/times && (s.kills > 0 || s.lines.Load() >= n*linesBetween)
			return isDue || s.finishes.Load()
		})
		s.daemon.RLock() // it is not killed meanwhile, and actors are
		if !s.finishes.Load() {
			s.upgradeNow()
			n++
		}
		s.daemon.RUnlock()
	}
}

// linesBetween is enough for all to have said something.
const linesBetween = 200

func (s *stage) upgradeNow() {
	old := s.process
	if err := s.runDaemon(s.successor(), "taken over"); err != nil {
		s.books.Lock()
		s.books.violation("bus %d: no upgrade: %v", s.bus, err)
		s.books.Unlock()
		return
	}
	old.Wait()
	s.upgraded.Add(1)
	if err := s.refuseOlder(); err != nil {
		s.books.Lock()
		s.books.violation("bus %d: an older daemon is not refused: %v", s.bus, err)
		s.books.Unlock()
	}
}
