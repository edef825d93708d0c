package server

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"

	"github.com/nats-io/nats-server/v2/server"

	"kbus.example/kbus/limpet/federation/subject"
)

// Secure is which clients may connect: a member of the federation, by TLS with a certificate at both ends, and by a key of its own,
// which lets it publish what carries its own id and nothing else.
type Secure struct {
	TLS        *tls.Config
	Federation string
	Keys       map[uint32]string // public keys of members, by id
}

// handshake is how long TLS may take, in seconds.
const handshake = 5

func (s *Secure) apply(opts *server.Options) {
	opts.TLSConfig, opts.TLS, opts.TLSVerify, opts.TLSTimeout = s.TLS, true, true, handshake
	opts.Cluster.TLSConfig, opts.Cluster.TLSTimeout = s.TLS, handshake
	for id, key := range s.Keys {
		p := subject.PermissionsOf(s.Federation, id)
		opts.Nkeys = append(opts.Nkeys, &server.NkeyUser{Nkey: key, Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: p.Publish},
			Subscribe: &server.SubjectPermission{Allow: p.Subscribe},
		}})
	}
}

// Loopback reports whether only this machine reaches an address.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// closed fails if an address that other machines reach is open to all of them.
func closed(o *server.Options) error {
	known := o.TLSVerify || o.Username != "" || o.Authorization != "" || len(o.Users)+len(o.Nkeys)+len(o.TrustedOperators) > 0 ||
		o.AuthCallout != nil || o.CustomClientAuthentication != nil
	for _, door := range []struct {
		what string
		host string
		port int
		safe bool
		why  string
	}{
		{"bowls", o.Host, max(o.Port, 1), o.TLSConfig != nil && !o.AllowNonTLS, "in plain text"},
		{"bowls", o.Host, max(o.Port, 1), known, "and nobody asks for a key or a certificate"},
		{"servers of the cluster", o.Cluster.Host, o.Cluster.Port, o.Cluster.TLSConfig != nil, "in plain text"},
		{"leaf nodes", o.LeafNode.Host, o.LeafNode.Port, o.LeafNode.TLSConfig != nil, "in plain text"},
		{"gateways", o.Gateway.Host, o.Gateway.Port, o.Gateway.TLSConfig != nil, "in plain text"},
		{"web sockets", o.Websocket.Host, o.Websocket.Port, o.Websocket.TLSConfig != nil, "in plain text"},
	} {
		if door.port != 0 && !door.safe && !Loopback(door.host) {
			return fmt.Errorf("everybody who reaches %s could come in where %s do, %s: say --certs DIR with what kbus-limpet certs and "+
				"kbus-limpet nkey have made, or a configuration with TLS and keys (--config), or --insecure if that is meant",
				net.JoinHostPort(door.host, strconv.Itoa(max(door.port, 0))), door.what, door.why)
		}
	}
	return nil
}
