// Package server runs a NATS server within the process, so that three machines need nothing but three Limpets. It is
// the ordinary server: with a configuration file it does what that file wants.
package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Config is what the server is to be.
type Config struct {
	File    string   // configuration of NATS; the rest is added to it where it is not empty
	Name    string   // its own in the cluster
	Listen  string   // HOST:PORT for clients
	Cluster string   // name of the cluster
	Peers   string   // HOST:PORT for the other servers of the cluster
	Routes  []string // HOST:PORT of these
	Store   string   // directory for streams
	Secure  *Secure  // which clients may connect; nil: those of the file
	Open    bool     // anybody may, also from other machines, and in plain text
	Log     *slog.Logger

	// Broken, if not nil, is called when the server stores nothing any more: it does not try again until it is started anew.
	Broken func(why string)
}

const startTimeout = 20 * time.Second

// Start starts one. What is stored is on disk before it is acknowledged: a directory that forgets a claim because the
// power failed would let two members hold a name.
func Start(c Config) (*server.Server, error) {
	opts, err := c.options()
	if err != nil {
		return nil, wrong{err}
	}
	for _, at := range []struct {
		host string
		port int
	}{{opts.Host, opts.Port}, {opts.Cluster.Host, opts.Cluster.Port}} {
		if err := free(at.host, at.port); err != nil {
			return nil, fmt.Errorf("the NATS server does not start: %w", err)
		}
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("the NATS server does not start: %w", err)
	}
	log := logger{c.Log, make(chan string, 1), c.Broken}
	s.SetLoggerV2(log, opts.Debug, opts.Trace, false)
	s.Start()
	ready := make(chan bool, 1)
	go func() { ready <- s.ReadyForConnections(startTimeout) }()
	select {
	case why := <-log.fatal: // from which a server of its own would end
		err = fmt.Errorf("the NATS server does not start: %s", why)
	case ok := <-ready:
		if ok {
			return s, nil
		}
		err = fmt.Errorf("the NATS server was not ready within %v", startTimeout)
	}
	s.Shutdown()
	return nil, err
}

// wrong is a configuration that does not do; where the system gives no number for that, it is EINVAL.
type wrong struct{ error }

func (w wrong) Unwrap() []error { return []error{w.error, syscall.EINVAL} }

// free fails at once, and with its errno, if an address is taken or not ours. The server itself would only log that.
func free(host string, port int) error {
	if port <= 0 { // none, or whichever is free
		return nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}

func (c *Config) options() (opts *server.Options, err error) {
	opts = &server.Options{}
	if c.File != "" {
		if opts, err = server.ProcessConfigFile(c.File); err != nil {
			return nil, fmt.Errorf("the NATS configuration: %w", err)
		}
	}
	opts.NoSigs, opts.JetStream, opts.SyncAlways = true, true, true
	opts.DisableJetStreamBanner = true
	if c.Name != "" {
		opts.ServerName = c.Name
	}
	if c.Store != "" {
		opts.StoreDir = c.Store
	}
	if opts.StoreDir == "" {
		return nil, errors.New("the NATS server needs a directory for its streams: --store DIR")
	}
	if c.Secure != nil {
		c.Secure.apply(opts)
	}
	if c.Listen != "" {
		if opts.Host, opts.Port, err = address("--listen", c.Listen); err != nil {
			return nil, err
		}
	}
	if c.Cluster != "" {
		opts.Cluster.Name = c.Cluster
	}
	if c.Peers != "" {
		if opts.Cluster.Host, opts.Cluster.Port, err = address("--peers", c.Peers); err != nil {
			return nil, err
		}
	}
	for _, r := range c.Routes {
		if _, _, err := address("--routes", r); err != nil {
			return nil, err
		}
		opts.Routes = append(opts.Routes, &url.URL{Scheme: "nats-route", Host: r})
	}
	if !c.Open {
		err = closed(opts)
	}
	return opts, err
}

func address(flag, text string) (host string, port int, err error) {
	host, word, err := net.SplitHostPort(text)
	if err == nil {
		port, err = strconv.Atoi(word)
	}
	if err != nil || host == "" || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("%s %q is not HOST:PORT, such as 127.0.0.1:4222", flag, text)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// logger puts the log of the server into ours.
type logger struct {
	*slog.Logger
	fatal  chan string // gets the first thing that the server cannot live with
	broken func(string)
}

func (l logger) Noticef(format string, v ...any) {
	l.Debug("NATS server: " + fmt.Sprintf(format, v...))
}
func (l logger) Warnf(format string, v ...any) { l.Warn("NATS server: " + fmt.Sprintf(format, v...)) }
func (l logger) Errorf(format string, v ...any) {
	why := fmt.Sprintf(format, v...)
	l.Error("NATS server: " + why)
	if l.broken != nil && (strings.Contains(why, "ritical write error") || strings.Contains(why, "will be DISABLED")) {
		l.broken(why)
	}
}
func (l logger) Fatalf(format string, v ...any) {
	why := fmt.Sprintf(format, v...)
	l.Error("NATS server: " + why)
	select {
	case l.fatal <- why:
	default:
	}
}
func (l logger) Debugf(format string, v ...any) { l.Debug("NATS server: " + fmt.Sprintf(format, v...)) }
func (l logger) Tracef(format string, v ...any) { l.Debug("NATS server: " + fmt.Sprintf(format, v...)) }
