package main

import (
	"errors"
	"log/slog"

	"kbus/internal/server/settings"
)

// reload reads the file again. It is taken whole or not at all: if anything in it is wrong, the daemon goes on as it
// was.
func (d *daemon) reload() {
	notifyReloading()
	defer d.notifyReady()
	changes, err := d.tryReload()
	var lines settings.Errors
	switch {
	case errors.As(err, &lines):
		for _, line := range lines {
			d.log.Error("reload refused", "error", line)
		}
	case err != nil:
		d.log.Error("reload refused", "error", err)
	default:
		attrs := make([]slog.Attr, len(changes))
		for i, c := range changes {
			attrs[i] = slog.String(c.Key, c.From+" -> "+c.To)
		}
		d.log.LogAttrs(background, slog.LevelInfo, "reloaded", attrs...)
	}
}

var errNoFile = errors.New("kbusd was started without --config, so there is no file to read")

func (d *daemon) tryReload() ([]settings.Change, error) {
	if d.line.config == "" {
		return nil, errNoFile
	}
	next, err := d.line.load()
	if err != nil {
		return nil, err
	}
	changes, err := d.settings.Changes(next)
	if err != nil {
		return nil, err
	}
	if err := d.server.Reload(next.Server); err != nil {
		return nil, err
	}
	d.level.Set(next.LogLevel)
	d.settings = next
	return changes, nil
}
