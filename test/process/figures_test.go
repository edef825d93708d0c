package process

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// Figures are printed and, with -process.figures=FILE, appended to a table. No test depends on them: they say how this
// machine was at that moment.
func publish(t testing.TB, what, format string, args ...any) {
	t.Helper()
	figure := fmt.Sprintf(format, args...)
	t.Logf("%s: %s", what, figure)
	if *figuresFlag == "" {
		return
	}
	f, err := os.OpenFile(*figuresFlag, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	must(t, err)
	_, err = fmt.Fprintf(f, "| %s | %s |\n", what, figure)
	must(t, err)
	must(t, f.Close())
}

type durations []time.Duration

// String gives how long it took in half of all cases, in all but one of a hundred, and at most.
func (d durations) String() string {
	if len(d) == 0 {
		return "never"
	}
	s := slices.Sorted(slices.Values(d))
	round := func(d time.Duration) time.Duration { return d.Round(10 * time.Microsecond) }
	return fmt.Sprintf("median %v, 99%% %v, most %v", round(s[len(s)/2]), round(s[len(s)*99/100]), round(s[len(s)-1]))
}
