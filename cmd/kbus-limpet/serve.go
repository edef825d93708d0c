package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/limpet/federation/server"
)

// kbus-limpet serve: join, with the NATS server in the same process.

func serveCommand(l *line) *cobra.Command {
	m := &member{line: l}
	var config server.Config
	c := &cobra.Command{
		Use:   "serve --id ID --store DIR",
		Short: "join this bus to a federation, with a NATS server of its own inside",
		Long: `serve is join with the NATS server in the same process: one alone is enough to begin
with, and others join it; three that know each other as --routes are a cluster, which
goes on when one of them is lost. Two are no more than one: neither goes on alone.

On an address that other machines reach it takes --certs, a --config with TLS and keys, or
--insecure.`,
		Example: `kbus-limpet serve --id 1 --certs ~/limpets --store /var/lib/kbus-limpet --listen 10.0.0.1:4222 \
    --peers 10.0.0.1:6222 --routes 10.0.0.2:6222,10.0.0.3:6222
kbus-limpet serve --id 1 --store /var/lib/kbus-limpet --config /etc/kbus/nats.conf`,
		Args: cli.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := m.check(); err != nil {
				return err
			}
			if (config.Peers == "") != (len(config.Routes) == 0) {
				return cli.Misused("--peers is where this server hears the others, and --routes where they are: a cluster needs both")
			}
			m.log = l.logger(slog.LevelInfo)
			config.Log = m.log
			if config.Peers != "" {
				config.Cluster = "kb_" + m.federation
			}
			if config.Name == "" && config.File == "" {
				host, _ := os.Hostname() // only to be read by people
				config.Name = fmt.Sprintf("%s-%d", host, m.id)
			}
			if config.Secure, err = m.secure(); err != nil {
				return err
			}
			if config.Open = m.insecure; m.insecure {
				m.log.Warn("--insecure: everybody who reaches this server may join, in plain text", "listen", config.Listen)
			}
			ctx, done := cli.UntilSignal(cmd.Context())
			defer done()
			stored, lost := context.WithCancelCause(ctx)
			defer lost(nil)
			config.Broken = func(why string) {
				lost(fmt.Errorf("the NATS server can store nothing any more (is there room in %s?), and has to be started anew: %s",
					config.Store, why))
			}
			s, err := server.Start(config)
			if err != nil {
				return err
			}
			defer s.WaitForShutdown()
			defer s.Shutdown()
			if m.replicas == 0 && len(config.Routes) >= 2 {
				m.replicas = 3
			}
			nc, err := m.connect(stored, s.ClientURL(), nats.InProcessServer(s))
			if err != nil {
				return ended(ctx, err)
			}
			defer nc.Close()
			err = m.run(stored, nc)
			if why := context.Cause(stored); err == nil && ctx.Err() == nil {
				return why
			}
			return err
		},
	}
	m.flags(c)
	f := c.Flags()
	f.StringVar(&config.Store, "store", "", "`DIR` for what the server keeps")
	f.StringVar(&config.Listen, "listen", "127.0.0.1:4222", "`HOST:PORT` where other Limpets may join")
	f.StringVar(&config.Peers, "peers", "", "`HOST:PORT` for the other servers of the cluster")
	f.StringSliceVar(&config.Routes, "routes", nil, "`HOST:PORT`s of the other servers' --peers")
	f.StringVar(&config.Name, "server-name", "",
		"`NAME` of the server, its own in the cluster (the machine's and the id)")
	f.StringVar(&config.File, "config", "", "`FILE` with a configuration of NATS, for TLS, users and limits")
	return c
}

// ended drops the error of a server that ended because kbus-limpet itself was asked to end.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
