package main

import (
	"fmt"
	"io"
	"strconv"

	"kbus.example/kbus/internal/server/settings"
)

// commandLine is what the command line says. Settings given there are kept apart, to be put over the file again at
// every reload.
type commandLine struct {
	config         string
	check, version bool
	replace        bool // take over from the daemon that runs
	flags          settings.Flags
}

const usageLine = "usage: kbusd [--config FILE] [--check] [flags]      kbusd --help explains them"

// parseArgs reads the command line. The error is errHelp when help was asked for, and one line otherwise.
func parseArgs(line []string) (*commandLine, error) {
	var c commandLine
	set := args{}
	set.Func("config", "", func(text string) error { c.config = text; return nil })
	for name, is := range map[string]*bool{"check": &c.check, "version": &c.version, "replace": &c.replace} {
		set.BoolFunc(name, "", func(text string) (err error) { *is, err = strconv.ParseBool(text); return err })
	}
	c.flags.Register(set)
	return &c, set.parse(line)
}

// load is all settings of kbusd: defaults, then the file, then the flags. The error is all that is wrong with any of
// it; misused says that a flag is.
func (c *commandLine) load() (s *settings.Settings, misused bool, err error) {
	s = settings.Default()
	var file error
	if c.config != "" {
		file = s.Load(c.config)
	}
	flags := c.flags.Apply(s)
	all := settings.Join(flags, file, s.Check(), s.CheckGroups(), s.LoadRules(c.config), s.LoadServices(c.config))
	return s, flags != nil || settings.OfFlag(all), all
}

func printHelp(w io.Writer) {
	fmt.Fprint(w, `kbusd is the KBUS daemon: message buses for the processes of one machine.

usage: kbusd [flags]

Without any, it runs bus 0 in $KBUS_DIR, else /run/kbus (root), else $XDG_RUNTIME_DIR/kbus.

  --config FILE    read settings from a TOML file; flags win over it
  --check          only check the configuration: exit 0, or 1 with all errors, each with file and line
  --replace        take over from the kbusd that serves the directory: its clients notice nothing. Exit 1, and that one goes
                   on, if it cannot be; the settings must be as that one has them
  --version        print the version
  --help           print this
`)
	names, docs := settings.FlagNames()
	for i, name := range names {
		fmt.Fprintf(w, "  --%-14s %s\n", name, docs[i])
	}
	fmt.Fprint(w, `
Signals: TERM and INT end the buses in order, a second one at once; HUP reads the file again; USR2 has a new process take
over, of the program as it is on disk now.

  kbusd                                 run bus 0
  kbusd --dir /tmp/kbus --buses 2       run two buses, sockets in /tmp/kbus
  kbusd --config kbusd.toml --check     is this file all right?
`)
}
