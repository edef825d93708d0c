package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/nats-io/nats.go"
	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/limpet/federation"
	"kbus.example/kbus/limpet/federation/ordered"
	"kbus.example/kbus/limpet/federation/subject"
	"kbus.example/kbus/limpet/pair"
)

// member is what join and serve share: a bus of a federation and how it reaches NATS.
type member struct {
	*line
	id         uint32
	federation string
	names      []string
	available  bool
	replicas   int
	domain     string
	orderedFlags
	credentials
	log *slog.Logger
}

// orderedFlags are those of an ordered federation.
type orderedFlags struct {
	ordered    bool
	inlet      cli.BusNumber
	checkpoint string
	maxPayload int
}

// credentials are how it proves to servers who it is, and which servers it trusts.
type credentials struct {
	ca        string
	cert, key string
	creds     string
	nkey      string
	certs     string
	insecure  bool
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
	f.StringVar(&m.domain, "domain", "",
		"`NAME` of the JetStream domain of the hub of leaf nodes")
	f.BoolVar(&m.ordered, "ordered", false,
		"one order for all: programs send to bus --inlet and listen on --bus")
	f.Var(&m.inlet, "inlet", "with --ordered, `N` of the bus where programs send")
	f.StringVar(&m.checkpoint, "place", "",
		"with --ordered, `FILE` that tells how far --bus has been served\n(bus<N>.place beside the daemon's sockets)")
	f.IntVar(&m.maxPayload, "payload", 0,
		"with --ordered, `BYTES` that all servers on the way to the stream carry\n(what ours does, if it is in the stream's cluster, else 32768)")
	f.StringVar(&m.ca, "tls-ca", "", "`FILE` with certificates of authorities that servers are trusted by")
	f.StringVar(&m.cert, "tls-cert", "", "`FILE` with our certificate, if the servers want one")
	f.StringVar(&m.key, "tls-key", "", "`FILE` with its key")
	f.StringVar(&m.creds, "creds", "", "`FILE` with NATS credentials")
	f.StringVar(&m.nkey, "nkey", "", "`FILE` with the seed of an nkey")
	f.StringVar(&m.certs, "certs", "",
		"`DIR` with what kbus-limpet certs and nkey make, instead of these")
	f.BoolVar(&m.insecure, "insecure", false, "without TLS and keys on other addresses than this machine's own, too")
	_ = c.MarkFlagRequired("id")
}

// config is the bowl's.
func (m *member) config() federation.Config {
	return federation.Config{
		ID: m.id, Federation: m.federation, Names: m.names, Available: m.available, Replicas: m.replicas,
		Domain: m.domain, Where: m.where(m.Bus), Log: m.log,
		Open: m.open(m.Bus, 64),
	}
}

// orderedConfig is that of an ordered bowl.
func (m *member) orderedConfig() ordered.Config {
	checkpoint := m.checkpoint
	if checkpoint == "" {
		checkpoint = filepath.Join(m.Directory(), fmt.Sprintf("bus%d.place", m.Bus))
	}
	return ordered.Config{
		ID: m.id, Federation: m.federation, Names: m.names, Replicas: m.replicas,
		Domain: m.domain, Where: fmt.Sprintf("%s and bus %d", m.where(m.inlet), m.Bus), MaxPayload: m.maxPayload, Checkpoint: checkpoint, Log: m.log,
		Inlet: m.open(m.inlet, 64), Outlet: m.open(m.Bus, 0),
	}
}

// where names a bus among all there are, to know it again after a crash: the machine, and the socket on it.
func (m *member) where(bus cli.BusNumber) string {
	machine, err := os.ReadFile("/etc/machine-id")
	host, _ := os.Hostname() // only to be read by people
	path, absErr := filepath.Abs(kbus.SocketPath(m.Directory(), kbus.BusNumber(bus)))
	if err != nil || absErr != nil {
		return host + ":" + kbus.SocketPath(m.Directory(), kbus.BusNumber(bus))
	}
	return host + "/" + strings.TrimSpace(string(machine)) + ":" + path
}

// options are those of the connection to NATS. Nothing is buffered while it is cut, and a dead server is noticed in
// seconds. One that has taken us and does not any more, because its list of keys is wrong for a while, is tried on like any other.
func (m *member) options() ([]nats.Option, error) {
	options := []nats.Option{
		nats.Name(fmt.Sprintf("kbus-limpet %s, bowl %d", m.federation, m.id)), nats.NoEcho(), nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(reconnectWait), nats.ReconnectJitter(reconnectWait, reconnectWait),
		nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(pings), nats.Timeout(dialTimeout),
		nats.CustomInboxPrefix(subject.Replies(m.id)),
		nats.DisconnectErrHandler(func(c *nats.Conn, err error) {
			if !c.IsClosed() { // else we are ending
				m.log.Warn("cut off from NATS", "why", err)
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) { m.log.Info("back with NATS", "server", c.ConnectedServerName()) }),
	}
	if m.certs != "" {
		config, err := pair.InDirectory(m.certs, m.id).TLS(m.id)
		if err != nil {
			return nil, err
		}
		options = append(options, nats.Secure(config))
	}
	if m.ca != "" {
		options = append(options, nats.RootCAs(m.ca))
	}
	switch {
	case m.cert != "" && m.key != "":
		options = append(options, nats.ClientCert(m.cert, m.key))
	case m.cert != "" || m.key != "":
		return nil, cli.Misused("--tls-cert and --tls-key belong together")
	}
	if m.creds != "" {
		options = append(options, nats.UserCredentials(m.creds))
	}
	seed := m.nkey
	if seed == "" && m.certs != "" {
		if path := nkeyPath(m.certs, m.id); fileExists(path) { // servers of others may not ask for one
			seed = path
		}
	}
	if seed != "" {
		option, err := nats.NkeyOptionFromSeed(seed)
		if err != nil {
			return nil, unfit{fmt.Errorf("the nkey %s: %w", seed, err)}
		}
		options = append(options, option)
	}
	return options, m.tryOptions(options)
}

// tryOptions reads the files that options name, so that one that is wrong ends us, and is not taken for a server that is not there.
func (m *member) tryOptions(options []nats.Option) error {
	tried := nats.GetDefaultOptions()
	for _, option := range options {
		if err := option(&tried); err != nil {
			return unfit{err}
		}
	}
	if m.creds == "" {
		return nil
	}
	_, err := tried.UserJWT()
	if err == nil {
		_, err = tried.SignatureCB(nil)
	}
	if err != nil {
		return unfit{fmt.Errorf("the credentials %s: %w", m.creds, err)}
	}
	return nil
}

// unfit is a file that does not do; where the system gives no number for that, it is EINVAL.
type unfit struct{ error }

func (u unfit) Unwrap() []error { return []error{u.error, syscall.EINVAL} }

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
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
	var joining runner
	if m.ordered {
		joining, err = ordered.New(nc, m.orderedConfig(), ready)
	} else {
		joining, err = federation.New(nc, m.config(), ready)
	}
	if err != nil {
		return err
	}
	return ended(ctx, joining.Run(ctx))
}

// open opens a Ksock on a bus of ours, again and again if need be.
func (m *member) open(bus cli.BusNumber, readAhead uint32) func(context.Context) (*kbus.Ksock, error) {
	return func(ctx context.Context) (*kbus.Ksock, error) {
		k, err := kbus.Open(ctx, kbus.BusNumber(bus), kbus.Dir(m.Directory()), kbus.ReadAhead(readAhead))
		return k, m.ExplainNoBus(uint32(bus), err)
	}
}

// check finds out what is wrong before anything is begun.
func (m *member) check() error {
	config := m.config()
	if err := config.Check(); err != nil {
		return cli.Misused(err.Error())
	}
	if m.replicas != 0 && m.replicas != 1 && m.replicas != 3 && m.replicas != 5 {
		return cli.Misused("--replicas is 1, 3 or 5")
	}
	if strings.ContainsAny(m.domain, ". *>\t") {
		return cli.Misused("--domain is one word, the name that the hub's configuration gives to its JetStream")
	}
	if m.creds != "" && m.nkey != "" {
		return cli.Misused("--creds and --nkey exclude each other")
	}
	if m.certs != "" && m.ca+m.cert+m.key+m.nkey+m.creds != "" {
		return cli.Misused("either --certs DIR or --tls-ca, --tls-cert, --tls-key, --nkey and --creds")
	}
	if m.ordered && m.inlet == m.Bus {
		return cli.Misused("--ordered needs two buses: --inlet where programs send, and --bus where they listen")
	}
	if m.checkpoint != "" && !m.ordered {
		return cli.Misused("--place is for --ordered")
	}
	if m.maxPayload != 0 && (!m.ordered || m.maxPayload < 4096) {
		return cli.Misused("--payload is for --ordered, and 4096 at least")
	}
	return nil
}

// hopeless gives the error that no further attempt to connect will mend, in words that say what to do; nil if there is
// hope.
func hopeless(err error) error {
	for _, c := range []struct {
		is   func(error) bool
		text string
	}{
		{isCertificate, "the NATS server's certificate is not from an authority that is trusted here; see --tls-ca"},
		{is(nats.ErrSecureConnWanted), "the NATS server does not offer TLS, which --servers or --tls-ca ask for"},
		{is(nats.ErrSecureConnRequired), "the NATS server wants TLS: say tls:// in --servers, and see --tls-ca"},
		{isRefused, "the NATS server does not know these credentials; see --creds, --nkey and --tls-cert"},
	} {
		if c.is(err) {
			return fmt.Errorf("%s: %w", c.text, err)
		}
	}
	return nil
}

func is(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
