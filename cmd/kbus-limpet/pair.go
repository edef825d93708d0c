package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/limpet/pair"
)

// pairing is what the flags of pair say.
type pairing struct {
	pair.Options
	listen, connect string
	certs           string
	files           pair.Credentials
}

func pairCommand(l *line) *cobra.Command {
	p := &pairing{}
	var verbose bool
	c := &cobra.Command{
		Use:   "pair (--listen | --connect) ADDRESS --id N",
		Short: "join this bus with one other",
		Long: `pair joins a bus with one other, at the other end of a stream where another kbus-limpet
runs: one end listens, the other connects. An ADDRESS is HOST:PORT, or the path of a
Unix socket. Each bus has a network id, which no other bus has of all that are joined;
all Limpets of a bus give the same.

Streams are TLS, with certificates at both ends in which the network id stands;
kbus-limpet certs makes some. Original Limpets speak plain text, which --legacy allows.

When the link or the bus is lost, each open Request gets its Status, and all is joined
again as soon as possible. What is announced meanwhile stays on its own bus.`,
		Example: `kbus-limpet certs ~/limpets --id 1 --id 2
kbus-limpet pair --listen :7000 --id 1 --certs ~/limpets
kbus-limpet pair --connect there:7000 --id 2 --certs ~/limpets
kbus-limpet pair --listen /tmp/bowls --id 1 --legacy --bus 0    # two buses of one machine
kbus-limpet pair --connect /tmp/bowls --id 2 --legacy --bus 1`,
		Args: cli.Takes(),
	}
	f := c.Flags()
	f.StringVar(&p.listen, "listen", "", "wait at `ADDRESS` for the other end")
	f.StringVar(&p.connect, "connect", "", "connect to the other end at `ADDRESS`")
	f.Uint32Var(&p.ID, "id", 0, "network `ID` of this bus, from 1 (needed)")
	f.StringVar(&p.Name, "name", pair.DefaultName, "`NAME` of what the other bus is to know of")
	f.StringVar(&p.StopOn, "stop-on", "", "end when somebody sends a message of this `NAME`")
	f.StringVar(&p.certs, "certs", "", "`DIR` with authority.pem, limpet.<id>.pem and limpet.<id>.key")
	f.StringVar(&p.files.Authority, "authority", "", "`FILE` with the certificates of authorities, instead of --certs")
	f.StringVar(&p.files.Cert, "cert", "", "`FILE` with our certificate, for limpet.<id>")
	f.StringVar(&p.files.Key, "key", "", "`FILE` with its key")
	f.BoolVar(&p.Legacy, "legacy", false, "plain text: to connect in, or to accept")
	f.BoolVar(&p.Once, "once", false, "end when the link is lost, or does not come about")
	f.Uint32Var(&p.MaxMessages, "queue", pair.DefaultMaxMessages, "`N` messages may wait for us on the bus")
	f.IntVar(&p.MaxNames, "max-names", pair.DefaultMaxNames, "`N` names the other end may have Repliers for on this bus")
	f.IntVar(&p.MaxUnread, "unread", pair.DefaultMaxUnread, "`BYTES` of answers that may wait for the other end")
	cli.SpanVar(f, &p.Longest, "longest-pause", pair.DefaultLongest, "`TIME` between two attempts to connect, at most")
	f.BoolVar(&verbose, "verbose", false, "log every message")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := p.resolveOptions(); err != nil {
			return cli.Misused(err.Error())
		}
		level := slog.LevelInfo
		if verbose {
			level = slog.LevelDebug
		}
		return l.runPair(cmd.Context(), p.Options, level)
	}
	return c
}

// resolveOptions makes options of flags, and fails with those that contradict each other.
func (p *pairing) resolveOptions() error {
	if (p.listen == "") == (p.connect == "") {
		return errors.New("either --listen ADDRESS or --connect ADDRESS is needed")
	}
	p.Listen, p.Address = p.listen != "", p.listen+p.connect
	given := 0
	for _, file := range []string{p.files.Authority, p.files.Cert, p.files.Key} {
		if file != "" {
			given++
		}
	}
	switch {
	case given > 0 && p.certs != "":
		return errors.New("either --certs DIR or --authority, --cert and --key")
	case given > 0 && given < 3:
		return errors.New("--authority, --cert and --key are needed together")
	case given == 3:
		p.Credentials = &p.files
	case p.certs != "":
		p.Credentials = pair.InDirectory(p.certs, p.ID)
	}
	if p.Credentials != nil && p.Legacy && !p.Listen {
		return errors.New("who connects does so either by TLS or with --legacy")
	}
	if p.MaxMessages == 0 || p.Longest <= 0 || p.MaxNames <= 0 || p.MaxUnread <= 0 {
		return errors.New("--queue, --longest-pause, --max-names and --unread are larger than 0")
	}
	return p.Check()
}

// runPair is one end of a pair until it is to end.
func (l *line) runPair(ctx context.Context, o pair.Options, level slog.Level) error {
	ctx, done := cli.UntilSignal(ctx)
	defer done()
	o.Log = l.logger(level)
	o.Open = func(ctx context.Context) (*kbus.Ksock, error) {
		k, err := kbus.Open(ctx, kbus.BusNumber(l.Bus), kbus.Dir(l.Directory()))
		return k, l.ExplainNoBus(uint32(l.Bus), err)
	}
	return pair.Run(ctx, o)
}
