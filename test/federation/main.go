// Command federation tests a federation as it is meant to be used: a kbusd and a kbus-limpet with its NATS server for
// each of three members, each in a network namespace of its own, joined by a bridge that can be cut. What is killed is
// killed with SIGKILL, what is cut is cut in the network, and what the programs on the buses see is counted.
//
// It needs root. Its last line says how it went:
//
//	federation: requests N replies N statuses N doubles N outstanding N overlaps N lost N divergences N
//
// and its exit status is 0 only if that is as it must be and every case has passed. SEED=n repeats a run's choices.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// play is what all cases share.
type play struct {
	ctx   context.Context
	seed  uint64
	short bool
	bin   string // directory with the programs
	keep  bool
	tally tally
}

// theCase is one of them, with the letter that it is called by.
type theCase struct {
	name, about string
	perform     func(*play) error
}

var cases = []theCase{
	{"a", "requests over a partition, a kill and a restart", requestsCase},
	{"b", "one owner of a name, over partitions", ownershipCase},
	{"c", "one order while Limpets and the stream's leader are killed", orderedCase},
	{"d", "speed beside plain NATS", speedCase},
	{"e", "a crowd of bowls", crowdCase},
	{"f", "pairs beside a federation, twice and in a ring", meshCase},
	{"g", "refusals", refusalsCase},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == serverRole {
		os.Exit(beServer(os.Args[2:]))
	}
	os.Exit(run())
}

func run() int {
	var p play
	var names string
	flag.BoolVar(&p.short, "short", false, "less of everything, in three minutes")
	flag.StringVar(&p.bin, "bin", "bin", "directory with kbusd and kbus-limpet")
	flag.BoolVar(&p.keep, "keep", false, "keep the directories with the logs")
	flag.StringVar(&names, "cases", "", "letters of the cases to perform, all unless given")
	flag.Parse()
	if os.Getuid() != 0 {
		fmt.Println("federation: skipped: network namespaces need root")
		return 0
	}
	p.seed = uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		p.seed = n
	}
	var stop context.CancelFunc
	p.ctx, stop = signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var failures []string
	for _, c := range cases {
		if names != "" && !strings.Contains(names, c.name) || p.ctx.Err() != nil {
			continue
		}
		fmt.Printf("(%s) %s, SEED=%d\n", c.name, c.about, p.seed)
		start := time.Now()
		if err := c.perform(&p); err != nil {
			failure := fmt.Sprintf("(%s) FAILED after %.0f s: %v", c.name, time.Since(start).Seconds(), err)
			fmt.Println(failure)
			failures = append(failures, failure)
			continue
		}
		fmt.Printf("(%s) passed in %.0f s\n", c.name, time.Since(start).Seconds())
	}
	if p.ctx.Err() != nil {
		failures = append(failures, "interrupted")
	}
	for _, failure := range failures { // again, where they are seen
		fmt.Println(failure)
	}
	t := &p.tally
	fmt.Printf("federation: requests %d replies %d statuses %d doubles %d outstanding %d overlaps %d lost %d divergences %d\n",
		t.requests, t.replies, t.statuses, t.doubles, t.outstanding, t.overlaps, t.lost, t.divergences)
	if len(failures) > 0 || !t.right() {
		return 1
	}
	return 0
}

// tally is the last line.
type tally struct{ requests, replies, statuses, doubles, outstanding, overlaps, lost, divergences int }

func (t *tally) right() bool {
	return t.requests == t.replies+t.statuses && t.doubles+t.outstanding+t.overlaps+t.lost+t.divergences == 0
}

func (p *play) random(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(p.seed, stream)) }

// pick is the long form's value or the short form's.
func pick[T any](p *play, long, short T) T {
	if p.short {
		return short
	}
	return long
}

// wait lets time pass, in which the load goes on.
func (p *play) wait(d time.Duration) {
	select {
	case <-p.ctx.Done():
	case <-time.After(d):
	}
}

// finish waits for work that is about to end, and says so if it does not.
func finish(work *sync.WaitGroup, who string, limit time.Duration) error {
	done := make(chan struct{})
	go func() { work.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-time.After(limit):
		return fmt.Errorf("%s do not come to an end", who)
	}
}

// quantile of durations, in milliseconds.
func quantile(all []time.Duration, q float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return float64(all[int(q*float64(len(all)-1))].Microseconds()) / 1000
}
