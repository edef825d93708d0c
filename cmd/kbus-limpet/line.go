package main

import (
	"log/slog"

	"kbus.example/kbus/cmd/internal/cli"
)

// line is what holds for every command: the flags that all have, and where output goes to.
type line struct{ cli.Program }

func newLine() *line { return &line{cli.NewProgram("kbus-limpet")} }

// logger writes to standard error; systemd and people both read that.
func (l *line) logger(level slog.Level) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if l.JSON {
		return slog.New(slog.NewJSONHandler(l.Err, o))
	}
	return slog.New(slog.NewTextHandler(l.Err, o))
}
