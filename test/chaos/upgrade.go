package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

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
	go old.Wait() // it may have become a guardian
	var err error
	if s.upgraded.Add(1)%askedEach == 0 {
		err = s.askService()
	}
	if err != nil {
		s.books.Lock()
		s.books.violation("bus %d: the service's program after an upgrade: %v", s.bus, err)
		s.books.Unlock()
	}
	if err = s.refuseOlder(); err != nil {
		s.books.Lock()
		s.books.violation("bus %d: an older daemon is not refused: %v", s.bus, err)
		s.books.Unlock()
	}
}

// There is a service as well, whose program the first question of each life starts. It goes on over all upgrades, and is asked now and
// then.
const (
	serviceName = "$.Chaos.Service"
	askedEach   = 4 // upgrades
)

// writeService writes its file.
func (s *stage) writeService() error {
	dir := filepath.Join(s.dir, "kbus.d")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	text := fmt.Sprintf("name = %q\nexec = [%q, \"answer\", %q, \"--with\", \"yes\"]\ndeadline = \"60s\"\n", serviceName, filepath.Join(s.bin, "kbus"), serviceName)
	return os.WriteFile(filepath.Join(dir, "service.toml"), []byte(text), 0o644)
}

// askService asks it, and reports if another program answers than before in this life.
func (s *stage) askService() error {
	if said, err := exec.Command(filepath.Join(s.bin, "kbus"), "ask", serviceName).CombinedOutput(); err != nil || string(said) != "yes\n" {
		return fmt.Errorf("%w: %s", err, said)
	}
	said, err := exec.Command(filepath.Join(s.bin, "kbus"), "services").CombinedOutput()
	words := strings.Fields(string(said)) // behind a line with six
	if err != nil || len(words) < 9 || words[7] != "running" {
		return fmt.Errorf("%w: %s", err, said)
	}
	was := s.program
	if s.program = words[8]; was != "" && was != s.program {
		return fmt.Errorf("%s answers, and not %s", s.program, was)
	}
	return nil
}
