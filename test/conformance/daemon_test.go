package conformance

import (
	"os"
	"strings"
	"testing"

	"kbus"
	"kbus/internal/file/trace"
	"kbus/internal/server"
)

// daemon is a server of its own for each trace, in this process but reached through its sockets only.
type daemon struct {
	*server.Server
	t     *testing.T
	buses int // that there are now
}

func startDaemon(t *testing.T, c trace.Config) *daemon {
	config := serverConfig(c)
	config.Dir = shortDir(t)
	s, err := server.Start(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &daemon{s, t, c.Devices}
}

// serverConfig is the configuration of a trace.
func serverConfig(c trace.Config) server.Config {
	config := server.Default()
	config.Buses = c.Devices
	config.Limits.Buses = c.MostDevices
	config.Limits.MessageBytes = int64(c.MaxMessageBytes)
	config.Limits.MessageBytesCeiling = int64(c.AbsMaxMessageBytes)
	config.Limits.QueueMessages = int64(c.MaxMessages)
	config.Limits.SetAside = c.MaxSetAside
	return config
}

// shortDir is a directory for sockets, whose paths have 107 bytes at most.
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "kbus")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func (d *daemon) stop() {
	d.Stop(0)
	d.Wait()
	os.RemoveAll(d.Dir())
}

func (d *daemon) path(bus int) string { return kbus.SocketPath(d.Dir(), uint32(bus)) }

// segments counts the rings mapped into this process, where daemon and clients are.
func segments(t *testing.T) int {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(maps), "memfd:kbus-ring")
}
