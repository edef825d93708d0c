// Package settings is all settings of kbusd, by its TOML file and its flags: one table, in which each setting has its
// key, its meaning, how it is read and whether it can change while the daemon runs. File, flags, reload and manual all
// work from that table, so a setting cannot exist in one of them only.
//
// An error says where: file and line, or the flag, and the key. All errors of a file are reported, not just the first.
package settings

import (
	"time"

	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/server"
)

// Settings are what kbusd runs with. Make them with Default.
type Settings struct {
	Server    server.Config
	Drain     time.Duration // how long a stopping daemon waits for what is outstanding
	LogLevel  logger.Level  // what is logged: this and above
	LogFormat string        // "text" or "json"

	from map[string]string // key -> where it was set: "kbusd.toml:3" or "--dir"
	bad  map[string]bool   // keys with values that could not be read

	services string   // where they are looked for; "": nowhere
	unread   []string // files of rules and services with names that are not read
}

// Default is what holds unless a setting says otherwise.
func Default() *Settings {
	return &Settings{
		Server:    server.Default(),
		Drain:     5 * time.Second,
		LogLevel:  logger.LevelInfo,
		LogFormat: "text",
		from:      map[string]string{},
		bad:       map[string]bool{},
	}
}

// CheckGroups looks for groups that this machine does not know. It returns Errors, or nil.
func (s *Settings) CheckGroups() error {
	var errs Errors
	for _, bad := range s.Server.CheckGroups() {
		errs.add("%s%v", s.where(bad.Key), bad)
	}
	return errs.orNil()
}

// where begins an error about a key with the place where it was set, if it was.
func (s *Settings) where(key string) string {
	if source := s.from[key]; source != "" {
		return source + ": "
	}
	return ""
}

// Check looks for values that are out of range or contradict each other, wherever they were set. It returns Errors, or
// nil. Of a setting whose value could not be read nothing more is said.
func (s *Settings) Check() error {
	var errs Errors
	for _, bad := range s.Server.Check() {
		if s.bad[bad.Key] || s.bad[bad.Other] {
			continue
		}
		errs.add("%s%v", s.where(bad.Key), bad)
	}
	if s.Drain < 0 || s.Drain > maxDrain {
		errs.add("%sdrain must be 0s to %v, not %v", s.where("drain"), maxDrain, s.Drain)
	}
	return errs.orNil()
}

const maxDrain = time.Hour
