package main

import (
	"errors"

	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/server/settings"
)

// reload reads the file again. It is taken whole or not at all: if anything in it is wrong, the daemon goes on as it
// was. Without a file, what a reload does beside that is still done: sockets that are gone come back.
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
		attrs := make([]logger.Attr, len(changes))
		for i, c := range changes {
			attrs[i] = logger.String(c.Key, c.From+" -> "+c.To)
		}
		attrs = append(attrs, logger.Int("rules", d.settings.RuleCount()), logger.Int("services", d.settings.ServiceCount()))
		if d.line.config == "" {
			attrs = append(attrs, logger.String("file", "none: kbusd was started without --config"))
		}
		d.log.LogAttrs(logger.LevelInfo, "reloaded", attrs...)
		d.warnUnread()
	}
}

// warnUnread logs the files of rules and services that are passed over: who has written one waits for it to count.
func (d *daemon) warnUnread() {
	for _, name := range d.settings.Unread() {
		d.log.Warn(settings.NotRead, "file", name)
	}
}

func (d *daemon) tryReload() ([]settings.Change, error) {
	next, _, err := d.line.load()
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
	if !d.control.IsThere() {
		d.awaitSuccessors()
	}
	return changes, nil
}
