// Package server runs a NATS server within the process, so that three machines need nothing but three Limpets. It is
// the ordinary server: with a configuration file it does whatever that says.
package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
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
	Log     *slog.Logger
}

const startTimeout = 20 * time.Second

// Start starts one. What is stored is on disk before it is acknowledged: a directory that forgets a claim because the
// power failed would let two bowls hold a name.
func Start(c Config) (*server.Server, error) {
	opts, err := c.options()
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("the NATS server does not start: %w", err)
	}
	s.SetLoggerV2(logger{c.Log}, opts.Debug, opts.Trace, false)
	s.Start()
	if !s.ReadyForConnections(startTimeout) {
		s.Shutdown()
		return nil, fmt.Errorf("the NATS server was not ready within %v", startTimeout)
	}
	return s, nil
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
	return opts, nil
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

// logger tells what the server says in our log.
type logger struct{ *slog.Logger }

func (l logger) Noticef(format string, v ...any) {
	l.Debug("NATS server: " + fmt.Sprintf(format, v...))
}
func (l logger) Warnf(format string, v ...any)  { l.Warn("NATS server: " + fmt.Sprintf(format, v...)) }
func (l logger) Errorf(format string, v ...any) { l.Error("NATS server: " + fmt.Sprintf(format, v...)) }
func (l logger) Fatalf(format string, v ...any) { l.Error("NATS server: " + fmt.Sprintf(format, v...)) }
func (l logger) Debugf(format string, v ...any) { l.Debug("NATS server: " + fmt.Sprintf(format, v...)) }
func (l logger) Tracef(format string, v ...any) { l.Debug("NATS server: " + fmt.Sprintf(format, v...)) }
