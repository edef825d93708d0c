package settings

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/server"
)

// setting is one row of the table.
type setting struct {
	key  string
	live bool // can change while the daemon runs
	doc  string
	kind kind
	set  func(*Settings, value) error
	show func(*Settings) string // as one would write it in the file
}

// table is in the order of the manual.
var table = []setting{
	text("dir", "runtime directory, where the sockets are",
		func(s *Settings) *string { return &s.Server.Dir }),
	live(number("buses", "buses to begin with; a reload can add some",
		func(s *Settings) *int { return &s.Server.Buses })),
	live(parsed("drain", "how long a stopping daemon waits for answers and readers", parseDuration,
		func(s *Settings) *duration { return (*duration)(&s.Drain) })),

	live(parsed("socket.mode", "permissions of the sockets: who may use the buses", parseMode,
		func(s *Settings) *mode { return (*mode)(&s.Server.SocketMode) })),
	live(text("socket.group", "group of the sockets, a name or a number",
		func(s *Settings) *string { return &s.Server.SocketGroup })),

	parsed("device.kind", "whether buses are devices too: off, auto, cuse or fuse; auto takes CUSE where the kernel has it",
		parseDevice, func(s *Settings) *word { return (*word)(&s.Server.Device.Kind) }),
	text("device.link", "what programs open, without the number of the bus",
		func(s *Settings) *string { return &s.Server.Device.Link }),
	parsed("device.mode", "permissions of the devices: who may use the buses through them", parseMode,
		func(s *Settings) *mode { return (*mode)(&s.Server.Device.Mode) }),
	text("device.group", "group of the devices, a name or a number",
		func(s *Settings) *string { return &s.Server.Device.Group }),
	truth("device.stat-as-device", "stat calls a FUSE device a character device",
		func(s *Settings) *bool { return &s.Server.Device.StatAsDevice }),

	parsed("rings", "bytes of each shared-memory ring of a connection, a power of two; off: sockets only", parseSizeOrOff,
		func(s *Settings) *sizeOrOff { return (*sizeOrOff)(&s.Server.RingBytes) }),
	parsed("shared-log", "bytes of the memory in which all clients of a bus read large messages; off: none",
		parseSizeOrOff,
		func(s *Settings) *sizeOrOff { return (*sizeOrOff)(&s.Server.ArenaBytes) }),

	parsed("administration",
		"who may turn the switches of a whole bus and make buses: owner (root and the daemon's user), anybody or group:NAME",
		parseAdministration, func(s *Settings) *word { return (*word)(&s.Server.Administration) }),
	parsed("taps", "who may see everything that is said: owner (root and the daemon's user), anybody or group:NAME",
		parseAdministration, func(s *Settings) *word { return (*word)(&s.Server.Taps) }),
	parsed("limpets", "who may join the buses to others: owner (root and the daemon's user), anybody or nobody", parseLimpets,
		func(s *Settings) *limpets { return (*limpets)(&s.Server.Limpets) }),
	live(text("rules", "directory of access rules; empty: rules.d beside the file of settings, if it is there",
		func(s *Settings) *string { return &s.Server.Rules.Dir })),
	live(text("services", "directory of services that are started when asked for; empty: kbus.d beside the file of settings, if it is there",
		func(s *Settings) *string { return &s.Server.Services.Dir })),
	parsed("federated", "buses where nobody becomes a Replier unless a federation has said so: numbers, all or none",
		parseBusSet, func(s *Settings) *server.BusSet { return &s.Server.Federated }),

	live(parsed("log.level", "what is logged: debug, info, warn or error", parseLevel,
		func(s *Settings) *level { return (*level)(&s.LogLevel) })),
	parsed("log.format", "text or json", parseFormat,
		func(s *Settings) *format { return (*format)(&s.LogFormat) }),

	live(number("limits.buses", "buses in all, however they came about; ErrTooManyBuses",
		func(s *Settings) *int { return &s.Server.Limits.Buses })),
	live(number("limits.new-buses-per-user",
		"buses that one user may make, other than root and the daemon's user; 0: any number; ErrUserBuses",
		func(s *Settings) *int { return &s.Server.Limits.NewBusesPerUser })),
	live(number("limits.connections", "Ksocks of a bus, of which the last eighth is for users who have few; ErrBusConnections",
		func(s *Settings) *int { return &s.Server.Limits.Connections })),
	live(number("limits.user-connections", "of one user; ErrUserConnections",
		func(s *Settings) *int { return &s.Server.Limits.UserConnections })),
	live(number("limits.bindings", "bindings of a bus, of which the last eighth is for users who have few; ErrBusBindings",
		func(s *Settings) *int { return &s.Server.Limits.Bindings })),
	live(number("limits.user-bindings", "of one user; ErrUserBindings",
		func(s *Settings) *int { return &s.Server.Limits.UserBindings })),
	live(number("limits.user-wildcards", "of those, bindings with a wildcard; ErrUserWildcards",
		func(s *Settings) *int { return &s.Server.Limits.UserWildcards })),
	live(size("limits.queue-bytes",
		"messages in the queues of a bus, of which a user has at most half of what the others leave; then its queues are full",
		func(s *Settings) *int64 { return &s.Server.Limits.QueueBytes })),
	live(size("limits.user-queue-bytes", "of those, in the queues of one user; then they are full",
		func(s *Settings) *int64 { return &s.Server.Limits.UserQueueBytes })),
	live(size("limits.buffer-bytes",
		"unfinished requests, and results that clients do not take, of a bus, of which a user has at most half of what the others leave; the connection ends",
		func(s *Settings) *int64 { return &s.Server.Limits.BufferBytes })),
	live(size("limits.user-buffer-bytes", "of those, on the connections of one user; the connection ends",
		func(s *Settings) *int64 { return &s.Server.Limits.UserBufferBytes })),
	size("limits.message-bytes", "the longest message when a bus begins, entire form; ErrMessageTooLong",
		func(s *Settings) *int64 { return &s.Server.Limits.MessageBytes }),
	size("limits.message-bytes-ceiling", "what administrators can raise that to",
		func(s *Settings) *int64 { return &s.Server.Limits.MessageBytesCeiling }),
	number("limits.queue-messages", "queue limit of a new Ksock, in messages; each Ksock can change its own",
		func(s *Settings) *int64 { return &s.Server.Limits.QueueMessages }),
	number("limits.set-aside",
		"replier bind events that wait for room, of a Ksock, or of all strict ones together; more are lost, and UnbindEventsLost says so",
		func(s *Settings) *int { return &s.Server.Limits.SetAside }),
	number("limits.held-requests",
		"Requests of one name that wait for its service to be started, of which a user has at most half of what the others leave; ErrReplierFull",
		func(s *Settings) *int { return &s.Server.Limits.HeldRequests }),
}

func live(s setting) setting { s.live = true; return s }

func text(key, doc string, field func(*Settings) *string) setting {
	return setting{key: key, doc: doc, kind: stringKind,
		set:  func(s *Settings, v value) error { *field(s) = v.text; return nil },
		show: func(s *Settings) string { return fmt.Sprintf("%q", *field(s)) },
	}
}

func truth(key, doc string, field func(*Settings) *bool) setting {
	return setting{key: key, doc: doc, kind: truthKind,
		set: func(s *Settings, v value) (err error) {
			if *field(s), err = strconv.ParseBool(v.text); err != nil {
				err = fmt.Errorf("must be true or false, not %q", v.text)
			}
			return err
		},
		show: func(s *Settings) string { return strconv.FormatBool(*field(s)) },
	}
}

func number[T int | int64](key, doc string, field func(*Settings) *T) setting {
	return setting{key: key, doc: doc, kind: integerKind,
		set: func(s *Settings, v value) error {
			n, err := parseNumber(v.text)
			return keep(field(s), T(n), err)
		},
		show: func(s *Settings) string { return fmt.Sprint(*field(s)) },
	}
}

func size(key, doc string, field func(*Settings) *int64) setting {
	return setting{key: key, doc: doc, kind: stringKind | integerKind,
		set: func(s *Settings, v value) error {
			n, err := parseSize(v.text)
			return keep(field(s), n, err)
		},
		show: func(s *Settings) string { return showSize(*field(s)) },
	}
}

// keep leaves what there is when there is an error.
func keep[T any](field *T, got T, err error) error {
	if err == nil {
		*field = got
	}
	return err
}

// parsed is a setting of a type of its own, which prints as it is written.
func parsed[T fmt.Stringer](key, doc string, parse func(value) (T, error), field func(*Settings) *T) setting {
	return setting{key: key, doc: doc, kind: stringKind | integerKind,
		set: func(s *Settings, v value) error {
			got, err := parse(v)
			return keep(field(s), got, err)
		},
		show: func(s *Settings) string { return fmt.Sprintf("%q", *field(s)) },
	}
}

type (
	mode      fs.FileMode
	level     logger.Level
	format    string
	sizeOrOff int64
	limpets   server.Limpets
	word      string
)

func (m mode) String() string   { return fmt.Sprintf("%04o", uint32(m)) }
func (l level) String() string  { return strings.ToLower(logger.Level(l).String()) }
func (f format) String() string { return string(f) }
func (w word) String() string   { return string(w) }

var limpetWords = [...]string{server.LimpetsOfOwner: "owner", server.LimpetsOfAnyone: "anybody", server.NoLimpets: "nobody"}

func (l limpets) String() string { return limpetWords[l] }

func (r sizeOrOff) String() string {
	if r == 0 {
		return "off"
	}
	return strings.Trim(showSize(int64(r)), "\"")
}

// Keys lists all keys, in the order of the manual.
func Keys() []string {
	keys := make([]string, len(table))
	for i := range table {
		keys[i] = table[i].key
	}
	return keys
}

func find(key string) *setting {
	for i := range table {
		if table[i].key == key {
			return &table[i]
		}
	}
	return nil
}

// Row is one setting as the manual shows it.
type Row struct {
	Key     string
	Default string // as one would write it in the file
	Live    bool   // can change while the daemon runs
	Doc     string
}

// Rows is the table with the defaults.
func Rows() []Row {
	d := Default()
	rows := make([]Row, len(table))
	for i, s := range table {
		rows[i] = Row{s.key, s.show(d), s.live, s.doc}
	}
	return rows
}
