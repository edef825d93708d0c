package metrics

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/plain"
)

// Report is what a bus says of itself when the figures are asked for.
type Report struct {
	Info   kbus.BusInfo
	Ksocks []kbus.KsockInfo
}

// Collector gives the figures of a bus, as of the moment when it is asked. Report may fail; then the bus is not up. With
// counts of a tap that does not run it would tell of zeros, so without one they are left out.
type Collector struct {
	Bus    *Bus // nil: no tap
	Number kbus.BusNumber
	Report func() (Report, error)
}

type descriptions map[string]*prometheus.Desc

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("kbus_"+name, help, append([]string{"bus"}, labels...), nil)
}

// Counters end in _total, times are in seconds and lengths in bytes, as is the custom.
var described = descriptions{
	"up":        describe("up", "Whether the bus can be seen."),
	"ksocks":    describe("ksocks", "Ksocks that are open."),
	"bindings":  describe("bindings", "Bindings."),
	"repliers":  describe("repliers", "Bindings as Replier."),
	"clients":   describe("connections", "Connections to the daemon, those without a Ksock among them."),
	"queued":    describe("queued", "Messages in all queues."),
	"sending":   describe("sending", "Messages that wait until all have room for them."),
	"kqueued":   describe("ksock_queued", "Messages in the queue of a Ksock.", "ksock", "pid", "program"),
	"kmost":     describe("ksock_queue_limit", "Messages that may be in it.", "ksock", "pid", "program"),
	"kopen":     describe("ksock_outstanding", "Requests of a Ksock that are not answered yet.", "ksock", "pid", "program"),
	"kowes":     describe("ksock_unreplied", "Requests that a Ksock has taken and not answered yet.", "ksock", "pid", "program"),
	"kmissed":   describe("ksock_missed_total", "Messages that a Ksock did not get because its queue was full.", "ksock", "pid", "program"),
	"ksent":     describe("ksock_sent_total", "Messages that a Ksock has sent since the tap began.", "ksock", "pid", "program"),
	"kbytes":    describe("ksock_sent_bytes_total", "Bytes of their data.", "ksock", "pid", "program"),
	"kreached":  describe("ksock_reached_total", "Copies of them that were queued.", "ksock", "pid", "program"),
	"kskipped":  describe("ksock_skipped_total", "Copies of them that were not, because the queue was full.", "ksock", "pid", "program"),
	"koldest":   describe("ksock_oldest_seconds", "How long a Ksock has owed the answer that it has owed longest.", "ksock", "pid", "program"),
	"messages":  describe("messages_total", "Messages that the bus accepted, and Statuses that it sent.", "kind", "name"),
	"bytes":     describe("data_bytes_total", "Bytes of data of messages accepted.", "name"),
	"reached":   describe("reached_total", "Copies queued.", "name"),
	"skipped":   describe("skipped_total", "Copies not queued because the queue was full.", "name"),
	"refused":   describe("refused_total", "Sends that were refused, by condition.", "condition"),
	"answers":   describe("answer_seconds", "Time from a Request to its Reply or Status.", "name"),
	"waiting":   describe("unanswered", "Requests sent since the tap began that are not answered yet."),
	"oldest":    describe("unanswered_oldest_seconds", "How long the oldest of them has waited."),
	"binds":     describe("bindings_made_total", "Bindings made since the tap began."),
	"opens":     describe("ksocks_opened_total", "Ksocks opened since the tap began."),
	"notSeen":   describe("tap_missed_total", "Events that the tap was too slow for: the counts lack them."),
	"truncated": describe("ksocks_not_shown", "Ksocks with shorter queues than those that are shown."),
}

// Describe tells nothing beforehand: collectors of several buses have their figures in common, and the bus is a label.
func (c *Collector) Describe(chan<- *prometheus.Desc) {}

// Collect asks the bus for its report, and gives all figures.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	w := writer{to: to, bus: strconv.FormatUint(uint64(c.Number), 10)}
	r, err := c.Report()
	up := err == nil
	if c.Bus != nil {
		c.Bus.mu.Lock()
		defer c.Bus.mu.Unlock()
		up = up && c.Bus.up
		w.counts(c.Bus)
	}
	w.gauge("up", bit(up))
	if err != nil {
		return
	}
	w.info(r.Info)
	w.ksocks(r.Ksocks, c.Bus)
}

type writer struct {
	to  chan<- prometheus.Metric
	bus string
}

func (w *writer) gauge(which string, v float64, labels ...string) {
	w.to <- prometheus.MustNewConstMetric(described[which], prometheus.GaugeValue, v, append([]string{w.bus}, labels...)...)
}

func (w *writer) counter(which string, v uint64, labels ...string) {
	w.to <- prometheus.MustNewConstMetric(described[which], prometheus.CounterValue, float64(v), append([]string{w.bus}, labels...)...)
}

func (w *writer) info(i kbus.BusInfo) {
	w.gauge("ksocks", float64(i.Ksocks))
	w.gauge("bindings", float64(i.Bindings))
	w.gauge("repliers", float64(i.Repliers))
	w.gauge("clients", float64(i.Connections))
	w.gauge("queued", float64(i.Queued))
	w.gauge("sending", float64(i.Sending))
}

// ksocks tells of those with the longest queues, and of how many it does not. b may be nil, for no tap.
func (w *writer) ksocks(all []kbus.KsockInfo, b *Bus) {
	most, oldest := 100, map[kbus.KsockID]time.Duration{}
	if b != nil {
		b.ksocks.keep(all)
		most, oldest = b.config.Ksocks, b.requests.oldest(time.Now())
	}
	slices.SortFunc(all, func(a, b kbus.KsockInfo) int {
		return cmp.Or(cmp.Compare(b.Queued, a.Queued), cmp.Compare(a.Ksock, b.Ksock))
	})
	shown := all[:min(len(all), max(most, 0))]
	for _, k := range shown {
		labels := []string{strconv.FormatUint(uint64(k.Ksock), 10), strconv.Itoa(int(k.PID)), plain.Text(k.Program)}
		w.gauge("kqueued", float64(k.Queued), labels...)
		w.gauge("kmost", float64(k.MaxMessages), labels...)
		w.gauge("kopen", float64(k.Outstanding), labels...)
		w.gauge("kowes", float64(k.Unreplied), labels...)
		w.counter("kmissed", k.Missed, labels...)
		if b == nil || !b.up {
			continue
		}
		s := cmp.Or(b.ksocks[k.Ksock], &sent{})
		w.counter("ksent", s.messages, labels...)
		w.counter("kbytes", s.bytes, labels...)
		w.counter("kreached", s.reached, labels...)
		w.counter("kskipped", s.skipped, labels...)
		w.gauge("koldest", oldest[k.Ksock].Seconds(), labels...)
	}
	w.gauge("truncated", float64(len(all)-len(shown)))
}

func (w *writer) counts(b *Bus) {
	for of, n := range b.names {
		for kind, count := range map[string]uint64{
			"announcement": n.announcements, "request": n.requests, "reply": n.replies, "status": n.statuses,
		} {
			if count > 0 {
				w.counter("messages", count, kind, of)
			}
		}
		w.counter("bytes", n.bytes, of)
		w.counter("reached", n.reached, of)
		w.counter("skipped", n.skipped, of)
		if n.answers == 0 {
			continue
		}
		w.to <- prometheus.MustNewConstHistogram(described["answers"], n.answers, n.answering.Seconds(), n.buckets(), w.bus, of)
	}
	for condition, n := range b.refused {
		w.counter("refused", n, condition)
	}
	w.gauge("waiting", float64(len(b.requests.open)))
	var oldest time.Duration
	for _, each := range b.requests.oldest(time.Now()) {
		oldest = max(oldest, each)
	}
	w.gauge("oldest", oldest.Seconds())
	w.counter("opens", b.events[kbus.EventOpened])
	w.counter("binds", b.events[kbus.EventBound])
	w.counter("notSeen", b.missed)
}

func bit(on bool) float64 {
	if on {
		return 1
	}
	return 0
}
