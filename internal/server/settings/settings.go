// Package settings is everything that kbusd can be told, by its TOML file and its flags: one table, in which each
// setting has its key, its meaning, how it is read and whether it can change while the daemon runs. File, flags, reload
// and manual all work from that table, so a setting cannot exist in one of them only.
//
// An error says where: file and line, or the flag, and the key. All errors of a file are reported, not just the first.
package settings

import (
	"log/slog"
	"time"

	"kbus/internal/server"
)

// Settings are what kbusd runs with. Make them with Default.
type Settings struct {
	Server    server.Config
	Drain     time.Duration // how long a stopping daemon waits for what is outstanding
	LogLevel  slog.Level    // what is logged: this and above
	LogFormat string        // "text" or "json"

	from map[string]string // key -> where it was set: "kbusd.toml:3" or "--dir"
}

// Default is what holds where nobody says anything.
func Default() *Settings {
	return &Settings{
		Server:    server.Default(),
		Drain:     5 * time.Second,
		LogLevel:  slog.LevelInfo,
		LogFormat: "text",
		from:      map[string]string{},
	}
}

// where begins an error about a key with the place where it was set, if it was.
func (s *Settings) where(key string) string {
	if place := s.from[key]; place != "" {
		return place + ": "
	}
	return ""
}

// Check looks for values that are out of range or contradict each other, wherever they were set. It returns Errors, or
// nil.
func (s *Settings) Check() error {
	var errs Errors
	for _, bad := range s.Server.Check() {
		errs.add("%s%v", s.where(bad.Key), bad)
	}
	if s.Drain < 0 || s.Drain > maxDrain {
		errs.add("%sdrain must be 0s to %v, not %v", s.where("drain"), maxDrain, s.Drain)
	}
	return errs.orNil()
}

const maxDrain = time.Hour
