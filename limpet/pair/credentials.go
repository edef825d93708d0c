package pair

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Credentials are the files that prove which Limpet we are, and which the other end is. They are read anew for every
// link, so that certificates can be replaced while we run.
type Credentials struct {
	Authority string // certificates of the authorities that we believe, PEM
	Cert      string // our own certificate, for limpet.<id>, and what comes between it and the authority
	Key       string // its private key
}

// InDirectory gives the files of the Limpet with that network id as MakeCertificates names them.
func InDirectory(dir string, id uint32) *Credentials {
	name := filepath.Join(dir, nameOf(id))
	return &Credentials{filepath.Join(dir, authorityName+certSuffix), name + certSuffix, name + keySuffix}
}

const (
	idPrefix = "limpet."
	anyName  = "limpet" // stands in the certificates of all
)

// nameOf is the DNS name that stands in the certificate of a Limpet: it binds the network id to it.
func nameOf(id uint32) string { return idPrefix + strconv.FormatUint(uint64(id), 10) }

// idIn reads it.
func idIn(cert *x509.Certificate) (uint32, error) {
	for _, name := range cert.DNSNames {
		if number, found := strings.CutPrefix(name, idPrefix); found {
			if id, err := strconv.ParseUint(number, 10, 32); err == nil && id > 0 {
				return uint32(id), nil
			}
		}
	}
	return 0, fmt.Errorf("the certificate of %s is not for a Limpet: no DNS name %s<id> stands in it",
		cert.Subject, idPrefix)
}

// read reads the files and makes sure that they are for us.
func (c *Credentials) read(own uint32) (cert tls.Certificate, roots *x509.CertPool, err error) {
	pem, err := os.ReadFile(c.Authority)
	if err != nil {
		return cert, nil, err
	}
	roots = x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return cert, nil, fmt.Errorf("%s: no certificate in it", c.Authority)
	}
	if cert, err = tls.LoadX509KeyPair(c.Cert, c.Key); err != nil {
		return cert, nil, fmt.Errorf("%s, %s: %w", c.Cert, c.Key, err)
	}
	id, err := idIn(cert.Leaf)
	if err == nil && id != own {
		err = fmt.Errorf("the certificate is for network id %d, and ours is to be %d", id, own)
	}
	if err != nil {
		return cert, nil, fmt.Errorf("%s: %w", c.Cert, err)
	}
	return cert, roots, nil
}

// Check reads the files once, so that what is wrong with them is known at the beginning.
func (c *Credentials) Check(own uint32) error {
	_, _, err := c.read(own)
	return err
}

// TLS is what both ends of connections between Limpets need, where something other than this package makes them: each
// shows a certificate of an authority that the other believes, and servers one of a Limpet. own is our network id.
func (c *Credentials) TLS(own uint32) (*tls.Config, error) {
	cert, roots, err := c.read(own)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, RootCAs: roots, ServerName: anyName,
		ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert,
	}, nil
}

// secure does the TLS handshake, and returns the id in the certificate of the other end. Names of machines do not count, only
// authority and id, so the check is ours at both ends.
func (c *Credentials) secure(conn net.Conn, own uint32, asServer bool) (secured *tls.Conn, id uint32, err error) {
	cert, roots, err := c.read(own)
	if err != nil {
		return nil, 0, err
	}
	usage := x509.ExtKeyUsageServerAuth
	if asServer {
		usage = x509.ExtKeyUsageClientAuth
	}
	config := &tls.Config{
		MinVersion:             tls.VersionTLS13,
		Certificates:           []tls.Certificate{cert},
		ClientAuth:             tls.RequireAnyClientCert,
		InsecureSkipVerify:     true, // because VerifyConnection does it, for servers and clients alike
		SessionTicketsDisabled: true,
		VerifyConnection: func(s tls.ConnectionState) (err error) {
			id, err = verify(s.PeerCertificates, roots, usage)
			return err
		},
	}
	if asServer {
		secured = tls.Server(conn, config)
	} else {
		secured = tls.Client(conn, config)
	}
	err = explain(secured.Handshake()) // which sets id
	return secured, id, err
}

func verify(chain []*x509.Certificate, roots *x509.CertPool, usage x509.ExtKeyUsage) (uint32, error) {
	o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{usage}}
	for _, c := range chain[1:] {
		o.Intermediates.AddCert(c)
	}
	if _, err := chain[0].Verify(o); err != nil {
		if errors.As(err, new(x509.UnknownAuthorityError)) {
			return 0, fmt.Errorf("the certificate of the other end (%s) is of another authority than ours", chain[0].Subject)
		}
		return 0, fmt.Errorf("the certificate of the other end: %w", err)
	}
	return idIn(chain[0])
}

// explain puts errors of TLS into words of ours.
func explain(err error) error {
	var alert *net.OpError
	switch {
	case errors.As(err, new(tls.RecordHeaderError)):
		return fmt.Errorf("the other end speaks plain text, and we speak TLS; --legacy is for plain text (%w)", err)
	case errors.As(err, &alert) && alert.Op == "remote error":
		return fmt.Errorf("the other end refuses our certificate: is it of the same authority, and valid? (%w)", err)
	}
	return err
}
