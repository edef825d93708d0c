// Package house keeps the rooms apart: it fails when a package imports what its place in the house does not allow, or
// when the daemon links more than the few modules it is meant to have.
package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rooms says which packages of the project each package may import, tests left out. A package that is not listed fails
// the test: a new room needs its line here, and a reason.
var rooms = map[string][]string{
	"kbus.example/kbus": {"kbus.example/kbus/message", "kbus.example/kbus/internal/bus", "kbus.example/kbus/internal/wire", "kbus.example/kbus/internal/client", "kbus.example/kbus/internal/client/driver", "kbus.example/kbus/internal/transport",
		"kbus.example/kbus/internal/card", "kbus.example/kbus/internal/machine", "kbus.example/kbus/internal/plain", "kbus.example/kbus/internal/rundir", "kbus.example/kbus/internal/version"},
	"kbus.example/kbus/message": {},

	"kbus.example/kbus/internal/bus":           {"kbus.example/kbus/message", "kbus.example/kbus/internal/form"},
	"kbus.example/kbus/internal/bus/model":     {"kbus.example/kbus/message"},
	"kbus.example/kbus/internal/file":          {"kbus.example/kbus/message", "kbus.example/kbus/internal/form", "kbus.example/kbus/internal/bus"},
	"kbus.example/kbus/internal/wire":          {"kbus.example/kbus/message", "kbus.example/kbus/internal/jsontext"},
	"kbus.example/kbus/internal/session":       {"kbus.example/kbus/message", "kbus.example/kbus/internal/form", "kbus.example/kbus/internal/bus", "kbus.example/kbus/internal/card", "kbus.example/kbus/internal/file", "kbus.example/kbus/internal/wire", "kbus.example/kbus/internal/version"},
	"kbus.example/kbus/internal/rules":         {"kbus.example/kbus/message"},                                                                        // who may do what, decided
	"kbus.example/kbus/internal/rules/folder":  {"kbus.example/kbus/message", "kbus.example/kbus/internal/rules", "kbus.example/kbus/internal/toml"}, // and read from files, for daemon and command line
	"kbus.example/kbus/internal/card":          {"kbus.example/kbus/internal/jsontext"},                                                              // what a Replier says of its name, for bus, library and command line
	"kbus.example/kbus/internal/toml":          {},                                                                                                   // strict files, from a directory
	"kbus.example/kbus/internal/jsontext":      {},                                                                                                   // strings, for who does not want encoding/json
	"kbus.example/kbus/internal/logger":        {"kbus.example/kbus/internal/jsontext"},                                                              // the log of the daemon
	"kbus.example/kbus/internal/ring":          {"kbus.example/kbus/internal/form"},
	"kbus.example/kbus/internal/version":       {},                                                                                                                                                                          // of all
	"kbus.example/kbus/internal/machine":       {},                                                                                                                                                                          // clock and processes, the one thing of the library that differs between systems
	"kbus.example/kbus/internal/rundir":        {},                                                                                                                                                                          // where sockets lie, for daemon, library and command line
	"kbus.example/kbus/internal/client":        {"kbus.example/kbus/message", "kbus.example/kbus/internal/wire"},                                                                                                            // the rules of a client
	"kbus.example/kbus/internal/client/model":  {"kbus.example/kbus/message"},                                                                                                                                               // the same again, to compare with
	"kbus.example/kbus/internal/client/driver": {"kbus.example/kbus/message", "kbus.example/kbus/internal/wire", "kbus.example/kbus/internal/client", "kbus.example/kbus/internal/transport"},                               // who receives, who waits: the lock
	"kbus.example/kbus/internal/transport":     {"kbus.example/kbus/message", "kbus.example/kbus/internal/bus", "kbus.example/kbus/internal/session", "kbus.example/kbus/internal/wire", "kbus.example/kbus/internal/ring"}, // from a client to a bus, and to one in the same process

	"kbus.example/kbus/internal/fuse":   {},                                                                                                                                                                       // the kernel's FUSE and CUSE protocol, whatever is served
	"kbus.example/kbus/internal/device": {"kbus.example/kbus/message", "kbus.example/kbus/internal/form", "kbus.example/kbus/internal/bus", "kbus.example/kbus/internal/file", "kbus.example/kbus/internal/fuse"}, // /dev/kbusN

	"kbus.example/kbus/internal/recording": {"kbus.example/kbus/internal/recording/event", "kbus.example/kbus/internal/recording/input",
		"kbus.example/kbus/internal/recording/mcap", "kbus.example/kbus/internal/recording/pcapng"}, // what a bus did, as files
	"kbus.example/kbus/internal/recording/event":  {"kbus.example/kbus/message", "kbus.example/kbus/internal/wire"},
	"kbus.example/kbus/internal/recording/input":  {}, // reading what nobody vouches for
	"kbus.example/kbus/internal/recording/mcap":   {"kbus.example/kbus/message", "kbus.example/kbus/internal/recording/event", "kbus.example/kbus/internal/recording/input", "kbus.example/kbus/internal/version"},
	"kbus.example/kbus/internal/recording/pcapng": {"kbus.example/kbus/internal/plain", "kbus.example/kbus/message", "kbus.example/kbus/internal/recording/event", "kbus.example/kbus/internal/recording/input", "kbus.example/kbus/internal/version", "kbus.example/kbus/internal/wire"},
	"kbus.example/kbus/internal/recording/tapped": {"kbus.example/kbus", "kbus.example/kbus/message", "kbus.example/kbus/internal/recording/event"},                                                // what a tap of the library is shown
	"kbus.example/kbus/internal/recording/choose": {"kbus.example/kbus/message", "kbus.example/kbus/internal/recording/event"},                                                                     // which events are meant
	"kbus.example/kbus/internal/recording/files":  {"kbus.example/kbus/internal/recording"},                                                                                                        // where it goes
	"kbus.example/kbus/internal/recording/replay": {"kbus.example/kbus", "kbus.example/kbus/message", "kbus.example/kbus/internal/recording/choose", "kbus.example/kbus/internal/recording/event"}, // said again
	"kbus.example/kbus/internal/recording/recent": {"kbus.example/kbus/message", "kbus.example/kbus/internal/wire", "kbus.example/kbus/internal/recording/event"},                                  // the last minutes, in memory
	"kbus.example/kbus/internal/recording/watch":  {"kbus.example/kbus/message", "kbus.example/kbus/internal/recording/event"},                                                                     // when they are written
	"kbus.example/kbus/internal/testing/fields":   {},                                                                                                                                              // has a test notice a new field
	"kbus.example/kbus/internal/testing/sample":   {"kbus.example/kbus/message", "kbus.example/kbus/internal/recording/event"},                                                                     // for tests

	"kbus.example/kbus/internal/services":        {"kbus.example/kbus/internal/form"},     // when a program is started, and when its time is over, decided
	"kbus.example/kbus/internal/guardian":        {"kbus.example/kbus/internal/services"}, // a process that was a daemon, and still is the parent of programs
	"kbus.example/kbus/internal/services/folder": {"kbus.example/kbus/message", "kbus.example/kbus/internal/services", "kbus.example/kbus/internal/toml"},
	"kbus.example/kbus/internal/server/starter":  {"kbus.example/kbus/internal/logger", "kbus.example/kbus/internal/form", "kbus.example/kbus/internal/bus", "kbus.example/kbus/internal/guardian", "kbus.example/kbus/internal/services", "kbus.example/kbus/internal/wire"}, // and done

	"kbus.example/kbus/internal/server/loop": {"kbus.example/kbus/message", "kbus.example/kbus/internal/logger", "kbus.example/kbus/internal/form", "kbus.example/kbus/internal/bus", "kbus.example/kbus/internal/file", "kbus.example/kbus/internal/wire",
		"kbus.example/kbus/internal/session", "kbus.example/kbus/internal/ring", "kbus.example/kbus/internal/rules", "kbus.example/kbus/internal/device", "kbus.example/kbus/internal/sock"}, // one bus
	"kbus.example/kbus/internal/server": {"kbus.example/kbus/message", "kbus.example/kbus/internal/logger", "kbus.example/kbus/internal/form", "kbus.example/kbus/internal/bus", "kbus.example/kbus/internal/server/loop",
		"kbus.example/kbus/internal/session", "kbus.example/kbus/internal/ring", "kbus.example/kbus/internal/rules", "kbus.example/kbus/internal/rundir", "kbus.example/kbus/internal/device", "kbus.example/kbus/internal/handover",
		"kbus.example/kbus/internal/services", "kbus.example/kbus/internal/server/starter", "kbus.example/kbus/internal/sock"}, // the process
	"kbus.example/kbus/internal/server/settings": {"kbus.example/kbus/internal/logger", "kbus.example/kbus/internal/rules", "kbus.example/kbus/internal/rules/folder", "kbus.example/kbus/internal/server",
		"kbus.example/kbus/internal/services", "kbus.example/kbus/internal/services/folder", "kbus.example/kbus/internal/toml"}, // flags and the TOML file
	"kbus.example/kbus/internal/sock":     {},                                                                     // what golang.org/x/sys does with addresses that nobody wants
	"kbus.example/kbus/internal/form":     {"kbus.example/kbus/message"},                                          // a state as bytes, whatever it is of
	"kbus.example/kbus/internal/handover": {"kbus.example/kbus/internal/form", "kbus.example/kbus/internal/sock"}, // what two daemons say to each other, whatever is handed over
	"kbus.example/kbus/cmd/kbusd":         {"kbus.example/kbus/internal/guardian", "kbus.example/kbus/internal/handover", "kbus.example/kbus/internal/logger", "kbus.example/kbus/internal/server", "kbus.example/kbus/internal/server/settings", "kbus.example/kbus/internal/version"},

	"kbus.example/kbus/cmd/internal/man": {},                                                                                               // makes manual pages
	"kbus.example/kbus/cmd/internal/cli": {"kbus.example/kbus", "kbus.example/kbus/internal/rundir", "kbus.example/kbus/internal/version"}, // what the command lines share
	"kbus.example/kbus/cmd/kbus": {"kbus.example/kbus", "kbus.example/kbus/message", "kbus.example/kbus/cmd/internal/cli", "kbus.example/kbus/cmd/kbus/errno", "kbus.example/kbus/cmd/kbus/play", "kbus.example/kbus/internal/gauge", "kbus.example/kbus/internal/gauge/ksock",
		"kbus.example/kbus/internal/gauge/show", "kbus.example/kbus/cmd/kbus/kmsg", "kbus.example/kbus/cmd/kbus/kspeed", "kbus.example/kbus/internal/top", "kbus.example/kbus/cmd/kbus/top/screen", "kbus.example/kbus/internal/plain",
		"kbus.example/kbus/internal/rules", "kbus.example/kbus/internal/rules/folder", "kbus.example/kbus/internal/rundir", "kbus.example/kbus/internal/recording", "kbus.example/kbus/internal/recording/choose",
		"kbus.example/kbus/internal/recording/event", "kbus.example/kbus/internal/recording/files", "kbus.example/kbus/internal/machine", "kbus.example/kbus/internal/recording/recent", "kbus.example/kbus/internal/recording/replay",
		"kbus.example/kbus/internal/recording/tapped", "kbus.example/kbus/internal/recording/watch",
		"kbus.example/kbus/internal/services/folder", "kbus.example/kbus/internal/toml",
		"kbus.example/kbus/limpet/federation/report", "kbus.example/kbus/cmd/kbus/keep", "kbus.example/kbus/internal/requests", "kbus.example/kbus/internal/version"},
	"kbus.example/kbus/cmd/kbus/keep":     {"kbus.example/kbus/message"}, // what kbus keep remembers, without a bus
	"kbus.example/kbus/cmd/kbus/kmsg":     {"kbus.example/kbus"},         // the original's utilities, which kbus is when started by their names
	"kbus.example/kbus/cmd/kbus/kspeed":   {"kbus.example/kbus"},
	"kbus.example/kbus/cmd/kbus/play":     {"kbus.example/kbus", "kbus.example/kbus/cmd/kbus/errno", "kbus.example/kbus/cmd/kbus/stage"},
	"kbus.example/kbus/internal/requests": {"kbus.example/kbus"},                                                                     // those without an answer, for all who look on
	"kbus.example/kbus/internal/top":      {"kbus.example/kbus", "kbus.example/kbus/message", "kbus.example/kbus/internal/requests"}, // what kbus top and the page know
	"kbus.example/kbus/cmd/kbus/top/screen": {"kbus.example/kbus/internal/top", "kbus.example/kbus/internal/plain",
		"kbus.example/kbus/message"}, // how it looks; the one room with a terminal library
	"kbus.example/kbus/cmd/kbus/errno": {},
	"kbus.example/kbus/cmd/kbus/stage": {},

	"kbus.example/kbus/internal/metrics":    {"kbus.example/kbus", "kbus.example/kbus/internal/plain", "kbus.example/kbus/message"},                                                                                                                                                                                                                                         // figures for Prometheus
	"kbus.example/kbus/internal/web":        {"kbus.example/kbus/internal/web/page"},                                                                                                                                                                                                                                                                                        // the page and its neighbours, over HTTP
	"kbus.example/kbus/internal/web/page":   {},                                                                                                                                                                                                                                                                                                                             // HTML, CSS and JavaScript
	"kbus.example/kbus/internal/web/stream": {},                                                                                                                                                                                                                                                                                                                             // to many viewers, waiting for none
	"kbus.example/kbus/internal/web/watch":  {"kbus.example/kbus", "kbus.example/kbus/internal/metrics", "kbus.example/kbus/internal/top", "kbus.example/kbus/internal/web/stream"},                                                                                                                                                                                         // what there is to be seen of a bus
	"kbus.example/kbus/cmd/kbus-web":        {"kbus.example/kbus", "kbus.example/kbus/cmd/internal/cli", "kbus.example/kbus/internal/metrics", "kbus.example/kbus/message", "kbus.example/kbus/internal/web", "kbus.example/kbus/internal/web/stream", "kbus.example/kbus/internal/web/watch", "kbus.example/kbus/internal/rundir", "kbus.example/kbus/internal/websocket"}, // the only program with a server for HTTP
	"kbus.example/kbus/internal/websocket":  {"kbus.example/kbus/message", "kbus.example/kbus/internal/rules", "kbus.example/kbus/internal/wire"},                                                                                                                                                                                                                           // pages as clients, through doors

	"kbus.example/kbus/limpet":      {"kbus.example/kbus", "kbus.example/kbus/message"},                                                              // the state machine, and a session around it
	"kbus.example/kbus/limpet/wire": {"kbus.example/kbus", "kbus.example/kbus/message"},                                                              // what two Limpets say to each other
	"kbus.example/kbus/limpet/pair": {"kbus.example/kbus", "kbus.example/kbus/message", "kbus.example/kbus/limpet", "kbus.example/kbus/limpet/wire"}, // links between processes
	"kbus.example/kbus/cmd/kbus-limpet": {"kbus.example/kbus", "kbus.example/kbus/cmd/internal/cli", "kbus.example/kbus/limpet/pair", "kbus.example/kbus/limpet/federation", "kbus.example/kbus/limpet/federation/ordered",
		"kbus.example/kbus/limpet/federation/report", "kbus.example/kbus/limpet/federation/server", "kbus.example/kbus/limpet/federation/subject"}, // the only program with TLS and NATS

	"kbus.example/kbus/limpet/federation": {"kbus.example/kbus", "kbus.example/kbus/limpet/federation/claims",
		"kbus.example/kbus/limpet/federation/directory", "kbus.example/kbus/limpet/federation/directory/mirror",
		"kbus.example/kbus/limpet/federation/envelope", "kbus.example/kbus/limpet/federation/exchange", "kbus.example/kbus/limpet/federation/inbound",
		"kbus.example/kbus/limpet/federation/leasekeeper", "kbus.example/kbus/limpet/federation/outbound", "kbus.example/kbus/limpet/federation/parts",
		"kbus.example/kbus/limpet/federation/peerleases", "kbus.example/kbus/limpet/federation/report", "kbus.example/kbus/limpet/federation/retry",
		"kbus.example/kbus/limpet/federation/routing", "kbus.example/kbus/limpet/federation/scope", "kbus.example/kbus/limpet/federation/store",
		"kbus.example/kbus/limpet/federation/subject"}, // the shell: it wires, starts and ends
	"kbus.example/kbus/limpet/federation/outbound": {"kbus.example/kbus", "kbus.example/kbus/limpet/federation/envelope",
		"kbus.example/kbus/limpet/federation/exchange", "kbus.example/kbus/limpet/federation/parts", "kbus.example/kbus/limpet/federation/report",
		"kbus.example/kbus/limpet/federation/routing", "kbus.example/kbus/limpet/federation/scope", "kbus.example/kbus/limpet/federation/subject"}, // from the bus to NATS
	"kbus.example/kbus/limpet/federation/inbound": {"kbus.example/kbus", "kbus.example/kbus/message", "kbus.example/kbus/limpet/federation/envelope",
		"kbus.example/kbus/limpet/federation/exchange", "kbus.example/kbus/limpet/federation/parts", "kbus.example/kbus/limpet/federation/routing",
		"kbus.example/kbus/limpet/federation/scope", "kbus.example/kbus/limpet/federation/subject"}, // from NATS to the bus
	"kbus.example/kbus/limpet/federation/exchange": {"kbus.example/kbus", "kbus.example/kbus/message", "kbus.example/kbus/limpet/federation/directory",
		"kbus.example/kbus/limpet/federation/envelope", "kbus.example/kbus/limpet/federation/leasekeeper", "kbus.example/kbus/limpet/federation/routing"}, // Requests under way, both ways
	"kbus.example/kbus/limpet/federation/claims": {"kbus.example/kbus", "kbus.example/kbus/limpet/federation/directory",
		"kbus.example/kbus/limpet/federation/directory/mirror", "kbus.example/kbus/limpet/federation/leasekeeper",
		"kbus.example/kbus/limpet/federation/routing", "kbus.example/kbus/limpet/federation/store", "kbus.example/kbus/limpet/federation/subject"}, // names that our Repliers have in the directory
	"kbus.example/kbus/limpet/federation/peerleases": {"kbus.example/kbus/limpet/federation/directory",
		"kbus.example/kbus/limpet/federation/directory/mirror", "kbus.example/kbus/limpet/federation/lease",
		"kbus.example/kbus/limpet/federation/leasekeeper", "kbus.example/kbus/limpet/federation/store", "kbus.example/kbus/limpet/federation/subject"}, // leases of others, and eviction
	"kbus.example/kbus/limpet/federation/directory/mirror": {"kbus.example/kbus/limpet/federation/directory",
		"kbus.example/kbus/limpet/federation/leasekeeper", "kbus.example/kbus/limpet/federation/store", "kbus.example/kbus/limpet/federation/subject"}, // our copy of the directory

	"kbus.example/kbus/limpet/federation/ordered": {"kbus.example/kbus", "kbus.example/kbus/message", "kbus.example/kbus/limpet/federation/envelope",
		"kbus.example/kbus/limpet/federation/leasekeeper", "kbus.example/kbus/limpet/federation/report", "kbus.example/kbus/limpet/federation/retry",
		"kbus.example/kbus/limpet/federation/store", "kbus.example/kbus/limpet/federation/subject"}, // one order on all machines
	"kbus.example/kbus/limpet/federation/leasekeeper": {"kbus.example/kbus", "kbus.example/kbus/limpet/federation/lease",
		"kbus.example/kbus/limpet/federation/retry", "kbus.example/kbus/limpet/federation/store", "kbus.example/kbus/limpet/federation/subject"}, // our own lease, for members of either kind
	"kbus.example/kbus/limpet/federation/retry":  {"kbus.example/kbus/limpet/federation/store"},             // trying until it succeeds or is refused
	"kbus.example/kbus/limpet/federation/store":  {"kbus.example/kbus/limpet/federation/sequence"},          // buckets and streams in NATS
	"kbus.example/kbus/limpet/federation/server": {"kbus.example/kbus/limpet/federation/subject"},           // a NATS server within
	"kbus.example/kbus/limpet/federation/report": {"kbus.example/kbus", "kbus.example/kbus/internal/plain"}, // how it looks, without NATS, for programs that only ask

	"kbus.example/kbus/limpet/federation/subject":   {"kbus.example/kbus/message"},                                                 // names in NATS
	"kbus.example/kbus/limpet/federation/scope":     {"kbus.example/kbus/message"},                                                 // which names are shared
	"kbus.example/kbus/limpet/federation/envelope":  {"kbus.example/kbus/message", "kbus.example/kbus/limpet/wire"},                // bytes in NATS
	"kbus.example/kbus/limpet/federation/parts":     {"kbus.example/kbus/message", "kbus.example/kbus/limpet/federation/envelope"}, // long messages, in parts
	"kbus.example/kbus/limpet/federation/lease":     {},                                                                            // how long a lease may be trusted
	"kbus.example/kbus/limpet/federation/sequence":  {},                                                                            // the order of a stream
	"kbus.example/kbus/limpet/federation/directory": {"kbus.example/kbus/message"},                                                 // which member holds which name
	"kbus.example/kbus/limpet/federation/routing":   {"kbus.example/kbus/message", "kbus.example/kbus/limpet/federation/envelope"}, // what becomes of a Request

	"kbus.example/kbus/internal/testing/rawclient":    {"kbus.example/kbus/internal/wire", "kbus.example/kbus/message"}, // what only tests import: the protocol byte by byte
	"kbus.example/kbus/internal/testing/descriptor":   {"kbus.example/kbus/message", "kbus.example/kbus/internal/file"}, // a device by bare system calls
	"kbus.example/kbus/internal/testing/programs":     {},                                                               // the programs, built once
	"kbus.example/kbus/internal/testing/journal":      {},                                                               // a log that can be waited on
	"kbus.example/kbus/internal/testing/trace":        {"kbus.example/kbus/message"},                                    // recordings, and what a front end must do to replay them
	"kbus.example/kbus/internal/testing/relay":        {"kbus.example/kbus/internal/wire"},                              // a daemon that stands still at a frame
	"kbus.example/kbus/internal/testing/smallmachine": {},                                                               // systemd, in namespaces of its own
	"kbus.example/kbus/internal/testing/npm":          {},                                                               // of strangers' programs

	"kbus.example/kbus/internal/plain": {}, // text of others, on a terminal

	"kbus.example/kbus/internal/gauge":       {}, // measuring, whatever is measured
	"kbus.example/kbus/internal/gauge/ksock": {"kbus.example/kbus", "kbus.example/kbus/internal/gauge"},
	"kbus.example/kbus/internal/gauge/show":  {"kbus.example/kbus/internal/gauge"},
	"kbus.example/kbus/cmd/kbus-bench":       {"kbus.example/kbus", "kbus.example/kbus/internal/gauge", "kbus.example/kbus/internal/gauge/ksock"},
}

// pure packages import nothing but the project and these parts of the standard library that do no I/O.
var pure = []string{"kbus.example/kbus/message", "kbus.example/kbus/internal/bus", "kbus.example/kbus/internal/bus/model", "kbus.example/kbus/internal/form", "kbus.example/kbus/internal/file", "kbus.example/kbus/internal/wire", "kbus.example/kbus/internal/session",
	"kbus.example/kbus/internal/client", "kbus.example/kbus/internal/client/model", "kbus.example/kbus/internal/rules"}

// timely packages are pure too, but are told the time.
var timely = []string{"kbus.example/kbus/limpet/federation/subject", "kbus.example/kbus/limpet/federation/envelope",
	"kbus.example/kbus/limpet/federation/lease", "kbus.example/kbus/limpet/federation/sequence", "kbus.example/kbus/limpet/federation/directory",
	"kbus.example/kbus/limpet/federation/routing", "kbus.example/kbus/limpet/federation/parts",
	"kbus.example/kbus/limpet/federation/scope", "kbus.example/kbus/internal/top", "kbus.example/kbus/internal/requests", "kbus.example/kbus/internal/services"}

var impure = []string{"net", "os", "os/exec", "time", "sync", "log", "log/slog", "io", "math/rand", "math/rand/v2"}

// daemonModules is all that may be linked into kbusd beside the standard library and the project.
var daemonModules = []string{"golang.org/x/sys/", "github.com/pelletier/go-toml/v2"}

// heavy is what kbusd does not link, since small machines have to keep and load it, and what is there for it instead.
var heavy = map[string]string{
	"encoding/gob":   "a state that is handed over is written with internal/form",
	"encoding/json":  "strings of JSON are written with internal/jsontext, cards are read with internal/card",
	"encoding/xml":   "there is nothing to read in it",
	"flag":           "the command line is read in cmd/kbusd/args.go; flag links what writes help",
	"html/template":  "there are no pages here",
	"log":            "lines are written with internal/logger",
	"log/slog":       "lines are written with internal/logger; slog brings encoding/json",
	"math/big":       "no number is that large",
	"net":            "sockets of the machine are made with x/sys/unix; net brings a resolver of names",
	"os/exec":        "programs of services are started with package os",
	"regexp":         "names are matched by hand",
	"text/template":  "texts are put together by hand; with a template the linker keeps all methods of all types",
	"go/parser":      "there is no Go to read",
	"compress/flate": "nothing is compressed",
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestImports(t *testing.T) {
	for _, line := range goList(t, "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "kbus.example/kbus/...") {
		f := strings.Fields(line)
		room, imports := f[0], f[1:]
		if strings.HasPrefix(room, "kbus.example/kbus/test/") || room == "kbus.example/kbus/docs" || room == "kbus.example/kbus/bindings/c/test" {
			continue // nothing but tests
		}
		allowed, known := rooms[room]
		if !known {
			t.Errorf("%s has no line in the table of rooms", room)
		}
		for _, i := range imports {
			ours := i == "kbus.example/kbus" || strings.HasPrefix(i, "kbus.example/kbus/")
			if ours && !slices.Contains(allowed, i) {
				t.Errorf("%s may not import %s", room, i)
			}
			if !ours && slices.Contains(pure, room) && (strings.Contains(i, ".") || slices.Contains(impure, i)) {
				t.Errorf("%s is pure and may not import %s", room, i)
			}
			if !ours && slices.Contains(timely, room) && i != "time" && (strings.Contains(i, ".") || slices.Contains(impure, i)) {
				t.Errorf("%s is pure but for the time and may not import %s", room, i)
			}
		}
	}
}

// TestTracingStaysOut: OpenTelemetry is for those who want it, in a module of its own that nothing here imports.
func TestTracingStaysOut(t *testing.T) {
	for _, file := range []string{"go.mod", "go.sum", "tools.mod"} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "go.opentelemetry.io") {
			t.Errorf("%s names OpenTelemetry", file)
		}
	}
}

func TestDaemonStaysSmall(t *testing.T) {
	for _, dep := range goList(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "kbus.example/kbus/cmd/kbusd") {
		ok := dep == "" || strings.HasPrefix(dep, "kbus.example/kbus/") || slices.ContainsFunc(daemonModules, func(m string) bool {
			return strings.HasPrefix(dep, m)
		})
		if !ok {
			t.Errorf("kbusd links %s", dep)
		}
	}
	for _, dep := range goList(t, "-deps", "kbus.example/kbus/cmd/kbusd") {
		if why := heavy[dep]; why != "" {
			t.Errorf("kbusd links %s: %s", dep, why)
		}
	}
	for _, program := range []string{"kbusd", "kbus"} { // networks are for kbus-limpet
		for _, dep := range goList(t, "-deps", "kbus.example/kbus/cmd/"+program) {
			if dep == "net/http" || dep == "crypto/tls" || strings.HasPrefix(dep, "github.com/nats-io/") {
				t.Errorf("%s links %s", program, dep)
			}
		}
	}
}
