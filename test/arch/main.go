// Command arch runs KBUS on other machines, emulated by qemu: of 32 and of 64 bits, of either byte order, and one whose
// words of 64 bits are not atomic between processes. What comes out must be what comes out here, and programs of
// different machines talk through one daemon.
//
//	go run ./test/arch [-short] [machine...]
//
// -short replays some of the recordings only.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"
)

// machine is one to be compared with this one.
type machine struct {
	name   string
	arch   string // as Go calls it
	cc     string // prefix of its C compiler, and the directory of its C library
	qemu   string // "" for this machine
	big    bool   // the other byte order: then shared memory is not for both
	local  bool   // bytes or numbers of errors are others than here, so recordings are replayed with a daemon of its own
	claims int    // between two processes
}

var here = machine{name: "here", claims: 200_000}

var machines = []machine{
	{name: "arm", arch: "arm", cc: "arm-linux-gnueabihf", qemu: "qemu-arm-static", claims: 200_000},
	{name: "mipsle", arch: "mipsle", cc: "mipsel-linux-gnu", qemu: "qemu-mipsel-static", local: true, claims: 3_000_000},
	{name: "riscv64", arch: "riscv64", cc: "riscv64-linux-gnu", qemu: "qemu-riscv64-static", claims: 200_000},
	{name: "s390x", arch: "s390x", cc: "s390x-linux-gnu", qemu: "qemu-s390x-static", big: true, local: true, claims: 200_000},
}

// trial is something that has an outcome, which is the same on every machine.
type trial struct {
	name string
	run  func(w *workshop, m *machine) (outcome string)
}

var trials = []trial{
	{"tests of the rings", (*workshop).ringTests},
	{"claims between two processes", (*workshop).claims},
	{"a program in C", (*workshop).program},
	{"kbus with kbusd of its own", (*workshop).alone},
	{"kbus of both machines, with kbusd of the other", (*workshop).there},
	{"kbus of both machines, with kbusd of this one", (*workshop).withUs},
	{"C and Go of both machines, with kbusd of this one", (*workshop).languages},
	{"recordings, by the C library", (*workshop).recordings},
}

func main() {
	short := flag.Bool("short", false, "replay some of the recordings only")
	flag.Parse()
	w, err := newWorkshop(*short)
	if err != nil {
		fatal(err)
	}
	defer os.RemoveAll(w.dir)
	var wants []func() string // what comes out here
	for _, t := range trials {
		wants = append(wants, sync.OnceValue(func() string { return t.run(w, &here) }))
	}
	var all tally
	var done sync.WaitGroup
	turn := make(chan bool, runtime.NumCPU()) // most of what is emulated keeps one processor busy
	for i := range machines {
		m := &machines[i]
		if flag.NArg() > 0 && !slices.Contains(flag.Args(), m.name) {
			continue
		}
		all.run++
		done.Go(func() {
			turn <- true
			defer func() { <-turn }()
			if err := w.equip(m); err != nil {
				os.RemoveAll(w.dir)
				fatal(err)
			}
			for i, t := range trials {
				all.compare(m, t, w, wants[i])
			}
		})
	}
	done.Wait()
	fmt.Printf("architectures: %d run, %d outcomes equal, %d different\n", all.run, all.equal, all.different)
	if all.different > 0 || all.run == 0 {
		os.RemoveAll(w.dir)
		os.Exit(1)
	}
}

// tally counts outcomes.
type tally struct {
	sync.Mutex
	run, equal, different int
}

// compare tries something on a machine, and says what has come out.
func (all *tally) compare(m *machine, t trial, w *workshop, wanted func() string) {
	want := wanted()
	began := time.Now()
	got := t.run(w, m)
	took := time.Since(began).Round(time.Second)
	all.Lock()
	defer all.Unlock()
	if got == want && want != "" {
		all.equal++
		fmt.Printf("%-8s %s: %s (%v)\n", m.name, t.name, got, took)
		return
	}
	all.different++
	fmt.Printf("%-8s %s: DIFFERENT (%v)\nhere:\n%s\nthere:\n%s\n", m.name, t.name, took, want, got)
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "arch:", err)
	os.Exit(2)
}

// module is the directory that we are run in.
func module() string {
	dir, err := os.Getwd()
	if err != nil {
		fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		fatal(fmt.Errorf("run it in the directory of the module: %w", err))
	}
	return dir
}
