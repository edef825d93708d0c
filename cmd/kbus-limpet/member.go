package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"kbus"
	"kbus/limpet/federation"
	"kbus/limpet/federation/ordered"
)

// member is what join and serve share: the bowl and how it reaches NATS.
type member struct {
	*line
	id         uint32
	federation string
	names      []string
	available  bool
	replicas   int
	ordered    bool
	inlet      busNumber
	place      string
	ca         string
	cert, key  string
	creds      string
	nkey       string
	log        *slog.Logger
}

func (m *member) flags(c *cobra.Command) {
	f := c.Flags()
	f.Uint32Var(&m.id, "id", 0, "network `ID` of this bowl, its own in the whole federation (required)")
	f.StringVar(&m.federation, "federation", "kbus", "`NAME` of the federation")
	f.StringArrayVar(&m.names, "name", []string{"$.*"}, "share what this `BINDING` matches; more of them if need be")
	f.BoolVar(&m.available, "available", false,
		"keep Repliers bound while there is no quorum; the older claim wins later")
	f.IntVar(&m.replicas, "replicas", 0,
		"`N` servers that keep the directory, if this bowl makes it: 1, 3 or 5\n(3 if there are three servers, else 1)")
	f.BoolVar(&m.ordered, "ordered", false,
		"one order for all: programs send to bus --inlet and listen on --bus")
	f.Var(&m.inlet, "inlet", "with --ordered, `N` of the bus where programs send")
	f.StringVar(&m.place, "place", "",
		"with --ordered, `FILE` that tells how far --bus has been served\n(bus<N>.place beside the daemon's sockets)")
	f.StringVar(&m.ca, "tls-ca", "", "`FILE` with certificates of authorities that servers are trusted by")
	f.StringVar(&m.cert, "tls-cert", "", "`FILE` with our certificate, if the servers want one")
	f.StringVar(&m.key, "tls-key", "", "`FILE` with its key")
	f.StringVar(&m.creds, "creds", "", "`FILE` with NATS credentials")
	f.StringVar(&m.nkey, "nkey", "", "`FILE` with the seed of an nkey")
	_ = c.MarkFlagRequired("id")
}

// config is the bowl's.
func (m *member) config() federation.Config {
	return federation.Config{
		ID: m.id, Federation: m.federation, Names: m.names, Available: m.available, Replicas: m.replicas,
		Where: m.where(m.bus), Log: m.log,
		Open: m.open(m.bus, 64),
	}
}

// orderedConfig is that of an ordered bowl.
func (m *member) orderedConfig() ordered.Config {
	place := m.place
	if place == "" {
		place = filepath.Join(m.directory(), fmt.Sprintf("bus%d.place", m.bus))
	}
	return ordered.Config{
		ID: m.id, Federation: m.federation, Names: m.names, Replicas: m.replicas,
		Where: fmt.Sprintf("%s and bus %d", m.where(m.inlet), m.bus), Place: place, Log: m.log,
		Inlet: m.open(m.inlet, 64), Outlet: m.open(m.bus, 0),
	}
}

// where names a bus among all there are, to know it again after a crash: the machine, and the socket on it.
func (m *member) where(bus busNumber) string {
	machine, err := os.ReadFile("/etc/machine-id")
	host, _ := os.Hostname() // only to be read by people
	path, absErr := filepath.Abs(kbus.SocketPath(m.directory(), uint32(bus)))
	if err != nil || absErr != nil {
		return host + ":" + kbus.SocketPath(m.directory(), uint32(bus))
	}
	return host + "/" + strings.TrimSpace(string(machine)) + ":" + path
}

// options are those of the connection to NATS. Nothing is buffered while it is cut, and a dead server is noticed in
// seconds.
func (m *member) options() ([]nats.Option, error) {
	options := []nats.Option{
		nats.Name(fmt.Sprintf("kbus-limpet %s, bowl %d", m.federation, m.id)), nats.NoEcho(), nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.ReconnectJitter(reconnectWait, reconnectWait),
		nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(pings), nats.Timeout(dialTimeout),
		nats.CustomInboxPrefix(fmt.Sprintf("_INBOX.kb%d", m.id)),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { m.log.Warn("cut off from NATS", "why", err) }),
		nats.ReconnectHandler(func(c *nats.Conn) { m.log.Info("back with NATS", "server", c.ConnectedServerName()) }),
	}
	if m.ca != "" {
		options = append(options, nats.RootCAs(m.ca))
	}
	switch {
	case m.cert != "" && m.key != "":
		options = append(options, nats.ClientCert(m.cert, m.key))
	case m.cert != "" || m.key != "":
		return nil, misused("--tls-cert and --tls-key belong together")
	}
	if m.creds != "" {
		options = append(options, nats.UserCredentials(m.creds))
	}
	if m.nkey != "" {
		option, err := nats.NkeyOptionFromSeed(m.nkey)
		if err != nil {
			return nil, fmt.Errorf("--nkey %s: %w", m.nkey, err)
		}
		options = append(options, option)
	}
	return options, nil
}

// runner is a bowl of either kind.
type runner interface{ Run(context.Context) error }

// run keeps the bus joined until a signal comes.
func (m *member) run(ctx context.Context, nc *nats.Conn) (err error) {
	if m.replicas == 0 {
		m.replicas = 1
		if len(nc.Servers()) >= 3 {
			m.replicas = 3
		}
	}
	ready := func() { _, _ = systemd.SdNotify(false, systemd.SdNotifyReady) }
	var bowl runner
	if m.ordered {
		bowl, err = ordered.New(nc, m.orderedConfig(), ready)
	} else {
		bowl, err = federation.New(nc, m.config(), ready)
	}
	if err != nil {
		return err
	}
	return ended(ctx, bowl.Run(ctx))
}

// open opens a Ksock on a bus of ours, again and again if need be.
func (m *member) open(bus busNumber, readAhead uint32) func(context.Context) (*kbus.Ksock, error) {
	return func(ctx context.Context) (*kbus.Ksock, error) {
		k, err := kbus.OpenContext(ctx, uint32(bus), kbus.Dir(m.directory()), kbus.ReadAhead(readAhead))
		return k, m.explainNoBus(err)
	}
}

// check finds out what is wrong before anything is begun.
func (m *member) check() error {
	config := m.config()
	if err := config.Check(); err != nil {
		return misused(err.Error())
	}
	if m.replicas != 0 && m.replicas != 1 && m.replicas != 3 && m.replicas != 5 {
		return misused("--replicas is 1, 3 or 5")
	}
	if m.creds != "" && m.nkey != "" {
		return misused("--creds and --nkey exclude each other")
	}
	if m.ordered && m.inlet == m.bus {
		return misused("--ordered needs two buses: --inlet where programs send, and --bus where they listen")
	}
	if m.place != "" && !m.ordered {
		return misused("--place is for --ordered")
	}
	return nil
}

// hopeless tells what no further attempt to connect will mend, in words that say what to do.
func hopeless(err error) error {
	for _, c := range []struct {
		is  func(error) bool
		say string
	}{
		{isCertificate, "the NATS server's certificate is not from an authority that is trusted here; see --tls-ca"},
		{is(nats.ErrSecureConnWanted), "the NATS server does not offer TLS, which --servers or --tls-ca ask for"},
		{is(nats.ErrSecureConnRequired), "the NATS server wants TLS: say tls:// in --servers, and see --tls-ca"},
		{isRefused, "the NATS server does not know these credentials; see --creds, --nkey and --tls-cert"},
	} {
		if c.is(err) {
			return fmt.Errorf("%s: %w", c.say, err)
		}
	}
	return nil
}

func is(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
