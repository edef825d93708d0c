package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nkeys"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/limpet/federation/server"
	"kbus.example/kbus/limpet/pair"
)

// What kbus-limpet certs and kbus-limpet nkey put into one directory, for a federation that is secure: each machine needs
// authority.pem, and limpet.<id>.pem, .key and .nk of its own; servers need limpets.nkeys, too.

const publicKeys = "limpets.nkeys"

func nkeyPath(dir string, id uint32) string {
	return filepath.Join(dir, fmt.Sprintf("limpet.%d.nk", id))
}

// readNkeys reads a list of public keys by bowl.
func readNkeys(path string) (map[uint32]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	keys := map[uint32]string{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		var id uint32
		var key string
		if _, err := fmt.Sscanf(lines.Text(), "%d %s", &id, &key); err != nil || id == 0 || !nkeys.IsValidPublicUserKey(key) {
			return nil, fmt.Errorf("%s, line %d: not the id of a bowl and its public key", path, n)
		}
		keys[id] = key
	}
	return keys, lines.Err()
}

// secure is what serve's server asks of those who connect, nil without --certs.
func (m *member) secure() (*server.Secure, error) {
	if m.certs == "" {
		return nil, nil
	}
	config, err := pair.InDirectory(m.certs, m.id).TLS(m.id)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(m.certs, publicKeys)
	keys, err := readNkeys(path)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%s tells which key is that of which bowl, and is missing: kbus-limpet nkey makes it: %w", path, err)
	}
	if err == nil && keys[m.id] == "" {
		err = fmt.Errorf("%s has no key of bowl %d", path, m.id)
	}
	return &server.Secure{TLS: config, Federation: m.federation, Keys: keys}, err
}

// checkPlain refuses to speak in plain text to other machines, unless that is meant.
func (m *member) checkPlain(servers string) error {
	if m.insecure || m.certs != "" || m.ca != "" || m.cert != "" {
		return nil
	}
	for text := range strings.SplitSeq(servers, ",") {
		text = strings.TrimSpace(text)
		if !strings.Contains(text, "://") {
			text = "nats://" + text
		}
		at, err := url.Parse(text)
		if err != nil {
			return cli.Misused(fmt.Sprintf("--servers %s: %v", text, err))
		}
		if at.Hostname() == "" {
			return cli.Misused(fmt.Sprintf("--servers %q: there is no host before or behind a comma", servers))
		}
		if at.Scheme != "tls" && at.Scheme != "wss" && !server.Loopback(at.Hostname()) {
			return cli.Misused(fmt.Sprintf("to %s everything would go in plain text: say tls:// or --certs DIR (see kbus-limpet help certs "+
				"and nkey), or --insecure if that is meant", net.JoinHostPort(at.Hostname(), portOr4222(at.Port()))))
		}
	}
	return nil
}

func portOr4222(port string) string {
	if port == "" {
		return "4222"
	}
	return port
}
