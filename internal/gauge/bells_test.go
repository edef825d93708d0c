package gauge_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"kbus.example/kbus/internal/gauge"
	"kbus.example/kbus/internal/gauge/ksock"
)

// What a message costs in system calls does not depend on how busy a machine is, as its time does. With rings, what is
// written is bells: the caller's to the daemon, the daemon's to the Replier, the Replier's to the daemon unless it is
// kept awake, the daemon's to the caller. The kernel counts for each process how often it writes.

// written counts the writes of this process, which is the daemon and the caller, and of its children.
func written(t *testing.T) (writes int) {
	t.Helper()
	pids := []string{strconv.Itoa(os.Getpid())}
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	if len(lists) == 0 {
		t.Skip("this kernel does not tell the children of a process")
	}
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		pids = append(pids, strings.Fields(string(text))...)
	}
	for _, pid := range pids {
		text, err := os.ReadFile("/proc/" + pid + "/io")
		if err != nil {
			t.Skip("this kernel does not count the calls of a process: ", err)
		}
		_, rest, _ := strings.Cut(string(text), "syscw: ")
		n := 0
		fmt.Sscan(rest, &n)
		writes += n
	}
	return writes
}

// perMessage gives the writes for each of p.Count messages.
func perMessage(t *testing.T, p *gauge.Plan, measure func() error) float64 {
	var first, last, from, to int
	p.Watch = func(done, of int) {
		if done < p.WarmUp {
			return
		}
		to, last = done, written(t)
		if from == 0 {
			from, first = to, last
		}
	}
	if err := measure(); err != nil {
		t.Fatal(err)
	}
	return float64(last-first) / float64(to-from)
}

func TestBellsOfARoundTrip(t *testing.T) {
	startBus(t)
	p := plan()
	p.Count = 4000
	got := perMessage(t, p, func() error {
		_, err := gauge.MeasureRoundTrips(p, func() gauge.Client { return &ksock.Client{} })
		return err
	})
	t.Logf("%.2f bells a round trip", got)
	if got > 4.1 {
		t.Errorf("%.2f writes a round trip, which has four bells at most", got)
	}
}

// A stream has a bell for many messages, however large they are: nobody writes a body to a socket.
func TestBellsOfAStream(t *testing.T) {
	for _, size := range []int{20, 65536} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			startBus(t)
			p := plan()
			p.Count, p.Size = 4000, size
			got := perMessage(t, p, func() error {
				_, err := gauge.MeasureThroughput(p, func() gauge.Client { return &ksock.Client{} })
				return err
			})
			t.Logf("%.2f bells a message", got)
			if most := float64(p.Consumers + 3); got > most {
				t.Errorf("%.2f writes a message, more than %g", got, most)
			}
		})
	}
}
