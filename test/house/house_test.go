// Package house keeps the rooms apart: it fails when a package imports what its place in the house does not allow, or
// when the daemon links more than the few modules it is meant to have.
package house

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// rooms says which packages of the project each package may import, tests left out. A package that is not listed fails
// the test: a new room needs its line here, and a reason.
var rooms = map[string][]string{
	"kbus":         {"kbus/message", "kbus/internal/bus", "kbus/internal/wire", "kbus/internal/session", "kbus/internal/ring"},
	"kbus/message": {},

	"kbus/internal/bus":        {"kbus/message"},
	"kbus/internal/bus/model":  {"kbus/message"},
	"kbus/internal/file":       {"kbus/message", "kbus/internal/bus"},
	"kbus/internal/file/trace": {"kbus/message"}, // recordings, and what a front end must do to replay them
	"kbus/internal/wire":       {"kbus/message"},
	"kbus/internal/session":    {"kbus/message", "kbus/internal/bus", "kbus/internal/file", "kbus/internal/wire"},
	"kbus/internal/ring":       {},

	"kbus/internal/fuse":              {},                                                                                // the kernel's FUSE and CUSE protocol, whatever is served
	"kbus/internal/device":            {"kbus/message", "kbus/internal/bus", "kbus/internal/file", "kbus/internal/fuse"}, // /dev/kbusN
	"kbus/internal/device/descriptor": {"kbus/message", "kbus/internal/file"},                                            // for tests

	"kbus/internal/server": {"kbus/message", "kbus/internal/bus", "kbus/internal/file", "kbus/internal/wire",
		"kbus/internal/session", "kbus/internal/ring", "kbus/internal/device"},
	"kbus/internal/server/settings":  {"kbus/internal/server"},               // flags and the TOML file
	"kbus/internal/server/rawclient": {"kbus/internal/wire", "kbus/message"}, // for tests
	"kbus/cmd/kbusd":                 {"kbus/internal/server", "kbus/internal/server/settings"},

	"kbus/cmd/kbus": {"kbus", "kbus/cmd/kbus/errno", "kbus/cmd/kbus/play", "kbus/internal/gauge", "kbus/internal/gauge/ksock",
		"kbus/internal/gauge/show", "kbus/cmd/kbus/kmsg", "kbus/cmd/kbus/kspeed", "kbus/internal/plain",
		"kbus/limpet/federation/report"},
	"kbus/cmd/kbus/kmsg":   {"kbus"}, // the original's utilities, which kbus is when started by their names
	"kbus/cmd/kbus/kspeed": {"kbus"},
	"kbus/cmd/kbus/play":   {"kbus", "kbus/cmd/kbus/errno", "kbus/cmd/kbus/stage"},
	"kbus/cmd/kbus/errno":  {},
	"kbus/cmd/kbus/stage":  {},

	"kbus/limpet":      {"kbus", "kbus/message"},                                    // the state machine, and a session around it
	"kbus/limpet/wire": {"kbus"},                                                    // what two Limpets say to each other
	"kbus/limpet/pair": {"kbus", "kbus/message", "kbus/limpet", "kbus/limpet/wire"}, // links between processes
	"kbus/cmd/kbus-limpet": {"kbus", "kbus/limpet/pair", "kbus/limpet/federation", "kbus/limpet/federation/ordered",
		"kbus/limpet/federation/report", "kbus/limpet/federation/server"}, // the only program with TLS and NATS

	"kbus/limpet/federation": {"kbus", "kbus/message", "kbus/limpet/federation/directory", "kbus/limpet/federation/envelope",
		"kbus/limpet/federation/lease", "kbus/limpet/federation/office", "kbus/limpet/federation/report",
		"kbus/limpet/federation/routing", "kbus/limpet/federation/store", "kbus/limpet/federation/subject"},
	"kbus/limpet/federation/ordered": {"kbus", "kbus/message", "kbus/limpet/federation/envelope",
		"kbus/limpet/federation/office", "kbus/limpet/federation/report", "kbus/limpet/federation/store",
		"kbus/limpet/federation/subject"}, // one order on all machines
	"kbus/limpet/federation/office": {"kbus", "kbus/limpet/federation/lease", "kbus/limpet/federation/store",
		"kbus/limpet/federation/subject"}, // our own lease, for bowls of either kind
	"kbus/limpet/federation/subject":   {"kbus/message"},                                    // names in NATS
	"kbus/limpet/federation/envelope":  {"kbus/message", "kbus/limpet/wire"},                // bytes in NATS
	"kbus/limpet/federation/lease":     {},                                                  // how long a lease may be trusted
	"kbus/limpet/federation/sequence":  {},                                                  // the order of a stream
	"kbus/limpet/federation/directory": {"kbus/message"},                                    // who holds which name
	"kbus/limpet/federation/routing":   {"kbus/message", "kbus/limpet/federation/envelope"}, // what becomes of a Request
	"kbus/limpet/federation/store":     {"kbus/limpet/federation/sequence"},                 // the directory in NATS
	"kbus/limpet/federation/server":    {},                                                  // a NATS server within
	"kbus/limpet/federation/report":    {"kbus", "kbus/internal/plain"},                     // how it looks, for who asks, without NATS

	"kbus/internal/plain": {}, // text of others, on a terminal

	"kbus/internal/gauge":       {}, // measuring, whatever is measured
	"kbus/internal/gauge/ksock": {"kbus", "kbus/internal/gauge"},
	"kbus/internal/gauge/show":  {"kbus/internal/gauge"},
	"kbus/cmd/kbus-bench":       {"kbus", "kbus/internal/gauge", "kbus/internal/gauge/ksock"},
}

// pure packages import nothing but the project and these parts of the standard library that do no I/O.
var pure = []string{"kbus/message", "kbus/internal/bus", "kbus/internal/bus/model", "kbus/internal/file", "kbus/internal/wire", "kbus/internal/session"}

// timely packages are pure too, but are told the time.
var timely = []string{"kbus/limpet/federation/subject", "kbus/limpet/federation/envelope",
	"kbus/limpet/federation/lease", "kbus/limpet/federation/sequence", "kbus/limpet/federation/directory",
	"kbus/limpet/federation/routing"}

var impure = []string{"net", "os", "os/exec", "time", "sync", "log", "log/slog", "io", "math/rand", "math/rand/v2"}

// daemonModules is all that may be linked into kbusd beside the standard library and the project.
var daemonModules = []string{"golang.org/x/sys/", "github.com/coreos/go-systemd/v22/daemon", "github.com/pelletier/go-toml/v2"}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestImports(t *testing.T) {
	for _, line := range goList(t, "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "kbus/...") {
		f := strings.Fields(line)
		room, imports := f[0], f[1:]
		if strings.HasPrefix(room, "kbus/test/") || room == "kbus/docs" || room == "kbus/bindings/c/test" {
			continue // nothing but tests
		}
		allowed, known := rooms[room]
		if !known {
			t.Errorf("%s has no line in the table of rooms", room)
		}
		for _, i := range imports {
			ours := i == "kbus" || strings.HasPrefix(i, "kbus/")
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

func TestDaemonStaysSmall(t *testing.T) {
	for _, dep := range goList(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "kbus/cmd/kbusd") {
		ok := dep == "" || strings.HasPrefix(dep, "kbus/") || slices.ContainsFunc(daemonModules, func(m string) bool {
			return strings.HasPrefix(dep, m)
		})
		if !ok {
			t.Errorf("kbusd links %s", dep)
		}
	}
	for _, program := range []string{"kbusd", "kbus"} { // networks are for kbus-limpet
		for _, dep := range goList(t, "-deps", "kbus/cmd/"+program) {
			if dep == "net/http" || dep == "crypto/tls" || strings.HasPrefix(dep, "github.com/nats-io/") {
				t.Errorf("%s links %s", program, dep)
			}
		}
	}
}
