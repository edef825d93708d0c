package process

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// What a round trip costs in switches of the processor: who has nothing to do gives it up. Caller, daemon, Replier and
// daemon again each wait once, so four are the most; fewer are needed when somebody finds work before it waits. The system
// counts them for each process, whatever else the machine does.

// mostSwitches is four, and a little for threads of the runtime that wait for something else.
const mostSwitches = 4.4

func TestSwitchesOfARoundTrip(t *testing.T) {
	bench := benchPrograms(t)
	for _, client := range []string{"go", "c"} {
		t.Run(client, func(t *testing.T) {
			if client == "c" {
				needsCBench(t, filepath.Dir(bench))
			}
			const few, many = 1000, 5000 // the beginning and the end are in both
			best := 1e9
			for i := 0; i < 8 && best > mostSwitches; i++ {
				n := switches(t, bench, client, many) - switches(t, bench, client, few)
				best = min(best, float64(n)/(many-few))
			}
			publish(t, "switches of a round trip, "+client, "%.2f", best)
			if best > mostSwitches || best < 1 {
				t.Errorf("%.2f switches a round trip, more than %g or fewer than can be", best, mostSwitches)
			}
		})
	}
}

// switches gives how often daemon and clients have given up the processor for that many round trips.
func switches(t *testing.T, bench, client string, trips int) int64 {
	t.Helper()
	d := startDaemon(t)
	defer d.kill()
	measure := exec.Command(bench, "--client", client, "rtt", "32", strconv.Itoa(trips))
	measure.Env = append(os.Environ(), "KBUS_DIR="+d.dir, "WARM=100")
	before := givenUp(t, d.pid)
	if out, err := measure.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return givenUp(t, d.pid) - before + int64(measure.ProcessState.SysUsage().(*syscall.Rusage).Nvcsw)
}

// givenUp is how often the threads of a process have given up the processor by themselves.
func givenUp(t *testing.T, pid int) (sum int64) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	must(t, err)
	for _, path := range threads {
		status, err := os.Open(path)
		if err != nil {
			continue // a thread that has ended
		}
		for lines := bufio.NewScanner(status); lines.Scan(); {
			if n, found := strings.CutPrefix(lines.Text(), "voluntary_ctxt_switches:"); found {
				count, err := strconv.ParseInt(strings.TrimSpace(n), 10, 64)
				must(t, err)
				sum += count
			}
		}
		status.Close()
	}
	return sum
}
