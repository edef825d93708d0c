package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// How a member reaches NATS: it tries for as long as no server is there, since machines start in any order, and gives
// up only what trying cannot mend.

const (
	reconnectWait = 200 * time.Millisecond
	pingEvery     = time.Second
	pings         = 3 // unanswered ones, until the server counts as dead
	dialTimeout   = 2 * time.Second
	dialEvery     = time.Second
)

// connect connects to one of the servers, and tries on while none of them is there: machines start in any order. It
// gives up what trying will not mend.
func (m *member) connect(ctx context.Context, servers string, more ...nats.Option) (*nats.Conn, error) {
	options, err := m.options()
	if err != nil {
		return nil, err
	}
	for logged := false; ; {
		nc, err := nats.Connect(servers, append(options, more...)...)
		if err == nil {
			return nc, nil
		}
		if no := hopeless(err); no != nil {
			return nil, no
		}
		if !logged {
			m.log.Warn("no NATS server can be reached, trying on", "servers", servers, "why", err)
			logged = true
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(dialEvery):
		}
	}
}

func isCertificate(err error) bool {
	var unverified *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	return errors.As(err, &unverified) || errors.As(err, &authority) || errors.As(err, &host)
}

// isRefused looks at the text too, because the server's alert about a certificate of ours has no type.
func isRefused(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) ||
		strings.Contains(err.Error(), "certificate required") || strings.Contains(err.Error(), "bad certificate") ||
		strings.Contains(err.Error(), "unknown certificate authority")
}
