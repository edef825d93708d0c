// Command neighbours shows that nobody on a bus notices somebody else's trouble. A service and its caller, each a process
// of its own under a user of its own, go on talking while a third user does everything it can think of: it floods, stands
// still, hoards, scribbles into shared memory, dies at a bad moment. What the pair notices of it is counted and timed.
//
// An attack is *harmful* when a call of the pair fails, when an announcement of the pair is lost or out of order, when the
// daemon ends, or when its memory exceeds what docs/daemon.md promises. With -judge also when the median round trip of the
// pair is over twice the usual, or the worst over twenty times (and over twice the worst before), five times in a row. The
// usual is what it takes alone or beside a program that is not on the bus, whichever is more.
//
// It needs root, to play several users. The last line says how it went, and the exit status is 0 if nothing was harmful:
//
//	neighbours: N attacks, N refused or bounded, 0 harmful
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path"
	"strings"
	"syscall"
	"time"
)

type play struct {
	bin, only string
	short     bool
	judge     bool
}

func main() {
	if role := os.Getenv(roleVariable); role != "" {
		perform(role)
		return
	}
	os.Exit(run())
}

func run() int {
	var p play
	flag.StringVar(&p.bin, "bin", "bin", "directory with kbusd")
	flag.StringVar(&p.only, "only", "", "pattern of the attacks to perform, all unless given")
	flag.BoolVar(&p.short, "short", false, "fewer calls for each attack")
	flag.BoolVar(&p.judge, "judge", false, "slow counts as harmful")
	flag.Parse()
	judged = p.judge
	if os.Getuid() != 0 {
		fmt.Println("neighbours: skipped: several users need root")
		return 0
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		fail("interrupted")
	}()
	began := time.Now()
	rows, harmful := 0, 0
	fmt.Printf("%-52s %9s %8s %9s %8s %6s %7s  %s\n", "attack", "median", "x usual", "worst", "x usual", "errors", "MiB", "result")
	for _, a := range attacks {
		if match, _ := path.Match(p.only, a.name); p.only != "" && !match && !strings.Contains(a.name, p.only) {
			continue
		}
		if a.device && !haveDevices() {
			fmt.Printf("%-52s left out: no /dev/fuse here\n", a.name)
			continue
		}
		r := p.perform(a)
		rows++
		if r.harm != "" {
			harmful++
		}
		fmt.Println(r)
	}
	fmt.Printf("%d s\n", int(time.Since(began).Seconds()))
	fmt.Printf("neighbours: %d attacks, %d refused or bounded, %d harmful\n", rows, rows-harmful, harmful)
	if harmful > 0 {
		return 1
	}
	return 0
}

// row is what one attack did.
type row struct {
	attack       attack
	usual, under figures
	mib          float64
	said         string // by the attacker
	harm         string
}

func (r row) String() string {
	result := r.said
	if r.harm != "" {
		result = "HARMFUL: " + r.harm
	}
	return fmt.Sprintf("%-52s %9s %8.1f %9s %8.1f %6d %7.1f  %s", r.attack.name,
		r.under.Median.Round(time.Microsecond), ratio(r.under.Median, r.usual.Median),
		r.under.Worst.Round(10*time.Microsecond), ratio(r.under.Worst, r.usual.Median),
		r.under.Errors, r.mib, result)
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }

// perform lets one attack happen beside the pair, on a bus of their own. What was slow is tried again, for a machine has
// other things to do, too.
func (p *play) perform(a attack) (r row) {
	for range 5 {
		if r = p.once(a); r.harm == "" || !strings.HasPrefix(r.harm, slow) {
			break
		}
	}
	return r
}

const slow = "slow"

func (p *play) once(a attack) row {
	calls := 2000
	if p.short {
		calls = 200
	}
	d := startDaemon(p.bin, a)
	defer d.stop()
	pair := startPair(d)
	defer pair.stop()

	r := row{attack: a}
	pair.measure(calls / 4) // warms up
	r.usual = pair.usual(d, calls)
	attacker := startAttackers(d, a)
	defer attacker.stop()
	r.said = attacker.ready()
	if a.dies {
		attacker.kill()
	}
	for range a.upgrades {
		if refused := d.upgrade(); refused != "" {
			r.harm = "an upgrade is refused: " + refused
			return r
		}
	}
	r.under = pair.measure(calls)
	if !a.dies {
		attacker.kill()
	}
	after := pair.measure(calls / 4)
	r.under.Errors += after.Errors
	r.mib = d.memory()
	switch {
	case d.ended():
		r.harm = "the daemon has ended: " + d.lastWords()
	case r.under.Errors > 0:
		r.harm = "the pair: " + r.under.First + after.First
	case r.mib > float64(a.mostMiB()):
		r.harm = fmt.Sprintf("the daemon takes %.0f MiB; it may take %d", r.mib, a.mostMiB())
	case p.judge && ratio(r.under.Median, r.usual.Median) > 2:
		r.harm = slow + ": the median"
	case p.judge && ratio(r.under.Worst, max(20*r.usual.Median, 2*r.usual.Worst)) > 1:
		r.harm = slow + ": the worst"
	}
	return r
}
