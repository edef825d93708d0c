// Package conformance is one table of cases that every way to a bus must pass: the recordings of the reference, and small
// readable cases (cases/*.txt) for what they are silent about. Its columns, the front ends, are the Go library, bare
// frames, and the libraries in other languages, each through every transport that it has; fronts_test.go has those in
// Go, drivers_test.go the others. A new way to a bus is done when its column is green.
//
// `make conformance` runs the table and writes docs/conformance.md; `go test` runs the same and holds the page against
// the cases that there are.
package conformance

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"kbus.example/kbus/test/conformance/driver"
)

var (
	reportTo   = flag.String("report", "", "write the table to `FILE`")
	onlyFronts = flag.String("fronts", "", "only the front ends whose names match `REGEXP`")
	oneMore    = flag.String("driver", "", "only the front end behind this driver: `COMMAND` and arguments")
	again      = flag.Bool("again", false, "one process of -driver can do one case after the other")
	patience   = flag.Duration("patience", driver.Patience, "how long a driver may take for an answer")
)

// What this program is to be when it is started again: "daemon", "devices", or "driver", and then which one (spoilt_test.go).
const (
	role         = "KBUS_CONFORMANCE_ROLE"
	roleOfDriver = "KBUS_CONFORMANCE_DRIVER"
)

func TestMain(m *testing.M) {
	var err error
	switch as := os.Getenv(role); as {
	case "":
		status := m.Run()
		if theTable.ran {
			fmt.Println(theTable.String())
		}
		os.Exit(status)
	case "daemon":
		err = beDaemon()
	case "devices":
		err = beDevices()
	case "driver":
		err = beDriver(os.Getenv(roleOfDriver))
	default:
		err = fmt.Errorf("%s is %q", role, as)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// group is a row of the table.
type group struct {
	title string
	cases []*tableCase
}

// tableCase is one case. It fails by failing its test.
type tableCase struct {
	name  string
	needs []string // of the front end
	run   func(*testing.T, *front)
}

// TestTable runs all cases through all front ends. The front ends take turns, the cases of one run side by side.
func TestTable(t *testing.T) {
	groups := append(recordedGroups(t), writtenGroups(t)...)
	columns := selected(t)
	theTable.begin(groups, columns)
	for _, f := range columns {
		t.Run(f.name, func(t *testing.T) {
			if f.missing != "" {
				fmt.Printf("%s cannot be run here: %s\n", f.name, f.missing)
				t.Skip(f.missing)
			}
			if f.broken != nil {
				theTable.breaks()
				t.Fatal(f.broken)
			}
			if f.drivers != nil {
				t.Cleanup(func() { f.drivers.close(t) })
			}
			for _, g := range groups {
				for _, c := range g.cases {
					runCase(t, f, g, c)
				}
			}
		})
	}
	t.Run("each other", func(t *testing.T) { readEachOther(t, columns) })
	fmt.Print(theTable.overview())
	switch {
	case *reportTo != "" && os.Getenv("KBUS_TRACES") == "":
		if err := os.WriteFile(*reportTo, []byte(theTable.page()), 0o666); err != nil {
			t.Fatal(err)
		}
	case !t.Failed() && *oneMore == "" && *onlyFronts == "" && os.Getenv("KBUS_TRACES") == "":
		theTable.hold(t)
	}
}

// selected are the front ends that the command line asks for.
func selected(t *testing.T) (those []*front) {
	if *oneMore != "" {
		f := &front{name: "driver"}
		p := &pool{command: strings.Fields(*oneMore), again: *again}
		if os.Getenv(roleOfDriver) != "" {
			p.env = append(p.env, role+"=driver")
		}
		f.drive(p)
		return []*front{f}
	}
	wanted, err := regexp.Compile(*onlyFronts)
	if err != nil {
		t.Fatalf("-fronts: %v", err)
	}
	for _, f := range fronts() {
		if wanted.MatchString(f.name) {
			those = append(those, f)
		}
	}
	return those
}

func runCase(t *testing.T, f *front, g *group, c *tableCase) {
	if why := f.can(c.needs); why != "" {
		theTable.leaveOut(f, g, why)
		return
	}
	t.Run(g.title+"/"+c.name, func(t *testing.T) {
		t.Parallel()
		t.Cleanup(func() { theTable.note(f, g, t.Failed()) })
		c.run(t, f)
	})
}
