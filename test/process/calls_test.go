package process

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus/internal/testing/programs"
)

// What a round trip costs in system calls. It does not depend on how fast or busy a machine is, as time does. A message
// takes four hops: caller, daemon, Replier, daemon, caller. Each may cost one wake-up by who sends and one wait of who
// receives, and nothing else: no look that finds nothing, no clock, no read of a bell. So eight calls are the most, and
// fewer are made when somebody is found awake. strace counts, in the daemon and in the clients.

// mostCalls is eight, and a little for what is not the way of a message: the runtime, the beginning and the end.
const mostCalls = 8.4

func TestCallsOfARoundTrip(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("no strace here")
	}
	bench := benchPrograms(t)
	for _, client := range []string{"go", "c"} {
		t.Run(client, func(t *testing.T) {
			if client == "c" {
				needsCBench(t, filepath.Dir(bench))
			}
			best, kinds := 1e9, map[string]float64(nil)
			for range 8 { // a machine that is busy makes waits longer than a client likes, never shorter
				if n, of := callsOfARoundTrip(t, bench, client); n < best {
					best, kinds = n, of
				}
				if best <= mostCalls {
					break
				}
			}
			publish(t, "system calls of a round trip, "+client, "%.2f", best)
			if best > mostCalls {
				t.Errorf("%.2f system calls a round trip, more than %g: %v", best, mostCalls, kinds)
			}
		})
	}
}

// benchPrograms has the benchmark of the Go library in a directory of its own.
func benchPrograms(t *testing.T) string {
	t.Helper()
	bench := filepath.Join(tempDir(t), "kbus-bench")
	must(t, programs.Build(filepath.Dir(bench), "kbus-bench"))
	return bench
}

// needsCBench puts the benchmark of the C library beside that of the Go library.
func needsCBench(t *testing.T, dir string) {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no gcc here")
	}
	built := filepath.Join(dir, "c")
	if out, err := exec.Command("make", "-s", "-C", "../../bindings/c", "OUT="+built, "bench").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	must(t, os.Rename(filepath.Join(built, "kbus-bench-c"), filepath.Join(dir, "kbus-bench-c")))
}

// callsOfARoundTrip gives how many system calls all processes make for one round trip, and of which kind.
func callsOfARoundTrip(t *testing.T, bench, client string) (all float64, kinds map[string]float64) {
	t.Helper()
	const trips, before = 3000, 100
	d := startDaemon(t)
	defer d.kill()
	ours, theirs := filepath.Join(d.dir, "daemon"), filepath.Join(d.dir, "clients")
	watch := exec.Command("strace", "-f", "-c", "-o", ours, "-p", strconv.Itoa(d.pid))
	said, err := watch.StderrPipe()
	must(t, err)
	must(t, watch.Start())
	defer watch.Process.Kill()
	lines := bufio.NewScanner(said)
	for lines.Scan() && !strings.Contains(lines.Text(), "attached") {
		if strings.Contains(lines.Text(), "not permitted") {
			t.Skip("strace may not look at processes here")
		}
	}
	go func() {
		for lines.Scan() {
		}
	}()
	measure := exec.Command("strace", "-f", "-c", "-o", theirs, bench, "--client", client, "rtt", "32", strconv.Itoa(trips))
	measure.Env = append(os.Environ(), "KBUS_DIR="+d.dir, "WARM="+strconv.Itoa(before))
	if out, err := measure.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	must(t, watch.Process.Signal(syscall.SIGINT))
	watch.Wait()
	kinds = map[string]float64{}
	for _, list := range []string{ours, theirs} {
		for kind, n := range counted(t, list) {
			kinds[kind] += n / (trips + before)
		}
	}
	for kind, n := range kinds {
		switch kind {
		case "futex", "nanosleep", "tgkill", "getpid", "rt_sigreturn", "sched_yield", "rt_sigprocmask":
			delete(kinds, kind) // of Go's scheduler, which looks after its threads as often as time goes by
		default:
			all += n
		}
	}
	return all, kinds
}

// counted reads a table of strace: kinds of calls, and how many of each.
func counted(t *testing.T, list string) map[string]float64 {
	t.Helper()
	text, err := os.ReadFile(list)
	must(t, err)
	counts := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 5 || words[len(words)-1] == "total" {
			continue
		}
		if n, err := strconv.ParseFloat(words[3], 64); err == nil {
			counts[words[len(words)-1]] = n
		}
	}
	if len(counts) == 0 {
		t.Skipf("strace counts nothing here: %s", text)
	}
	return counts
}
