package settings

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

func parse(text string) (*Settings, error) {
	s := Default()
	if err := s.Parse("kbusd.toml", []byte(text)); err != nil {
		return s, err
	}
	return s, s.Check()
}

func TestEveryKeyIsTaken(t *testing.T) {
	s, err := parse(`
dir = "/run/somewhere"
buses = 3
drain = "1m30s"
rings = "128KiB"
shared-log = "32MiB"
administration = "group:users"
taps = "anybody"
limpets = "anybody"
rules = "/etc/rules"
services = "/etc/services"
federated = "2,0"
socket = { mode = "0660", group = 'kbus' }
device = { kind = "fuse", link = "/dev/bus", mode = "0600", group = "12", stat-as-device = true }
[log]
level = "debug"
format = "json"
[limits]
buses = 0x10
new-buses-per-user = 9
connections = 1_000
user-connections = 0
bindings = 5
user-bindings = 4
user-wildcards = 3
queue-bytes = "16MiB"
user-queue-bytes = 1024
buffer-bytes = "3 KiB"
user-buffer-bytes = "2GiB"
message-bytes = "1KiB"
message-bytes-ceiling = "1MiB"
queue-messages = 7
set-aside = 8
held-requests = 9
`)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range table {
		got = append(got, row.show(s))
	}
	want := `"/run/somewhere" 3 "1m30s" "0660" "kbus" "fuse" "/dev/bus" "0600" "12" true "128KiB" "32MiB" "group:users" "anybody" "anybody" "/etc/rules" "/etc/services" "0,2" ` +
		`"debug" "json" 16 9 1000 0 5 4 3 ` +
		`"16MiB" "1KiB" "3KiB" "2GiB" "1KiB" "1MiB" 7 8 9`
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

// Every error says file, line and key, and all are reported.
func TestErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"buses = 1\n[limts]\nconnections = 5",
			`kbusd.toml:3: unknown key "limts.connections"; did you mean "limits.connections"?`},
		{"[limits]\nconections = 5", `kbusd.toml:2: unknown key "limits.conections"; did you mean "limits.connections"?`},
		{"limits.user.connections = 5",
			`kbusd.toml:1: unknown key "limits.user.connections"; did you mean "limits.user-connections"?`},
		{"user-connections = 5", `kbusd.toml:1: unknown key "user-connections"; did you mean "limits.user-connections"?`},
		{"Level = 'info'", `kbusd.toml:1: unknown key "Level"; did you mean "log.level"?`},
		{"colour = 'red'", `kbusd.toml:1: unknown key "colour"`},
		{"[sockets]", `kbusd.toml:1: unknown table "sockets"; did you mean "socket"?`},
		{"[[limits]]\nconnections = 1", `kbusd.toml:1: [[limits]]: there are no lists of tables here`},
		{"[limits]\n[limits]", `kbusd.toml:2: [limits] stands on line 1 already`},
		{"buses = 1\n\nbuses = 2", `kbusd.toml:3: buses is set on line 1 already`},
		{"limits.bindings = 1\n[limits]\nbindings = 2", `kbusd.toml:3: limits.bindings is set on line 1 already`},
		{"buses = '1'", `kbusd.toml:1: buses: takes a number`},
		{"buses = 1.5", `kbusd.toml:1: buses: takes a number`},
		{"buses = true", `kbusd.toml:1: buses: takes a number`},
		{"buses = [1]", `kbusd.toml:1: buses: takes a number`},
		{"buses = 99999999999999999999", `kbusd.toml:1: buses: "99999999999999999999" is no number that fits`},
		{"dir = 5", `kbusd.toml:1: dir: takes a string`},
		{"drain = 5", `kbusd.toml:1: drain: "5" is no duration; write for instance "5s"`},
		{"drain = '2h'", `kbusd.toml:1: drain must be 0s to 1h0m0s, not 2h0m0s`},
		{"socket.mode = 660", `kbusd.toml:1: socket.mode: "660" is no file mode; write for instance "0660"`},
		{"socket.mode = '660'", `kbusd.toml:1: socket.mode: "660" is no file mode; write for instance "0660"`},
		{"BUSES = 1", `kbusd.toml:1: unknown key "BUSES"; did you mean "buses"?`},
		{"buses = 1\nBuses = 2", `kbusd.toml:2: unknown key "Buses"; did you mean "buses"?`},
		{"[Limits]\nBindings = 2", `kbusd.toml:2: unknown key "Limits.Bindings"; did you mean "limits.bindings"?`},
		{"limits.queue-bytes = '1 GB'", `kbusd.toml:1: limits.queue-bytes: "1 GB" is no size; write for instance "64MiB"`},
		{"socket.mode = '1777'", `kbusd.toml:1: socket.mode has permission bits only, not 01777`},
		{"device.kind = 'fusee'", `kbusd.toml:1: device.kind: must be off, auto, cuse or fuse, not "fusee"; did you mean "fuse"?`},
		{"device.kind = true", `kbusd.toml:1: device.kind: takes a string`},
		{"device.link = 'dev/kbus'", `kbusd.toml:1: device.link must be a path that begins with /, not "dev/kbus"`},
		{"device.mode = '4666'", `kbusd.toml:1: device.mode has permission bits only, not 04666`},
		{"device.stat-as-device = 1", `kbusd.toml:1: device.stat-as-device: takes true or false`},
		{"federated = '0,256'", `kbusd.toml:1: federated: must be all, none, or numbers of buses with commas between, ` +
			`from 0 to 255, not "0,256"`},
		{"federated = 'some'", `kbusd.toml:1: federated: must be all, none, or numbers of buses`},
		{"log.level = 'inof'", `kbusd.toml:1: log.level: must be debug, info, warn or error, not "inof"`},
		{"log.format = 'xml'", `kbusd.toml:1: log.format: must be text or json, not "xml"`},
		{"limits.queue-bytes = '1TB'", `kbusd.toml:1: limits.queue-bytes: "1TB" is no size; write for instance "64MiB"`},
		{"limits.queue-bytes = '9999999999GiB'",
			`kbusd.toml:1: limits.queue-bytes: "9999999999GiB" is no size; write for instance "64MiB"`},
		{"limits.queue-bytes = -1", `kbusd.toml:1: limits.queue-bytes: "-1" is no size; write for instance "64MiB"`},
		{"\nlimits.bindings = -1", `kbusd.toml:2: limits.bindings must be 0 to 1073741824, not -1`},
		{"buses = 0", `kbusd.toml:1: buses must be 1 to 256, not 0`},
		{"buses = 5\nlimits.buses = 4", `kbusd.toml:1: buses (5) is above limits.buses (4)`},
		{"limits.message-bytes = 99", `kbusd.toml:1: limits.message-bytes must be 100 to 1073741824, not 99`},
		{"limits.message-bytes = '1MiB'",
			`kbusd.toml:1: limits.message-bytes (1048576) is above limits.message-bytes-ceiling (409600)`},
		{"buses 1", `kbusd.toml:1: `},
		{"buses = 1\ndir = \"unfinished", `kbusd.toml:2: `},
		{"a = 1\nb = 2\nbuses = 'x'", "kbusd.toml:1: unknown key \"a\"\nkbusd.toml:2: unknown key \"b\"\n" +
			"kbusd.toml:3: buses: takes a number"},
	} {
		_, err := parse(c.text)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q\n  gave %v\n  want %s", c.text, err, c.want)
		}
	}
}

// allOf is everything that is wrong with a file and flags, as kbusd has it.
func allOf(t *testing.T, text string, args ...string) string {
	var f Flags
	set := flag.NewFlagSet("", flag.ContinueOnError)
	f.Register(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	s := Default()
	file := s.Parse("k", []byte(text))
	if err := Join(f.Apply(s), file, s.Check()); err != nil {
		return err.Error()
	}
	return ""
}

// No mistake hides another, of whatever kinds they are, and none is told twice.
func TestAllErrorsAtOnce(t *testing.T) {
	for _, c := range []struct{ text, args, want string }{
		{"buses = 0\n[socket]\nmode = 660\n[limts]\nbindings = 1\n[log]\nlevel = 'loud'\nlevel = 'warn'\n", "--drain=5 --rings=3",
			`invalid value "5" for flag --drain: "5" is no duration; write for instance "5s"
k:3: socket.mode: "660" is no file mode; write for instance "0660"
k:5: unknown key "limts.bindings"; did you mean "limits.bindings"?
k:7: log.level: must be debug, info, warn or error, not "loud"
k:8: log.level is set on line 7 already
k:1: buses must be 1 to 256, not 0
--rings: rings must be 4096 to 16777216, not 3
--rings: rings must be a power of two, not 3`},
		{"buses 1\ndrain = 1\n[limits]\nbindings = = 5\nconnections = -1\ndir = \"never ends\nset-aside = 0\n", "",
			`k:1: *
k:2: drain: "1" is no duration; write for instance "5s"
k:4: *
k:6: *
k:5: limits.connections must be 0 to 1073741824, not -1
k:7: limits.set-aside must be 1 to 1073741824, not 0`},
		// What stands below a header that cannot be read may be right.
		{"buses = 'x'\n[limits\nbindings = 1\n[log]\nformat = 'xml'\n", "", `k:1: buses: takes a number
k:2: *
k:5: log.format: must be text or json, not "xml"`},
		// The one that could not be read is not said to contradict the other.
		{"limits.message-bytes-ceiling = '1MB'\nlimits.message-bytes = '1MiB'\nbuses = 'x'\nlimits.buses = 1", "",
			`k:1: limits.message-bytes-ceiling: "1MB" is no size; write for instance "64MiB"
k:3: buses: takes a number`},
		{"buses = 2\n[limits]\nbuses = '1'\n", "", `k:3: limits.buses: takes a number`},
		{"buses = 'x'", "--buses=2", `k:1: buses: takes a number`},
		{"buses = 2", "--buses=x --buses=y", `invalid value "x" for flag --buses: "x" is no number that fits
invalid value "y" for flag --buses: "y" is no number that fits`},
		{"dir = \"\"\"\nnever ends\n", "--drain=9h", "k:2: *\n--drain: drain must be 0s to 1h0m0s, not 9h0m0s"},
	} {
		got := allOf(t, c.text, strings.Fields(c.args)...)
		want := strings.ReplaceAll(regexp.QuoteMeta(c.want), `\*`, ".+")
		if !regexp.MustCompile("^" + want + "$").MatchString(got) {
			t.Errorf("%q %s\n  gave %s\n  want %s", c.text, c.args, got, c.want)
		}
	}
}

func TestFlagsWinOverTheFile(t *testing.T) {
	var f Flags
	set := flag.NewFlagSet("", flag.ContinueOnError)
	f.Register(set)
	if err := set.Parse([]string{"--buses", "7", "--drain=2h", "--device", "--stat-as-device=false"}); err != nil {
		t.Fatal(err)
	}
	s := Default()
	if err := s.Parse("kbusd.toml", []byte("buses = 2\nsocket.mode = '0600'")); err != nil {
		t.Fatal(err)
	}
	f.Apply(s)
	if s.Server.Device.Kind != "auto" || s.Server.Device.StatAsDevice {
		t.Errorf("device is %q, stat-as-device %v", s.Server.Device.Kind, s.Server.Device.StatAsDevice)
	}
	if s.Server.Buses != 7 || s.Server.SocketMode != 0o600 || s.Drain != 2*time.Hour {
		t.Errorf("%d buses, mode %o, drain %v", s.Server.Buses, s.Server.SocketMode, s.Drain)
	}
	if err := s.Check(); err == nil || !strings.HasPrefix(err.Error(), "--drain: drain must be") {
		t.Errorf("the error does not name the flag: %v", err)
	}
}

func TestChanges(t *testing.T) {
	before, _ := parse("buses = 2")
	for _, c := range []struct{ text, changes, refused string }{
		{"buses = 2", "[]", ""},
		{"buses = 3\nlimits.bindings = 5", "[buses: 2 -> 3 limits.bindings: 65536 -> 5]", ""},
		{"buses = 2\nlog.level = 'warn'", `[log.level: "info" -> "warn"]`, ""},
		{"", "", "buses can only grow while kbusd runs, not from 2 to 1"},
		{"buses = 2\ndir = '/x'", "", `kbusd.toml:2: dir cannot change from "" to "/x" while kbusd runs`},
	} {
		next, err := parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		changes, err := before.Changes(next)
		switch {
		case c.refused != "" && (err == nil || err.Error() != c.refused):
			t.Errorf("%q: %v; want %s", c.text, err, c.refused)
		case c.refused == "" && (err != nil || fmt.Sprint(changes) != c.changes):
			t.Errorf("%q: %v, %v; want %s", c.text, changes, err, c.changes)
		}
	}
}

// The manual's table of settings is this one.
func TestManualHasTheTable(t *testing.T) {
	manual, err := os.ReadFile("../../../docs/daemon.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range Rows() {
		line := manualRow(row)
		if !strings.Contains(string(manual), line+"\n") {
			t.Errorf("docs/daemon.md lacks\n%s", line)
		}
	}
	if n := len(regexp.MustCompile("(?m)^\\| `[a-z.-]+` \\| `").FindAll(manual, -1)); n != len(table) {
		t.Errorf("docs/daemon.md has %d rows; there are %d settings", n, len(table))
	}
}

// The sample file shows every setting with its default, commented out.
func TestSampleFile(t *testing.T) {
	sample, err := os.ReadFile("../../../dist/kbusd.toml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := parse(string(sample))
	if err != nil {
		t.Fatal(err)
	}
	s.from = map[string]string{}
	if !reflect.DeepEqual(s, Default()) {
		t.Error("the sample is not what holds without it")
	}
	in := regexp.MustCompile(`(?m)^#([a-z-]+ *= )`).ReplaceAllString(string(sample), "$1")
	s, err = parse(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range table {
		if s.from[row.key] == "" {
			t.Errorf("%s is not in the sample", row.key)
		}
		if got, want := row.show(s), row.show(Default()); got != want && row.key != "dir" && row.key != "socket.group" {
			t.Errorf("%s is %s in the sample; the default is %s", row.key, got, want)
		}
	}
}

func manualRow(r Row) string {
	reload := "no"
	if r.Live {
		reload = "yes"
	}
	if r.Key == "buses" {
		reload = "upward"
	}
	return fmt.Sprintf("| `%s` | `%s` | %s | %s |", r.Key, r.Default, reload, r.Doc)
}
