package metrics

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"kbus.example/kbus"
)

// seen are the figures of a bus in this process, on which everything that do does has been seen.
func seen(t *testing.T, c Config, do func(*kbus.Bus)) (*Bus, *kbus.Bus) {
	t.Helper()
	b, of := kbus.NewBus(), New(c)
	t.Cleanup(func() { _ = b.Close() })
	k := opened(t, b)
	events, err := k.Observer().Tap(t.Context(), kbus.TapFilter{MaxData: -1})
	must(t, err)
	of.Seen(true)
	do(b)
	_, err = k.Send(t.Context(), kbus.Announcement("$.TheEnd", ""))
	must(t, err)
	for e, err := range events {
		must(t, err)
		if e.Message.Name == "$.TheEnd" {
			break
		}
		of.Add(e)
	}
	return of, b
}

// opened is a Ksock that stays open until the test ends; one that nothing refers to any more would be closed.
func opened(t *testing.T, b *kbus.Bus) *kbus.Ksock {
	t.Helper()
	k, err := b.Open(t.Context())
	must(t, err)
	t.Cleanup(func() { _ = k.Close() })
	return k
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// value is that of one series, as the text says it; "" if there is none.
func value(t *testing.T, c *Collector, series string) string {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	must(t, r.Register(c))
	families, err := r.Gather()
	must(t, err)
	var text strings.Builder
	for _, f := range families {
		_, err := expfmt.MetricFamilyToText(&text, f)
		must(t, err)
	}
	for line := range strings.Lines(text.String()) {
		if rest, ok := strings.CutPrefix(line, "kbus_"+series+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

func nothing() (Report, error) { return Report{}, nil }

// Messages are counted by name and kind where the name is one of those that somebody wants to see, and together otherwise.
func TestCounts(t *testing.T) {
	of, _ := seen(t, Config{Names: []string{"$.Lamp.*"}}, func(b *kbus.Bus) {
		r := opened(t, b)
		must(t, r.Bind(t.Context(), "$.Lamp.Set", kbus.Replier))
		slow := opened(t, b)
		must(t, slow.Bind(t.Context(), "$.Lamp.*", kbus.Listener))
		_, err := slow.Queue().SetLimit(t.Context(), 1)
		must(t, err)
		go r.Serve(t.Context(), func(_ context.Context, m *kbus.Message) (*kbus.Message, error) { return m.Reply([]byte("done")) })
		k := opened(t, b)
		for range 3 {
			_, err = k.Call(t.Context(), kbus.Request("$.Lamp.Set", "on"))
			must(t, err)
		}
		_, err = k.Send(t.Context(), kbus.Request("$.Lamp.None", ""))
		if !errors.Is(err, kbus.ErrNoReplier) {
			t.Fatal(err)
		}
		for i := range 5 {
			_, err = k.Send(t.Context(), kbus.Announcement(fmt.Sprintf("$.Door.N%d", i), "12345"))
			must(t, err)
		}
	})
	c := &Collector{Bus: of, Report: nothing}
	for series, want := range map[string]string{
		`messages_total{bus="0",kind="request",name="$.Lamp.Set"}`:         "3",
		`messages_total{bus="0",kind="reply",name="$.Lamp.Set"}`:           "3",
		`messages_total{bus="0",kind="announcement",name="(other names)"}`: "5",
		`data_bytes_total{bus="0",name="(other names)"}`:                   "25",
		`data_bytes_total{bus="0",name="$.Lamp.Set"}`:                      "18",
		`skipped_total{bus="0",name="$.Lamp.Set"}`:                         "5", // a queue of one, and it is not read
		`refused_total{bus="0",condition="ErrNoReplier"}`:                  "1",
		`answer_seconds_count{bus="0",name="$.Lamp.Set"}`:                  "3",
		`answer_seconds_bucket{bus="0",name="$.Lamp.Set",le="+Inf"}`:       "3",
		`unanswered{bus="0"}`:                                              "0",
		`up{bus="0"}`:                                                      "1",
		`tap_missed_total{bus="0"}`:                                        "0",
		`messages_total{bus="0",kind="announcement",name="$.Door.N1"}`:     "",
		`answer_seconds_count{bus="0",name="(other names)"}`:               "",
	} {
		if got := value(t, c, series); got != want {
			t.Errorf("%s is %q, want %q", series, got, want)
		}
	}
}

// A Request that nobody answers is shown with its age, until events were missed: its answer may be among them.
func TestUnanswered(t *testing.T) {
	of, _ := seen(t, Config{}, func(b *kbus.Bus) {
		r := opened(t, b)
		must(t, r.Bind(t.Context(), "$.Lamp.Set", kbus.Replier))
		_, err := r.Send(t.Context(), kbus.Request("$.Lamp.Set", "on"))
		must(t, err)
	})
	c := &Collector{Bus: of, Report: nothing}
	if n, oldest := value(t, c, `unanswered{bus="0"}`), value(t, c, `unanswered_oldest_seconds{bus="0"}`); n != "1" || oldest == "0" {
		t.Errorf("%s are unanswered, the oldest for %s s", n, oldest)
	}
	of.Add(&kbus.Event{Event: kbus.EventLost, Lost: 7})
	of.Add(&kbus.Event{Event: kbus.EventOpened, Lost: 1})
	if n, missed := value(t, c, `unanswered{bus="0"}`), value(t, c, `tap_missed_total{bus="0"}`); n != "0" || missed != "8" {
		t.Errorf("%s are unanswered after %s events were missed", n, missed)
	}
	of.Seen(false)
	if up := value(t, c, `up{bus="0"}`); up != "0" {
		t.Errorf("up is %s", up)
	}
}

// What a Ksock asked that has gone is not unanswered, for nobody waits; other Requests are, and by whom the Replier is now.
func TestAskerGone(t *testing.T) {
	var replier kbus.KsockID
	of, _ := seen(t, Config{}, func(b *kbus.Bus) {
		r := opened(t, b)
		replier = r.ID()
		must(t, r.Bind(t.Context(), "$.Lamp.Set", kbus.Replier))
		for _, stays := range []bool{false, true} {
			k := opened(t, b)
			_, err := k.Send(t.Context(), kbus.Request("$.Lamp.Set", "on"))
			must(t, err)
			if !stays {
				must(t, k.Close())
			}
		}
	})
	c := &Collector{Bus: of, Report: nothing}
	if n := value(t, c, `unanswered{bus="0"}`); n != "1" {
		t.Errorf("%s are unanswered, want 1", n)
	}
	for q := range of.requests.open {
		taken := &kbus.Event{Event: kbus.EventTaken}
		taken.ID, taken.From, taken.By.Ksock = q.id, q.by, replier+100
		of.Add(taken)
	}
	if oldest := of.requests.oldest(time.Now()); len(oldest) != 1 || oldest[replier+100] == 0 {
		t.Errorf("who has taken it does not owe it: %v", oldest)
	}
}

// Two Ksocks may choose the same id: each Request has its own answer.
func TestSameIDOfTwoAskers(t *testing.T) {
	r := newRequests()
	id := kbus.ID{Network: 7, Serial: 1}
	for i, asker := range []kbus.KsockID{1, 2} {
		e := &kbus.Event{Event: kbus.EventSent, By: kbus.Peer{Ksock: asker}, SinceBoot: time.Duration(i) * time.Second}
		e.ID, e.Flags, e.Message.Name = id, kbus.WantAReply, "$.Lamp"
		r.note(e)
	}
	answer := &kbus.Event{Event: kbus.EventSent, SinceBoot: 3 * time.Second}
	answer.ID, answer.InReplyTo, answer.To, answer.Message.Name = kbus.ID{Serial: 5}, id, 1, "$.Lamp"
	if _, lasted := r.note(answer); lasted != 3*time.Second || len(r.open) != 1 || r.askers[1] != 0 || r.askers[2] != 1 {
		t.Errorf("%v, %d are open: %v", lasted, len(r.open), r.askers)
	}
	answer.To = 2
	if _, lasted := r.note(answer); lasted != 2*time.Second || len(r.open) != 0 {
		t.Errorf("%v, %d are open", lasted, len(r.open))
	}
}

// A Ksock's figures: what it has sent, and how long it has owed an answer. They go when it does, even if the tap missed that, and
// a number that is given anew begins anew.
func TestKsocks(t *testing.T) {
	var replier *kbus.Ksock
	of, _ := seen(t, Config{}, func(b *kbus.Bus) {
		replier = opened(t, b)
		must(t, replier.Bind(t.Context(), "$.Lamp.Set", kbus.Replier))
		_, err := replier.Send(t.Context(), kbus.Request("$.Lamp.Set", "on"))
		must(t, err)
		full := opened(t, b)
		_, err = full.Queue().SetLimit(t.Context(), 1)
		must(t, err)
		must(t, full.Bind(t.Context(), "$.Lamp.Is", kbus.Listener))
		for range 2 {
			_, err = replier.Send(t.Context(), kbus.Announcement("$.Lamp.Is", "12345"))
			must(t, err)
		}
		_, err = replier.Send(t.Context(), kbus.Request("$.Nobody", "not accepted"))
		if !errors.Is(err, kbus.ErrNoReplier) {
			t.Fatal(err)
		}
	})
	report := Report{Ksocks: []kbus.KsockInfo{{Party: kbus.Party{Ksock: replier.ID(), PID: 7, Program: "lamp"}}}}
	c := &Collector{Bus: of, Report: func() (Report, error) { return report, nil }}
	labels := fmt.Sprintf(`{bus="0",ksock="%d",pid="7",program="lamp"}`, replier.ID())
	for series, want := range map[string]string{"ksock_sent_total": "3", "ksock_sent_bytes_total": "12", "ksock_reached_total": "2", "ksock_skipped_total": "1"} {
		if got := value(t, c, series+labels); got != want {
			t.Errorf("%s is %q, want %q", series, got, want)
		}
	}
	if oldest := value(t, c, "ksock_oldest_seconds"+labels); oldest == "0" || oldest == "" {
		t.Errorf("the answer has been owed for %q s", oldest)
	}
	was := report.Ksocks
	report.Ksocks = []kbus.KsockInfo{{Party: kbus.Party{Ksock: replier.ID() + 1}}}
	value(t, c, "up")
	if report.Ksocks = was; value(t, c, "ksock_sent_total"+labels) != "0" {
		t.Error("what a Ksock sent is known after a report without it")
	}
	again := &kbus.Event{Event: kbus.EventSent}
	again.By.Ksock = replier.ID()
	of.Add(again)
	for _, step := range []struct {
		up   bool
		want string
	}{{true, "1"}, {false, ""}, {true, "0"}} {
		of.Seen(step.up)
		if got := value(t, c, "ksock_sent_total"+labels); got != step.want {
			t.Errorf("up %v: it has sent %q, want %q", step.up, got, step.want)
		}
	}
}

// However many names and Ksocks there are, there are only so many series.
func TestBounds(t *testing.T) {
	of, b := seen(t, Config{Names: []string{"$.*"}, Most: 3, Ksocks: 2}, func(b *kbus.Bus) {
		for i := range 20 {
			k := opened(t, b)
			_, err := k.Send(t.Context(), kbus.Announcement(fmt.Sprintf("$.N%d", i), ""))
			must(t, err)
		}
	})
	k := opened(t, b)
	c := &Collector{Bus: of, Report: func() (r Report, err error) {
		r.Ksocks, err = k.Observer().List(t.Context())
		return r, err
	}}
	r := prometheus.NewRegistry()
	must(t, r.Register(c))
	for metric, most := range map[string]int{"kbus_messages_total": 4, "kbus_ksock_queued": 2} {
		if n := testutil.CollectAndCount(r, metric); n > most {
			t.Errorf("%d series of %s", n, metric)
		}
	}
	if n := value(t, c, `ksocks_not_shown{bus="0"}`); n != "20" {
		t.Errorf("%s are not shown", n)
	}
}

// notOnTheBoard is what the dashboard does not show, and why.
var notOnTheBoard = map[string]string{
	"kbus_connections":         "kbus_ksocks is what there is to see",
	"kbus_bindings":            "changes too seldom for a plot",
	"kbus_repliers":            "likewise",
	"kbus_bindings_made_total": "likewise",
	"kbus_ksocks_opened_total": "kbus_ksocks shows who stays",
	"kbus_queued":              "a full queue is one Ksock's, which is shown",
	"kbus_sending":             "who waits for room waits for a full queue",
	"kbus_ksock_outstanding":   "who owes the answers is shown",
	"kbus_ksocks_not_shown":    "a remark on the figures of Ksocks",
	"kbus_data_bytes_total":    "the messages are shown",
	"kbus_reached_total":       "what was skipped is shown",
}

// The page and the dashboard know each figure, and no other; names are as Prometheus wants them.
func TestPages(t *testing.T) {
	known := map[string]bool{}
	for _, d := range described {
		name := regexp.MustCompile(`fqName: "(\w+)"`).FindStringSubmatch(d.String())[1]
		known[name] = true
		if problems, err := testutil.GatherAndLint(gatherer(name)); err != nil || len(problems) > 0 {
			t.Errorf("%s: %v %v", name, problems, err)
		}
	}
	page, err := os.ReadFile("../../docs/metrics.md")
	must(t, err)
	board, err := os.ReadFile("../../dist/grafana/kbus.json")
	must(t, err)
	suffix := regexp.MustCompile(`_(bucket|sum|count)$`)
	for _, text := range []string{string(page), string(board)} {
		for _, name := range regexp.MustCompile(`\bkbus_\w+`).FindAllString(text, -1) {
			if !known[name] && !known[suffix.ReplaceAllString(name, "")] {
				t.Errorf("there is no %s", name)
			}
		}
	}
	for name := range known {
		shown := regexp.MustCompile(`\b` + name + `(_bucket)?\b`).Match(board)
		if why := notOnTheBoard[name]; shown == (why != "") {
			t.Errorf("the dashboard shows %s: %v, and notOnTheBoard says %q", name, shown, why)
		}
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/metrics.md does not tell of %s", name)
		}
	}
}

// gatherer gives one figure of that name.
func gatherer(name string) prometheus.Gatherer {
	r := prometheus.NewRegistry()
	o := prometheus.Opts{Name: name, Help: "A figure."}
	switch {
	case strings.HasSuffix(name, "_total"):
		r.MustRegister(prometheus.NewCounter(prometheus.CounterOpts(o)))
	default:
		r.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts(o)))
	}
	return r
}
