package server

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"kbus.example/kbus/internal/device"
	"kbus.example/kbus/internal/ring"
	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/server/loop"
	"kbus.example/kbus/internal/services"
	"kbus.example/kbus/internal/session"
)

// Config says what a server is. Default gives the values that hold where nobody says anything; every limit and every
// default stands there and in loop.DefaultLimits and nowhere else, and docs/daemon.md shows the same table (a test compares them).
type Config struct {
	Dir         string      // where the sockets are; empty: RuntimeDir
	Buses       int         // how many buses to begin with, 1 to MaxBuses (R1.2)
	SocketMode  fs.FileMode // permissions of the socket files: who may use the buses (Q8)
	SocketGroup string      // group of the socket files, a name or a number; empty: as created
	RingBytes   int64       // of each ring of a connection, a power of two from LeastRing to MostRing; 0: sockets only
	ArenaBytes  int64       // of the log that the clients of a bus share, a multiple of LeastLog; 0: none
	Permission
	Federated BusSet // buses on which nobody becomes a Replier unless a Limpet of a federation has said so
	Device    Device
	Limits    loop.Limits
	Services  Services
	Listeners []Listener // sockets that listen already, as systemd hands them over; the server closes them
}

// Permission says who may do what.
type Permission struct {
	Administration string  // who may turn the switches of a bus and make buses: "owner", "anybody" or "group:NAME"
	Taps           string  // who may see everything that is said, as Administration
	Limpets        Limpets // who may join the buses to others
	Rules          Rules   // beside that
}

// Rules are access rules, and where they were read. Nil: there are none.
type Rules struct {
	Dir string // the setting; empty: rules.d beside the file of settings
	*rules.Set
}

// Services are what can be started when somebody asks for it, and where they were read. Nil: there are none.
type Services struct {
	Dir string // the setting; empty: kbus.d beside the file of settings
	*services.Set
}

// Count is how many there are.
func (s Services) Count() int {
	if s.Set == nil {
		return 0
	}
	return len(s.Set.Services)
}

func (r Rules) count() int {
	if r.Set == nil {
		return 0
	}
	return len(r.Set.Rules)
}

// Device says whether buses are devices too, for programs of the original (package device).
type Device struct {
	Kind         string      // "off", "auto", "cuse" or "fuse"
	Link         string      // what programs open, without the number of the bus
	Mode         fs.FileMode // permissions of the devices: who may use the buses through them
	Group        string      // group of the devices, a name or a number; empty: as created
	StatAsDevice bool        // stat calls a FUSE device a character device
}

// Listener is a socket that listens for the clients of one bus and was made by another process, such as systemd.
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

// Bounds of what can be configured.
const (
	MaxBuses          = loop.MaxBuses
	LeastMessageBytes = 100     // R7.1
	MostMessageBytes  = 1 << 30 // frames count in 31 bits
	LeastRing         = 4 << 10
	MostRing          = 16 << 20
	mostCount         = 1 << 30
	mostBytes         = 1 << 50
)

const (
	dirPerm = 0o755
)

// Default is what holds unless a setting says otherwise.
func Default() Config {
	return Config{
		Buses:      1,
		Permission: Permission{Administration: AdministrationOfOwner, Taps: AdministrationOfOwner},
		SocketMode: 0o666,
		RingBytes:  defaultRing(machineMemory()),
		Device:     Device{Kind: "off", Link: "/dev/kbus", Mode: 0o666},
		ArenaBytes: 16 << 20,
		Limits:     loop.DefaultLimits(),
	}
}

// DeviceKinds are the values of Device.Kind.
var DeviceKinds = []string{"off", string(device.Auto), string(device.CUSE), string(device.FUSE)}

// BadSetting is a value that is out of range or contradicts another.
type BadSetting struct {
	Key   string // as in the TOML file, for instance "limits.connections"
	Other string // the key of the setting that it contradicts; "" if it is wrong by itself
	Text  string // what is wrong with it
}

// Error is one line.
func (b *BadSetting) Error() string { return b.Key + " " + b.Text }

// Check looks for values that are out of range or contradict each other: nil, or all that are, as *BadSetting.
func (c *Config) Check() []*BadSetting {
	l := &c.Limits
	var m mistakes
	m.within("buses", int64(c.Buses), 1, MaxBuses)
	m.check(c.SocketMode&^0o777 == 0, "socket.mode", "has permission bits only, not %#o", uint32(c.SocketMode))
	if r := c.RingBytes; r != 0 {
		m.within("rings", r, LeastRing, MostRing)
		m.check(r&(r-1) == 0, "rings", "must be a power of two, not %d", r)
	}
	m.check(slices.Contains(DeviceKinds, c.Device.Kind), "device.kind",
		"must be off, auto, cuse or fuse, not %q", c.Device.Kind)
	m.check(filepath.IsAbs(c.Device.Link), "device.link", "must be a path that begins with /, not %q", c.Device.Link)
	m.check(c.Device.Mode&^0o777 == 0, "device.mode", "has permission bits only, not %#o", uint32(c.Device.Mode))
	if n := c.ArenaBytes; n != 0 {
		m.within("shared-log", n, ring.LeastArena, ring.MostArena)
		m.check(n%ring.LeastArena == 0, "shared-log", "must be a multiple of %d, not %d", ring.LeastArena, n)
	}
	if err := CheckAdministration(c.Administration); err != nil {
		m.check(false, "administration", "%v", err)
	}
	if err := CheckAdministration(c.Taps); err != nil {
		m.check(false, "taps", "%v", err)
	}
	for _, r := range [...]struct {
		key            string
		n, least, most int64
	}{
		{"limits.new-buses-per-user", int64(l.NewBusesPerUser), 0, MaxBuses},
		{"limits.buses", int64(l.Buses), 1, MaxBuses},
		{"limits.connections", int64(l.Connections), 0, mostCount},
		{"limits.user-connections", int64(l.UserConnections), 0, mostCount},
		{"limits.bindings", int64(l.Bindings), 0, mostCount},
		{"limits.user-bindings", int64(l.UserBindings), 0, mostCount},
		{"limits.user-wildcards", int64(l.UserWildcards), 0, mostCount},
		{"limits.queue-bytes", l.QueueBytes, 0, mostBytes},
		{"limits.user-queue-bytes", l.UserQueueBytes, 0, mostBytes},
		{"limits.buffer-bytes", l.BufferBytes, 0, mostBytes},
		{"limits.user-buffer-bytes", l.UserBufferBytes, 0, mostBytes},
		{"limits.message-bytes", l.MessageBytes, LeastMessageBytes, MostMessageBytes},
		{"limits.message-bytes-ceiling", l.MessageBytesCeiling, LeastMessageBytes, MostMessageBytes},
		{"limits.queue-messages", l.QueueMessages, 1, 1<<32 - 1},
		{"limits.set-aside", int64(l.SetAside), 1, mostCount},
		{"limits.held-requests", int64(l.HeldRequests), 1, mostCount},
	} {
		m.within(r.key, r.n, r.least, r.most)
	}
	m.atMost("buses", int64(c.Buses), "limits.buses", int64(l.Buses))
	m.atMost("limits.message-bytes", l.MessageBytes, "limits.message-bytes-ceiling", l.MessageBytesCeiling)
	return m
}

// mistakes is what is wrong with a Config.
type mistakes []*BadSetting

func (m *mistakes) check(ok bool, key, format string, args ...any) {
	if !ok {
		*m = append(*m, &BadSetting{Key: key, Text: fmt.Sprintf(format, args...)})
	}
}

func (m *mistakes) within(key string, n, least, most int64) {
	m.check(least <= n && n <= most, key, "must be %d to %d, not %d", least, most, n)
}

func (m *mistakes) atMost(key string, n int64, other string, most int64) {
	if n > most {
		*m = append(*m, &BadSetting{key, other, fmt.Sprintf("(%d) is above %s (%d)", n, other, most)})
	}
}

// CheckGroups looks for groups that this machine does not know: as Check.
func (c *Config) CheckGroups() (bad []*BadSetting) {
	group := func(who string) string {
		name, isGroup := strings.CutPrefix(who, groupPrefix)
		if !isGroup {
			return ""
		}
		return name
	}
	for _, g := range [...]struct{ key, name string }{{"socket.group", c.SocketGroup}, {"device.group", c.Device.Group},
		{"administration", group(c.Administration)}, {"taps", group(c.Taps)}} {
		if _, err := groupID(g.name); err != nil {
			bad = append(bad, &BadSetting{Key: g.key, Text: fmt.Sprintf("is an unknown group: %q", g.name)})
		}
	}
	return bad
}

// Version is the name and version of this server, as clients and people see it.
const Version = session.ServerName
