package show

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"kbus.example/kbus/internal/gauge"
)

// Figures in words, for a terminal: a line for each measurement, and bars under round trips.

type roundTrips struct {
	*gauge.RoundTrips
	step
}

func (r *roundTrips) perSecond() float64 { return float64(time.Second) / float64(max(r.Mean, 1)) }

func (r *roundTrips) words(o *Options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s µs, 99 %% within %s µs, %s a second\n",
		r.title(), micros(r.Quantile(0.5)), micros(r.Quantile(0.99)), grouped(r.perSecond()))
	bars(&b, o, r.Histogram(2), len(r.Times))
	return b.String()
}

type throughput struct {
	*gauge.Throughput
	step
}

func (t *throughput) perSecond() float64 { return t.Messages() }

func (t *throughput) words(*Options) string {
	return fmt.Sprintf("%s: %s messages a second, %s MiB/s received\n", t.title(), grouped(t.Messages()),
		grouped(t.Deliveries()*float64(t.size)/(1<<20)))
}

const block = "█"

// bars draws a histogram. What is beyond the last bar of at least one in a thousand is one line.
func bars(b *strings.Builder, o *Options, list []gauge.Bar, all int) {
	most, last := 0, 0
	for i, bar := range list {
		most = max(most, bar.Count)
		if bar.Count*1000 >= all {
			last = i
		}
	}
	const beside = 32 // columns for the figures
	width := max(o.width()-beside, 10)
	rest := 0
	for i, bar := range list {
		if i > last {
			rest += bar.Count
			continue
		}
		fmt.Fprintf(b, "%8s – %5s µs %7s %s\n", micros(bar.From), micros(bar.To), share(bar.Count, all),
			strings.Repeat(block, (bar.Count*width+most-1)/most))
	}
	if rest > 0 {
		fmt.Fprintf(b, "   above that        %7s\n", share(rest, all))
	}
}

// share is a part in percent.
func share(part, all int) string {
	if part == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f%%", 100*float64(part)/float64(all))
}

func (o *Options) width() int {
	if o.Columns > 0 {
		return o.Columns
	}
	return 80
}

// bar draws progress, at most as often as it can be seen to move. It gives nil where there is no terminal.
func (o *Options) bar(title string) func(done, of int) {
	if o.Progress == nil {
		return nil
	}
	const width = 30
	before := -1
	return func(done, of int) {
		if n := done * width / of; n != before {
			before = n
			fmt.Fprintf(o.Progress, "\r\x1b[K%s %s%s", title, strings.Repeat(block, n), strings.Repeat("·", width-n))
		}
	}
}

func sizeName(n int) string {
	if n >= 1024 && n%1024 == 0 {
		return fmt.Sprintf("%d KiB", n/1024)
	}
	return fmt.Sprintf("%d B", n)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func micros(d time.Duration) string {
	us := float64(d) / float64(time.Microsecond)
	if us < 99.95 {
		return fmt.Sprintf("%.1f", us)
	}
	return fmt.Sprintf("%.0f", us)
}

// grouped is a whole number with a thin gap after each thousand; small ones keep a place behind the point.
func grouped(v float64) string {
	if v < 99.95 {
		return fmt.Sprintf("%.1f", v)
	}
	digits := strconv.FormatInt(int64(v), 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + " " + digits[i:]
	}
	return digits
}
