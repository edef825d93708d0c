package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"kbus/internal/server"
	"kbus/internal/server/settings"
)

// Exit statuses: 0 ended in order, also at once when told twice; 1 could not start; 2 bad usage.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

// run is main, testable.
func run(args []string, stdout, stderr io.Writer) int {
	c, err := parseArgs(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		printHelp(stdout)
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "kbusd: %v\n%s\n", err, usageLine)
		return exitUsage
	case c.version:
		fmt.Fprintln(stdout, server.Version)
		return exitOK
	}
	s, err := c.load()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitFailure
	}
	if c.check {
		fmt.Fprintln(stdout, strings.TrimSpace(c.config+" ok"))
		return exitOK
	}
	return serve(c, s, stderr)
}

// daemon is a running kbusd: a server, and what the outside world tells it.
type daemon struct {
	line     *commandLine
	settings *settings.Settings
	server   *server.Server
	log      *slog.Logger
	level    *slog.LevelVar
}

func serve(c *commandLine, s *settings.Settings, stderr io.Writer) int {
	tuneMemory()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	signal.Ignore(syscall.SIGPIPE) // a bus does not die with whoever reads its log

	out := newLogWriter(stderr)
	defer out.close()
	d := &daemon{line: c, settings: s, level: new(slog.LevelVar)}
	d.level.Set(s.LogLevel)
	d.log = newLogger(out, s.LogFormat, d.level)
	out.reportLost(d.log)

	listeners, err := handedOver()
	if err == nil {
		config := s.Server
		config.Listeners = listeners
		d.server, err = server.Start(config, d.log)
	}
	if err != nil {
		d.log.Error("cannot start", "error", err)
		return exitFailure
	}
	releaseStartMemory()
	d.notifyReady()
	d.loop(signals)
	return exitOK
}

// loop is what the daemon does while the buses run by themselves.
func (d *daemon) loop(signals <-chan os.Signal) {
	ended := make(chan struct{})
	go func() {
		d.server.Wait()
		close(ended)
	}()
	watchdog := newWatchdog()
	defer watchdog.stop()
	stopping := false
	for {
		select {
		case <-ended:
			return
		case <-watchdog.tick:
			d.feed()
		case sig := <-signals:
			switch {
			case sig == syscall.SIGHUP:
				d.reload()
			case stopping:
				d.log.Info("stopping at once", "signal", sig.String())
				d.server.Stop(0)
			default:
				stopping = true
				notify(stoppingState)
				d.server.Stop(d.settings.Drain)
			}
		}
	}
}
