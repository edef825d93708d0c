package gauge

import (
	"fmt"
	"math"
	"time"
)

// Figures are printed as one line of JSON each, for programs: peer names what was measured, times are in microseconds.

// Line is the figures as JSON.
func (r *RoundTrips) Line(peer string) string {
	return fmt.Sprintf(`{"peer":%q,"test":"rtt","size":%d,"n":%d,"min_us":%.2f,"p50_us":%.2f,"p99_us":%.2f,`+
		`"mean_us":%.2f,"cpu_us":%.2f,"broker_cpu_us":%.2f}`,
		peer, r.Plan.Size, r.Plan.Count, us(r.Times[0]), us(r.Quantile(0.5)), us(r.Quantile(0.99)),
		us(r.Mean), us(r.CPU), us(r.Broker))
}

// Line is the figures as JSON.
func (t *Throughput) Line(peer string) string {
	n := float64(t.Plan.Count)
	return fmt.Sprintf(`{"peer":%q,"test":"pub","size":%d,"consumers":%d,"window":%d,"n":%d,"msg_s":%.0f,`+
		`"deliveries_s":%.0f,"mib_s":%.1f,"cpu_us":%.3f,"broker_cpu_us":%.3f}`,
		peer, t.Plan.Size, t.Plan.Consumers, t.Plan.Window, t.Plan.Count, t.Messages(), t.Deliveries(),
		t.Deliveries()*float64(t.Plan.Size)/(1<<20), us(t.CPU)/n, us(t.Broker)/n)
}

// Line is the figures as JSON.
func (m *Memory) Line(peer string) string {
	return fmt.Sprintf(`{"peer":%q,"test":"mem","clients":%d,"rss_idle_kib":%d,"rss_kib":%d,"pss_idle_kib":%d,`+
		`"pss_kib":%d,"dirty_idle_kib":%d,"dirty_kib":%d}`,
		peer, m.Plan.Clients, m.Before.Rss, m.With.Rss, m.Before.Pss, m.With.Pss, m.Before.Dirty, m.With.Dirty)
}

func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// A Bar is one line of a histogram.
type Bar struct {
	From, To time.Duration // round trips that took From or longer, but less than To
	Count    int
}

// Histogram counts the round trips in bars, each twice as wide in time as the one before divided by steps: 2 steps to a
// doubling show a shape, 4 show details. Empty bars before the first and after the last are left out.
func (r *RoundTrips) Histogram(stepsPerDoubling int) []Bar {
	edge := func(i int) time.Duration {
		return time.Duration(1000 * math.Exp2(float64(i)/float64(stepsPerDoubling)))
	}
	var bars []Bar
	at, i := 0, 0
	for edge(i) > r.Times[0] {
		i--
	}
	for ; at < len(r.Times); i++ {
		bar := Bar{From: edge(i), To: edge(i + 1)}
		for at < len(r.Times) && r.Times[at] < bar.To {
			bar.Count++
			at++
		}
		if len(bars) > 0 || bar.Count > 0 {
			bars = append(bars, bar)
		}
	}
	return bars
}
