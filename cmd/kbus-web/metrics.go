package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/metrics"
	"kbus.example/kbus/internal/web"
	"kbus.example/kbus/message"
)

// kbus-web metrics: the figures of the buses for Prometheus, printed once or served. What they are is internal/metrics; here
// are the buses, the taps, and the address.

type metering struct {
	*line
	listen   string
	insecure bool
	config   metrics.Config
	form     metricsForm
}

func metricsCommand(l *line) *cobra.Command {
	m := &metering{line: l}
	c := &cobra.Command{
		Use:   "metrics",
		Short: "print figures for Prometheus, or serve them",
		Long: `metrics prints the figures of the buses as Prometheus and OpenMetrics read them:
Ksocks, bindings, queues, Requests that are not answered, messages missed.

With --listen it serves them at /metrics, and taps the buses meanwhile: then there
are counts of messages, bytes, copies reached and skipped, refused sends, and how
long answers take. Only names that match a --name are labels of their own; all
others are counted together, for each label is a series that somebody must store.

It tells of all buses, or of that given with --bus.`,
		Example: `kbus-web metrics
kbus-web metrics --listen 127.0.0.1:9464 --name '$.Door.*' --name '$.Lamp.*'
kbus-web metrics --format prometheus | curl --data-binary @- http://127.0.0.1:9091/metrics/job/kbus`,
		Args: cli.Takes(),
	}
	f := c.Flags()
	f.StringVar(&m.listen, "listen", "", "serve the figures at `HOST:PORT`")
	f.BoolVar(&m.insecure, "insecure", false, "--listen may be an address that other machines reach: everybody there can read the figures")
	labelFlags(f, &m.config)
	f.Var(&m.form, "format", "openmetrics or prometheus, when they are printed")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(metricsForms[:], cobra.ShellCompDirectiveNoFileComp))
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := m.check(cmd); err != nil {
			return err
		}
		buses := l.chosen(cmd)
		ctx, done := cli.UntilSignal(cmd.Context())
		defer done()
		if m.listen == "" {
			return m.print(ctx, buses)
		}
		return m.serve(ctx, buses)
	}
	return c
}

func (m *metering) check(cmd *cobra.Command) error {
	if err := checkLabels(&m.config); err != nil {
		return err
	}
	if m.listen == "" {
		if len(m.config.Names) > 0 || m.insecure {
			return cli.Misused("--name and --insecure are for --listen: what is printed once has no counts of messages")
		}
		return nil
	}
	host, _, err := net.SplitHostPort(m.listen)
	if err != nil {
		return cli.Misused(fmt.Sprintf("--listen %s: it must be HOST:PORT, such as 127.0.0.1:9464", m.listen))
	}
	if !web.IsLoopback(host) && !m.insecure {
		return cli.Misused(fmt.Sprintf("--listen %s: other machines reach that address, and the figures are for everybody who does: "+
			"listen at 127.0.0.1 and put a server with TLS before it, or say --insecure if that is meant", m.listen))
	}
	return nil
}

// labelFlags are those that say what is counted apart.
func labelFlags(f *pflag.FlagSet, c *metrics.Config) {
	f.StringArrayVar(&c.Names, "name", nil, "`NAMES` that are labels of figures: a name, or one that ends in '%' or '*'; may be repeated")
	f.IntVar(&c.Most, "names", 100, "names at most that are labels, of each bus")
	f.IntVar(&c.Ksocks, "ksocks", 100, "Ksocks at most that have figures, of each bus, those with the longest queues")
}

func checkLabels(c *metrics.Config) error {
	for _, name := range c.Names {
		if fault := message.CheckBinding(name); fault != message.OK {
			return cli.Misused(fmt.Sprintf("--name %q: %s", name, message.NameFault([]byte(name), false, true)))
		}
	}
	if c.Most < 1 {
		return cli.Misused("--names must be 1 or more")
	}
	if c.Ksocks < 1 {
		c.Ksocks = -1
	}
	return nil
}

// print asks the buses once.
func (m *metering) print(ctx context.Context, buses []uint32) error {
	registry := prometheus.NewRegistry()
	for _, bus := range buses {
		number := kbus.BusNumber(bus)
		report, err := m.report(ctx, number)
		if err != nil {
			return err
		}
		registry.MustRegister(&metrics.Collector{Number: number, Report: func() (metrics.Report, error) { return report, nil }})
	}
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	var text bytes.Buffer
	form := expfmt.NewFormat(m.form.kind())
	out := expfmt.NewEncoder(&text, form)
	for _, f := range families {
		if err := out.Encode(f); err != nil {
			return err
		}
	}
	if end, ok := out.(expfmt.Closer); ok { // which writes the last line that OpenMetrics wants
		if err := end.Close(); err != nil {
			return err
		}
	}
	_, err = m.Out.Write(text.Bytes())
	return err
}

// serve serves the figures until ctx ends.
func (m *metering) serve(ctx context.Context, buses []uint32) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", m.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", m.listen, err)
	}
	registry := prometheus.NewRegistry()
	for _, bus := range buses {
		number, seen := kbus.BusNumber(bus), metrics.New(m.config)
		registry.MustRegister(&metrics.Collector{Bus: seen, Number: number, Report: func() (metrics.Report, error) { return m.report(ctx, number) }})
		go m.lookAgain(ctx, number, func(ctx context.Context, o *kbus.Observer) error { return tap(ctx, o, seen) }, func(string) {})
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", figuresOf(registry))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "kbus-web: the figures are at /metrics")
	})
	m.remark(fmt.Sprintf("figures at http://%s/metrics", listener.Addr()))
	host, _, _ := net.SplitHostPort(m.listen) // which has been checked
	return web.Serve(ctx, listener, nil, web.Guard(web.Config{Loopback: web.IsLoopback(host)}, mux), m.complaints())
}

// figuresOf serves the figures that are registered.
func figuresOf(registry *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: 4, Timeout: 2 * patience})
}

// tap counts until the bus is gone.
func tap(ctx context.Context, o *kbus.Observer, seen *metrics.Bus) error {
	defer seen.Seen(false)
	events, err := o.Tap(ctx, kbus.TapFilter{MaxData: -1})
	if err != nil {
		return err
	}
	seen.Seen(true)
	for e, err := range events {
		if err != nil {
			return err
		}
		seen.Add(e)
	}
	return nil
}

// metricsForm is how the figures are printed.
type metricsForm string

var metricsForms = [...]string{"openmetrics", "prometheus"}

func (f *metricsForm) String() string { return cmp.Or(string(*f), metricsForms[0]) }
func (*metricsForm) Type() string     { return "FORMAT" }
func (f *metricsForm) Set(text string) error {
	for _, form := range metricsForms {
		if text == form {
			*f = metricsForm(text)
			return nil
		}
	}
	return fmt.Errorf("it must be %s", strings.Join(metricsForms[:], " or "))
}

func (f *metricsForm) kind() expfmt.FormatType {
	if *f == "prometheus" {
		return expfmt.TypeTextPlain
	}
	return expfmt.TypeOpenMetrics
}
