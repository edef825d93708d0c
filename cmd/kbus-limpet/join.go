package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
)

// kbus-limpet join: this bus becomes a member of a federation, over NATS servers that run elsewhere.

func joinCommand(l *line) *cobra.Command {
	m := &member{line: l}
	var servers string
	c := &cobra.Command{
		Use:   "join --id ID",
		Short: "join this bus to a federation over NATS servers that run already",
		Long: `join makes this bus a bowl of a federation: whatever is announced in one bowl is heard in
all, a name has one Replier over all of them, and a Request finds it. The bowls meet at
NATS servers with JetStream, which others run; serve runs one itself.

Servers on other machines are spoken to by TLS, unless --insecure is said.`,
		Example: `kbus-limpet join --id 7 --certs ~/limpets --servers tls://10.0.0.1,tls://10.0.0.2,tls://10.0.0.3
kbus-limpet join --id 7 --servers tls://nats.example:4222 --tls-ca ca.pem --nkey bowl7.nk`,
		Args: cli.Takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := m.check(); err != nil {
				return err
			}
			if err := m.checkPlain(servers); err != nil {
				return err
			}
			m.log = l.logger(slog.LevelInfo)
			ctx, done := cli.UntilSignal(cmd.Context())
			defer done()
			nc, err := m.connect(ctx, servers)
			if err != nil {
				return ended(ctx, err)
			}
			defer nc.Close()
			return m.run(ctx, nc)
		},
	}
	m.flags(c)
	c.Flags().StringVar(&servers, "servers", "nats://127.0.0.1:4222", "`URLS` of NATS servers, with commas")
	return c
}
