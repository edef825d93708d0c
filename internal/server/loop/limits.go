package loop

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/message"
)

// Limits are everything that is bounded. All count for one bus, except Buses. Of those that clients use up, 0 means no
// limit. Whoever asks for more is refused by the name in the TOML file (here in parentheses); nobody else notices.
type Limits struct {
	Buses           int // (buses) buses in all, however they came about (R3.81); 1 to MaxBuses
	NewBusesPerUser int // (new-buses-per-user) made by one user, other than root and the server's own; 0: no limit

	Connections     int // (connections) open connections
	UserConnections int // (user-connections) of one user

	Bindings     int // (bindings) bindings
	UserBindings int // (user-bindings) of one user

	UserWildcards int // (user-wildcards) of those, the ones with a wildcard

	QueueBytes     int64 // (queue-bytes) bytes of messages in queues; a user has at most half of what the others leave
	UserQueueBytes int64 // (user-queue-bytes) in the queues of one user

	BufferBytes     int64 // (buffer-bytes) bytes of unfinished requests, and of results that clients do not take
	UserBufferBytes int64 // (user-buffer-bytes) of the connections of one user

	FirstLimits
}

// FirstLimits are those that a bus keeps from its beginning, whatever a reload says.
type FirstLimits struct {
	MessageBytes        int64 // (message-bytes) the longest message, entire form, when the bus begins (R3.86, Q9)
	MessageBytesCeiling int64 // (message-bytes-ceiling) what administrators can raise that to (R3.86, Q9)
	QueueMessages       int64 // (queue-messages) queue limit of a new Ksock, in messages (R3.73)
	SetAside            int   // (set-aside) replier unbind events that wait for room (R6.21)
	HeldRequests        int   // (held-requests) Requests of one name that wait for its service to be started
}

// MaxBuses is how many buses there can be (R7.1).
const MaxBuses = 256

const mib int64 = 1 << 20

// DefaultLimits is what holds unless a setting says otherwise.
func DefaultLimits() Limits {
	return Limits{
		Buses:           MaxBuses,
		NewBusesPerUser: 8,
		Connections:     4096,
		UserConnections: 1024,
		Bindings:        65536,
		UserBindings:    16384,
		UserWildcards:   256,
		QueueBytes:      256 * mib,
		UserQueueBytes:  64 * mib,
		BufferBytes:     512 * mib,
		UserBufferBytes: 128 * mib,
		FirstLimits: FirstLimits{
			MessageBytes:        409600,
			MessageBytesCeiling: 409600,
			QueueMessages:       100,
			SetAside:            1000,
			HeldRequests:        bus.DefaultHeld,
		},
	}
}

// SetLimits changes the limits, except FirstLimits.
func (l *Loop) SetLimits(limits Limits) {
	l.accounts.limits = limits
	l.bus.SetLimits(limits.forBus())
}

// forBus is the part of the limits that the bus itself keeps.
func (l *Limits) forBus() bus.Limits {
	return bus.Limits{
		Ksocks: l.Connections, UserKsocks: l.UserConnections,
		Bindings: l.Bindings, UserBindings: l.UserBindings,
		QueueBytes: l.QueueBytes, UserQueueBytes: l.UserQueueBytes,
		UserWildcards: l.UserWildcards,
	}
}

// limitNames are the keys of the limits that conditions name.
var limitNames = [...]struct {
	cond message.Condition
	name string
}{
	{message.ErrUserConnections, "user-connections"},
	{message.ErrBusConnections, "connections"},
	{message.ErrUserBindings, "user-bindings"},
	{message.ErrBusBindings, "bindings"},
	{message.ErrUserQueueBytes, "user-queue-bytes"},
	{message.ErrBusQueueBytes, "queue-bytes"},
	{message.ErrTooManyBuses, "buses"},
	{message.ErrUserBuses, "new-buses-per-user"},
	{message.ErrUserWildcards, "user-wildcards"},
}

// valueOf is the value of a limit, by its key.
func (l *Limits) valueOf(name string) int64 {
	switch name {
	case "user-connections":
		return int64(l.UserConnections)
	case "connections":
		return int64(l.Connections)
	case "user-bindings":
		return int64(l.UserBindings)
	case "bindings":
		return int64(l.Bindings)
	case "user-wildcards":
		return int64(l.UserWildcards)
	case "user-queue-bytes":
		return l.UserQueueBytes
	case "queue-bytes":
		return l.QueueBytes
	case "user-buffer-bytes":
		return l.UserBufferBytes
	case "buffer-bytes":
		return l.BufferBytes
	case "buses":
		return int64(l.Buses)
	case "new-buses-per-user":
		return int64(l.NewBusesPerUser)
	}
	panic("no limit is called " + name)
}

// limitAttrs name a limit that has been met, and its value, in the log.
func (l *Limits) limitAttrs(name string) []logger.Attr {
	return []logger.Attr{logger.String("limit", name), logger.Int64("most", l.valueOf(name))}
}

// limitOf gives the key of the limit that a condition names, and its place in limitNames; "" when it names none.
func limitOf(c message.Condition) (name string, bit int) {
	for i, n := range limitNames {
		if n.cond == c {
			return n.name, i
		}
	}
	return "", 0
}
