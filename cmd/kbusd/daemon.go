package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/server"
	"kbus.example/kbus/internal/server/settings"
	"kbus.example/kbus/internal/version"
)

// kbusd as a process: its command line, its settings, and the loop that waits for signals.

// Exit statuses: 0 ended in order, also at once after a second signal; 1 could not start; 2 bad usage.
const (
	exitOK = iota
	exitFailure
	exitUsage
)

// run is main, testable.
func run(args []string, stdout, stderr io.Writer) int {
	c, err := parseArgs(args)
	switch {
	case err == errHelp:
		printHelp(stdout)
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "kbusd: %v\n%s\n", err, usageLine)
		return exitUsage
	case c.version:
		fmt.Fprintln(stdout, "kbusd", version.Built)
		return exitOK
	}
	s, misused, err := c.load()
	switch {
	case misused:
		fmt.Fprintf(stderr, "kbusd: %v\n%s\n", err, usageLine)
		return exitUsage
	case err != nil:
		fmt.Fprintln(stderr, err)
		return exitFailure
	}
	if c.check {
		for _, name := range s.Unread() {
			fmt.Fprintf(stderr, "%s: %s\n", name, settings.NotRead)
		}
		fmt.Fprintln(stdout, strings.TrimSpace(c.config+" ok"))
		return exitOK
	}
	return serve(c, s, stderr)
}

// daemon is a running kbusd: a server, and the signals and notices of the outside world.
type daemon struct {
	line     *commandLine
	settings *settings.Settings
	server   *server.Server
	log      *logger.Logger
	level    *logger.LevelVar

	signals    <-chan os.Signal
	control    *server.Control // nil: there is none
	successors chan successor  // who asks to take over
}

func serve(c *commandLine, s *settings.Settings, stderr io.Writer) int {
	tuneMemory()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR2)
	defer signal.Stop(signals)
	signal.Ignore(syscall.SIGPIPE) // a bus does not die with the reader of its log

	out := newLogWriter(stderr)
	defer out.close()
	d := &daemon{line: c, settings: s, level: new(logger.LevelVar), signals: signals}
	d.level.Set(s.LogLevel)
	d.log = newLogger(out, s.LogFormat, d.level)
	out.reportLost(d.log)

	if err := d.start(); err != nil {
		d.log.Error("cannot start", "error", err)
		return exitFailure
	}
	releaseStartMemory()
	d.warnUnread()
	d.notifyReady()
	d.loop()
	out.close()
	server.Guard(d.server) // what another that has taken over cannot
	return exitOK
}

// loop is what the daemon does while the buses run by themselves, until they have ended or another daemon has taken over.
func (d *daemon) loop() {
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
			d.control.Close()
			return
		case s := <-d.successors:
			if d.handOver(s) {
				return
			}
		case <-watchdog.tick:
			d.feed()
		case sig := <-d.signals:
			switch {
			case sig == syscall.SIGHUP:
				d.reload()
			case sig == syscall.SIGUSR2:
				if d.replaceMe() {
					return
				}
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
