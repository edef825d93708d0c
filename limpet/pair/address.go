package pair

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Addresses of Limpets: a port, or a path; and listening there.

// mostPathBytes is how long the path of a Unix socket may be on Linux.
const mostPathBytes = 107

// networkOf distinguishes TCP from Unix sockets: what has a slash or no colon is a path (R9.65).
func networkOf(address string) (string, error) {
	if address == "" {
		return "", errors.New("an address is needed: HOST:PORT, or the path of a Unix socket")
	}
	if strings.Contains(address, "/") || !strings.Contains(address, ":") {
		if n := len(address); n > mostPathBytes {
			return "", fmt.Errorf("%s has %d bytes, and the path of a socket %d at most", address, n, mostPathBytes)
		}
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
// a process listens at is not.
func listen(address string) (net.Listener, error) {
	network, err := networkOf(address)
	if err != nil {
		return nil, err
	}
	if network == "tcp" {
		return net.Listen(network, address)
	}
	l, err := listenAtPath(address)
	if !errors.Is(err, syscall.EADDRINUSE) {
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
	return listenAtPath(address)
}

// pathListener is a listening Unix socket that takes its file away when it is closed, if it is still its own: the path
// may have been cleaned away, and may be another Limpet's since.
type pathListener struct {
	*net.UnixListener
	made os.FileInfo
	once sync.Once
	err  error
}

func listenAtPath(path string) (net.Listener, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil || strings.HasPrefix(path, "@") { // an abstract name is no file
		return l, err
	}
	made, err := os.Lstat(path)
	if err != nil { // it has gone already
		return nil, errors.Join(err, l.Close())
	}
	l.SetUnlinkOnClose(false)
	return &pathListener{UnixListener: l, made: made}, nil
}

// Close returns when the file is gone, also when another goroutine closes.
func (l *pathListener) Close() error {
	l.once.Do(func() {
		path := l.Addr().String()
		if there, err := os.Lstat(path); err == nil && os.SameFile(l.made, there) {
			l.err = os.Remove(path)
		}
		l.err = errors.Join(l.err, l.UnixListener.Close())
	})
	return l.err
}
