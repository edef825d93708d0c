// Command mutants shows that the tests would notice. It breaks the code in many small ways, one at a time, each as somebody
// might by mistake, and runs the tests that ought to fail. A mutant that they let live is a hole in the tests, or a change
// that makes no difference, which mutants.txt then says of it.
//
// Nothing in the tree is written: the broken file is laid over the right one for one run of the go command (-overlay). What
// does not compile, or does not apply any more because the code has changed, is an error: mend mutants.txt.
//
// -sample N takes a random N of them, -seed (or SEED) repeats a choice. -j tries several at a time, -budget begins no more
// of them after a while. The last line says how it went; the exit status is 0 if every mutant was killed but those that are
// explained, and at least 95 in 100:
//
//	mutants: N killed N survived N
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

func main() { os.Exit(run()) }

func run() int {
	table := flag.String("table", "test/mutants/mutants.txt", "the mutants")
	sample := flag.Int("sample", 0, "take so many of them; 0 is all")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the sample; SEED in the environment is the same")
	only := flag.String("only", "", "those with this text in their description or file")
	apply := flag.Bool("apply", false, "only see whether all of them apply, and compile")
	jobs := flag.Int("j", 1, "try so many at a time")
	budget := flag.Duration("budget", 0, "begin none after so long; 0 is no limit")
	flag.Parse()
	if n, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		*seed = n
	}
	all, err := read(*table)
	if err != nil {
		return fail(err)
	}
	if *apply {
		return applyAll(all)
	}
	for _, m := range all {
		if _, err := m.broken(); err != nil {
			return fail(err)
		}
	}
	all = slices.DeleteFunc(all, func(m mutant) bool { return !strings.Contains(m.about+m.file, *only) })
	if *sample > 0 && *sample < len(all) {
		fmt.Printf("%d of %d mutants, seed %d\n", *sample, len(all), *seed)
		some := make([]mutant, 0, *sample)
		for _, i := range rand.New(rand.NewPCG(*seed, 0)).Perm(len(all))[:*sample] {
			some = append(some, all[i])
		}
		all = some
	}
	tried := tryAll(all, *jobs, *budget)
	return judge(tried, len(all), *sample > 0)
}

// applyAll says whether all of them apply and compile, and if not, of each that does not.
func applyAll(all []mutant) (status int) {
	c, err := newCompiled()
	if err != nil {
		return fail(err)
	}
	for i := range all {
		broken, err := all[i].broken()
		if err == nil {
			err = c.check(&all[i], broken)
		}
		if err != nil {
			status = fail(err)
		}
	}
	if status == 0 {
		fmt.Printf("all %d mutants apply and compile\n", len(all))
	}
	return status
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, "mutants:", err)
	return 1
}

// tried is what became of a mutant.
type tried struct {
	mutant
	verdict verdict
	said    string
	took    time.Duration
}

// tryAll tries the mutants, several at a time, and says how each went. It ends early when time is up, when it is
// interrupted, and with the first that does not compile.
func tryAll(all []mutant, jobs int, budget time.Duration) (done []tried) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	begin, end := ctx, func() {}
	if budget > 0 {
		begin, end = context.WithTimeout(ctx, budget)
	}
	defer end()
	next := make(chan mutant)
	results := make(chan tried)
	var workers sync.WaitGroup
	for range max(1, jobs) {
		workers.Go(func() {
			for m := range next {
				began := time.Now()
				verdict, said := m.try(ctx)
				results <- tried{m, verdict, said, time.Since(began)}
			}
		})
	}
	go func() {
		for _, m := range all {
			select {
			case next <- m:
				continue
			case <-begin.Done():
			}
			break
		}
		close(next)
		workers.Wait()
		close(results)
	}()
	for t := range results {
		if ctx.Err() != nil {
			continue // of what was broken off nothing is known
		}
		done = append(done, t)
		fmt.Printf("%3d/%d %4.0fs  %-28s %s: %s\n", len(done), len(all), t.took.Seconds(), t.place(), t.about, t.outcome())
		if t.verdict == noBuild {
			stop()
		}
	}
	return done
}

func (t *tried) outcome() string {
	switch {
	case t.verdict == noBuild:
		return "DOES NOT COMPILE\n" + t.said
	case t.verdict == dead && t.explained != "":
		return t.said + ", though it should survive: " + t.explained
	case t.verdict == dead:
		return t.said
	case t.explained == "":
		return "SURVIVED"
	}
	return "survived: " + t.explained
}

// judge says how it went in all, and gives the exit status.
func judge(done []tried, all int, sample bool) (status int) {
	killed := 0
	for i := range done {
		switch t := &done[i]; {
		case t.verdict == dead:
			killed++
		case t.verdict == noBuild || t.explained == "":
			status = 1
		}
	}
	if rest := all - len(done); rest > 0 {
		fmt.Printf("%d were not tried\n", rest)
		if !sample {
			status = 1
		}
	}
	fmt.Printf("mutants: %d killed %d survived %d\n", len(done), killed, len(done)-killed)
	if !sample && killed*100 < len(done)*95 || len(done) == 0 {
		status = 1
	}
	return status
}
