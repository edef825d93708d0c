package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/internal/services/folder"
)

// kbus services: which names have a program that the daemon starts for them, and how is it with each? And: are files of services
// right? That asks no daemon.

// servicesDir is where a packaged kbusd has its services.
const servicesDir = "/etc/kbus/kbus.d"

func servicesCommand(l *line) *cobra.Command {
	elsewhere := false
	c := &cobra.Command{
		Use:   "services [check [DIR]]",
		Short: "list the services that are started when asked for, or check their files",
		Long: `services lists the names whose Replier the daemon starts when a Request comes, with the
state of each: idle, starting, running, or failed, which says why.

services check reads files of services as kbusd does, and tells all mistakes in them,
each with file, line and column. It asks no daemon.`,
		Example: `kbus services
kbus services check kbus.d --elsewhere`,
		ValidArgs: []string{"check"},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return listServices(l, cmd)
			case args[0] == "check" && len(args) <= 2:
				dir := servicesDir
				if len(args) == 2 {
					dir = args[1]
				}
				return checkServices(l, dir, elsewhere)
			}
			return cli.Misused("write services, or services check DIR")
		},
	}
	c.Flags().BoolVar(&elsewhere, "elsewhere", false, "with check: users and groups need not be known here")
	return c
}

func checkServices(l *line, dir string, elsewhere bool) error {
	var users folder.Users = folder.Here{}
	if elsewhere {
		users = folder.Elsewhere{}
	}
	set, err := folder.Load(dir, users)
	warnUnread(l, dir)
	if err != nil {
		return l.reportMistakes(err, "services")
	}
	for _, doubt := range folder.Doubts(set, elsewhere) {
		warn(l, doubt)
	}
	if l.JSON {
		return l.printJSON(struct {
			Path     string `json:"path"`
			Services int    `json:"services"`
		}{dir, len(set.Services)})
	}
	_, err = fmt.Fprintf(l.out, "%s: %s\n", dir, countOf(len(set.Services), "service"))
	return err
}

func listServices(l *line, cmd *cobra.Command) error {
	return l.observed(cmd, func(ctx context.Context, o *kbus.Observer) error {
		list, err := o.Services(ctx)
		if err != nil {
			return err
		}
		if l.JSON {
			for i := range list {
				if err := l.printJSON(serviceJSON(&list[i])); err != nil {
					return err
				}
			}
			return nil
		}
		return l.table("NAME\tSTATE\tPID\tSERVICE\tLAST FAILURE", func(w io.Writer) {
			for _, s := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.Name, s.State, pidOf(&s), plain.Text(s.Program), lastFailure(&s))
			}
		}, "no services")
	})
}

// pidOf is the process that answers, or that is to.
func pidOf(s *kbus.ServiceInfo) string {
	switch {
	case s.Replier.Ksock != 0:
		return fmt.Sprint(s.Replier.PID)
	case s.PID != 0:
		return fmt.Sprint(s.PID)
	}
	return "-"
}

func lastFailure(s *kbus.ServiceInfo) string {
	if s.LastFailure == "" {
		return "-"
	}
	text := fmt.Sprintf("%s (%v ago)", plain.Text(s.LastFailure), s.Ago.Round(time.Second))
	if s.NextTryIn > 0 {
		text += fmt.Sprintf("; next try in %v", s.NextTryIn.Round(time.Second))
	}
	return text
}

type jsonService struct {
	Name        string       `json:"name"`
	State       string       `json:"state"`
	Program     string       `json:"service"`
	File        string       `json:"file"`
	PID         uint32       `json:"pid"`
	Replier     *jsonReplier `json:"replier"` // null when there is none
	Held        int          `json:"held"`
	Failures    int          `json:"failures"`
	LastFailure string       `json:"last_failure"`
	Ago         float64      `json:"last_failure_ago"` // seconds
	NextTryIn   float64      `json:"next_try_in"`      // seconds
}

type jsonReplier struct {
	Ksock uint32 `json:"ksock"`
	PID   uint32 `json:"pid"`
}

func serviceJSON(s *kbus.ServiceInfo) jsonService {
	j := jsonService{Name: s.Name, State: string(s.State), Program: s.Program, File: filepath.Clean(s.File), PID: s.PID, Held: s.Held,
		Failures: s.Failures, LastFailure: s.LastFailure, Ago: s.Ago.Seconds(), NextTryIn: s.NextTryIn.Seconds()}
	if s.Replier.Ksock != 0 {
		j.Replier = &jsonReplier{uint32(s.Replier.Ksock), s.Replier.PID}
	}
	return j
}
