package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"kbus/internal/device"
	"kbus/internal/ring"
	"kbus/internal/session"
)

// Config says what a server is. Default gives the values that hold where nobody says anything; every limit and every
// default stands there and nowhere else, and docs/daemon.md shows the same table (a test compares them).
type Config struct {
	Dir         string      // where the sockets are; empty: RuntimeDir
	Buses       int         // how many buses to begin with, 1 to MaxBuses (R1.2)
	SocketMode  fs.FileMode // permissions of the socket files: who may use the buses (Q8)
	SocketGroup string      // group of the socket files, a name or a number; empty: as created
	RingBytes   int64       // of each ring of a connection, a power of two from LeastRing to MostRing; 0: sockets only
	LogBytes    int64       // of the log that the clients of a bus share, a multiple of LeastLog; 0: none
	Limpets     Limpets     // who may join the buses to others
	Federated   BusSet      // buses on which nobody becomes a Replier unless a Limpet of a federation has said so
	Device      Device
	Limits      Limits
	Listeners   []Listener // sockets that listen already, as systemd hands them over; the server closes them
}

// Device says whether buses are devices too, for programs of the original (package device).
type Device struct {
	Kind         string      // "off", "auto", "cuse" or "fuse"
	Link         string      // what programs open, without the number of the bus
	Mode         fs.FileMode // permissions of the devices: who may use the buses through them
	Group        string      // group of the devices, a name or a number; empty: as created
	StatAsDevice bool        // stat calls a FUSE device a character device
}

// Listener is a socket that somebody else made and that listens for the clients of one bus.
type Listener struct {
	Bus int // number of the bus
	FD  int
}

// Limpets says which users may join a bus to others (docs/limpets.md).
type Limpets uint8

const (
	LimpetsOfOwner  Limpets = iota // of root, and of the user that the server runs as
	LimpetsOfAnyone                // of everybody who may use the bus
	NoLimpets
)

// Limits are everything that is bounded. All count for one bus, except Buses. Of those that clients use up, 0 means no
// limit. Whoever asks for more is refused by the name in the TOML file (here in parentheses); nobody else notices.
type Limits struct {
	Buses int // (buses) buses in all, however they came about (R3.81); 1 to MaxBuses

	Connections     int // (connections) open connections
	UserConnections int // (user-connections) of one user

	Bindings     int // (bindings) bindings
	UserBindings int // (user-bindings) of one user

	QueueBytes     int64 // (queue-bytes) bytes of messages that are sent and not yet read by all
	UserQueueBytes int64 // (user-queue-bytes) of messages that one user sent

	BufferBytes     int64 // (buffer-bytes) bytes of unfinished requests, and of results that clients do not take
	UserBufferBytes int64 // (user-buffer-bytes) of the connections of one user

	MessageBytes        int64 // (message-bytes) the longest message, entire form, when the bus begins (R3.86, Q9)
	MessageBytesCeiling int64 // (message-bytes-ceiling) what clients can raise that to (R3.86, Q9)
	QueueMessages       int64 // (queue-messages) queue limit of a new Ksock, in messages (R3.73)
	SetAside            int   // (set-aside) replier unbind events that wait for room (R6.21)
}

// Bounds of what can be configured.
const (
	MaxBuses          = 256     // R7.1
	LeastMessageBytes = 100     // R7.1
	MostMessageBytes  = 1 << 30 // frames count in 31 bits
	LeastRing         = 4 << 10
	MostRing          = 16 << 20
	mostCount         = 1 << 30
	mostBytes         = 1 << 50
)

const (
	mib     int64 = 1 << 20
	dirPerm       = 0o755
)

// Default is what holds where nobody says anything.
func Default() Config {
	return Config{
		Buses:      1,
		SocketMode: 0o666,
		RingBytes:  64 << 10,
		Device:     Device{Kind: "off", Link: "/dev/kbus", Mode: 0o666},
		LogBytes:   16 << 20,
		Limits: Limits{
			Buses:               MaxBuses,
			Connections:         4096,
			UserConnections:     1024,
			Bindings:            65536,
			UserBindings:        16384,
			QueueBytes:          256 * mib,
			UserQueueBytes:      64 * mib,
			BufferBytes:         512 * mib,
			UserBufferBytes:     128 * mib,
			MessageBytes:        409600,
			MessageBytesCeiling: 409600,
			QueueMessages:       100,
			SetAside:            1000,
		},
	}
}

// DeviceKinds are the values of Device.Kind.
var DeviceKinds = []string{"off", string(device.Auto), string(device.CUSE), string(device.FUSE)}

// BadSetting is a value that is out of range or contradicts another.
type BadSetting struct {
	Key  string // as in the TOML file, for instance "limits.connections"
	Text string // what is wrong with it
}

// Error is one line.
func (b *BadSetting) Error() string { return b.Key + " " + b.Text }

// Check looks for values that are out of range or contradict each other: nil, or all that are, as *BadSetting.
func (c *Config) Check() (bad []*BadSetting) {
	l := &c.Limits
	check := func(ok bool, key, format string, args ...any) {
		if !ok {
			bad = append(bad, &BadSetting{key, fmt.Sprintf(format, args...)})
		}
	}
	within := func(key string, n, least, most int64) {
		check(least <= n && n <= most, key, "must be %d to %d, not %d", least, most, n)
	}
	within("buses", int64(c.Buses), 1, MaxBuses)
	check(c.SocketMode&^0o777 == 0, "socket.mode", "has permission bits only, not %#o", uint32(c.SocketMode))
	if r := c.RingBytes; r != 0 {
		within("rings", r, LeastRing, MostRing)
		check(r&(r-1) == 0, "rings", "must be a power of two, not %d", r)
	}
	check(slices.Contains(DeviceKinds, c.Device.Kind), "device.kind",
		"must be off, auto, cuse or fuse, not %q", c.Device.Kind)
	check(filepath.IsAbs(c.Device.Link), "device.link", "must be a path that begins with /, not %q", c.Device.Link)
	check(c.Device.Mode&^0o777 == 0, "device.mode", "has permission bits only, not %#o", uint32(c.Device.Mode))
	if n := c.LogBytes; n != 0 {
		within("shared-log", n, ring.LeastLog, ring.MostLog)
		check(n%ring.LeastLog == 0, "shared-log", "must be a multiple of %d, not %d", ring.LeastLog, n)
	}
	within("limits.buses", int64(l.Buses), 1, MaxBuses)
	check(c.Buses <= l.Buses, "buses", "(%d) is above limits.buses (%d)", c.Buses, l.Buses)
	within("limits.connections", int64(l.Connections), 0, mostCount)
	within("limits.user-connections", int64(l.UserConnections), 0, mostCount)
	within("limits.bindings", int64(l.Bindings), 0, mostCount)
	within("limits.user-bindings", int64(l.UserBindings), 0, mostCount)
	within("limits.queue-bytes", l.QueueBytes, 0, mostBytes)
	within("limits.user-queue-bytes", l.UserQueueBytes, 0, mostBytes)
	within("limits.buffer-bytes", l.BufferBytes, 0, mostBytes)
	within("limits.user-buffer-bytes", l.UserBufferBytes, 0, mostBytes)
	within("limits.message-bytes", l.MessageBytes, LeastMessageBytes, MostMessageBytes)
	within("limits.message-bytes-ceiling", l.MessageBytesCeiling, LeastMessageBytes, MostMessageBytes)
	check(l.MessageBytes <= l.MessageBytesCeiling, "limits.message-bytes",
		"(%d) is above limits.message-bytes-ceiling (%d)", l.MessageBytes, l.MessageBytesCeiling)
	within("limits.queue-messages", l.QueueMessages, 1, 1<<32-1)
	within("limits.set-aside", int64(l.SetAside), 1, mostCount)
	return bad
}

// ErrNoRuntimeDir means that nothing says where the sockets belong.
var ErrNoRuntimeDir = errors.New("no runtime directory: set KBUS_DIR or XDG_RUNTIME_DIR, or name one with --dir")

// RuntimeDir is where the sockets are when nobody says otherwise: $KBUS_DIR, else /run/kbus for root, else
// $XDG_RUNTIME_DIR/kbus; ErrNoRuntimeDir when there is none of these.
func RuntimeDir() (string, error) {
	if dir := os.Getenv("KBUS_DIR"); dir != "" {
		return dir, nil
	}
	if os.Geteuid() == 0 {
		return "/run/kbus", nil
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "kbus"), nil
	}
	return "", ErrNoRuntimeDir
}

// Version is the name and version of this server, as clients and people see it.
const Version = session.ServerName

// SocketName is the name of a bus's socket in the runtime directory.
func SocketName(bus int) string { return fmt.Sprintf("bus%d.sock", bus) }
