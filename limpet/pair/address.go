package pair

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// networkOf tells TCP from Unix sockets: what has a slash or no colon is a path (R9.65).
func networkOf(address string) (string, error) {
	if address == "" {
		return "", errors.New("an address is needed: HOST:PORT, or the path of a Unix socket")
	}
	if strings.Contains(address, "/") || !strings.Contains(address, ":") {
		return "unix", nil
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("%s is neither HOST:PORT nor a path: %w", address, err)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n > 65535 {
		return "", fmt.Errorf("%s: a port is a number up to 65535", address)
	}
	return "tcp", nil
}

// listen makes the listening socket. A Unix socket that a killed Limpet has left behind is taken away; one that
// somebody listens at is not.
func listen(address string) (net.Listener, error) {
	network, err := networkOf(address)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen(network, address)
	if network != "unix" || !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	c, dialed := net.Dial(network, address)
	if dialed == nil {
		return nil, errors.Join(err, c.Close())
	}
	info, stat := os.Lstat(address)
	if stat != nil || info.Mode()&os.ModeSocket == 0 || !errors.Is(dialed, syscall.ECONNREFUSED) {
		return nil, err
	}
	if removed := os.Remove(address); removed != nil {
		return nil, errors.Join(err, removed)
	}
	return net.Listen(network, address)
}
