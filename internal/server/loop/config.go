package loop

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/device"
	"kbus.example/kbus/internal/file"
	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/session"
	"kbus.example/kbus/message"
)

// Config says what a bus is that a loop runs.
type Config struct {
	Number     int
	Socket     Socket
	Host       Host
	Log        *logger.Logger // with what tells this bus from others
	RingBytes  int64          // of each ring of a connection, a power of two; 0: sockets only
	ArenaBytes int64          // of the arena that the clients share; 0: none
	Federated  bool           // nobody becomes a Replier unless a Limpet of a federation has said so
	Device     *device.Config
	Limits     Limits
	Rules      *rules.Set // who may do what; nil: everybody everything
	Startable  []string   // names whose Replier the host can start

	Resume *Resumption // nil: the bus begins
}

// Host is what a loop needs to know of the process that it is in. Its methods are called on the loop, so they do not wait
// for anything that a loop does.
type Host interface {
	file.Host // makes more buses

	// IsAdministrator reports whether a user may turn the switches of the bus. groups gives its supplementary groups.
	IsAdministrator(uid, gid uint32, groups func() []uint32) bool

	// MayTap reports whether a user may see everything that is said on the bus.
	MayTap(uid, gid uint32, groups func() []uint32) bool

	// MayJoin reports whether that process may join the bus to others.
	MayJoin(session.Peer) bool

	// Explain says more about conditions that come from the host; "" for others.
	Explain(message.Condition) string

	// Called is told which startable names a bus wants, or has a Replier for. What it gets is valid until it returns.
	Called(bus int, calls []bus.Call)

	// GiveBack is told that a lot of memory is not needed any more.
	GiveBack()
}

// Resumption is a loop that has stood still, to be gone on with.
type Resumption struct {
	*State
	Descriptors []int  // that belong to it
	MovedIn     func() // is called, by any goroutine, when nothing of the state is needed any more
}
