package gauge_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"kbus.example/kbus/internal/gauge"
	"kbus.example/kbus/internal/gauge/ksock"
	"kbus.example/kbus/internal/server"
)

// These tests measure a real bus with real processes: this test binary, which starts itself again for each client, and
// a server in the process of the test.
func TestMain(m *testing.M) {
	gauge.Child(newClient)
	os.Exit(m.Run())
}

// faultVariable makes the clients of a measurement bad in one way.
const faultVariable = "GAUGE_TEST_FAULT"

func newClient() gauge.Client {
	return &badClient{Client: &ksock.Client{}, fault: os.Getenv(faultVariable)}
}

// badClient is a client of a bus that does what it should not.
type badClient struct {
	gauge.Client
	fault string
	count int
	kept  []byte
}

var errGone = errors.New("gone")

// when is the message with which the fault shows. It is one after the warm-up.
const when = 120

func (b *badClient) Publish(data []byte) error {
	b.count++
	switch {
	case b.count == when && b.fault == "lost":
		return nil
	case b.count == when && b.fault == "doubled":
		if err := b.Client.Publish(data); err != nil {
			return err
		}
	case b.count == when && b.fault == "swapped":
		b.kept = bytes.Clone(data)
		return nil
	case b.count == when && b.fault == "short":
		data = data[:len(data)-1]
	}
	if err := b.Client.Publish(data); err != nil || b.kept == nil {
		return err
	}
	data, b.kept = b.kept, nil
	return b.Client.Publish(data)
}

func (b *badClient) Request(data []byte) ([]byte, error) {
	answer, err := b.Client.Request(data)
	if b.count++; b.fault == "wrong answer" && b.count == when {
		answer[0] ^= 1
	}
	return answer, err
}

func (b *badClient) Consume(take func([]byte) (bool, error)) error {
	return b.Client.Consume(func(data []byte) (bool, error) {
		if b.count++; b.fault == "consumer gone" && b.count == when {
			return false, errGone
		}
		return take(data)
	})
}

func (b *badClient) Serve() error {
	if b.fault == "replier gone" {
		return errGone
	}
	return b.Client.Serve()
}

func startBus(t *testing.T) {
	t.Helper()
	config := server.Default()
	config.Dir = t.TempDir()
	s, err := server.Start(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop(0)
		s.Wait()
	})
	t.Setenv("KBUS_DIR", config.Dir)
}

func plan() *gauge.Plan {
	return &gauge.Plan{Size: 20, Count: 200, WarmUp: 100, Consumers: 3, Window: 50, Session: os.Getpid(),
		Clients: 5, Brokers: []int{os.Getpid()}}
}

func TestRoundTrips(t *testing.T) {
	startBus(t)
	p := plan()
	var told []int
	p.Watch = func(done, of int) { told = append(told, done) }
	r, err := gauge.MeasureRoundTrips(p, newClient)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Times) != p.Count || !slices.IsSorted(r.Times) || r.Times[0] <= 0 || r.CPU <= 0 {
		t.Errorf("%d times, from %v, processor time %v", len(r.Times), r.Times[0], r.CPU)
	}
	if !slices.IsSorted(told) || len(told) < 2 || told[0] != 0 || told[len(told)-1] != p.Count {
		t.Errorf("progress was %v", told)
	}
	hasKeys(t, r.Line("us"), "peer test size n min_us p50_us p99_us mean_us cpu_us broker_cpu_us")
}

func TestThroughput(t *testing.T) {
	startBus(t)
	p := plan()
	r, err := gauge.MeasureThroughput(p, newClient)
	if err != nil {
		t.Fatal(err)
	}
	if r.Elapsed <= 0 || r.Deliveries() != 3*r.Messages() {
		t.Errorf("%v, %v messages, %v deliveries", r.Elapsed, r.Messages(), r.Deliveries())
	}
	hasKeys(t, r.Line("us"), "peer test size consumers window n msg_s deliveries_s mib_s cpu_us broker_cpu_us")
}

func TestMemory(t *testing.T) {
	startBus(t)
	m, err := gauge.MeasureMemory(plan(), newClient)
	if err != nil {
		t.Fatal(err)
	}
	if m.Before.Rss <= 0 || m.With.Dirty <= 0 || m.With.Pss > m.With.Rss {
		t.Errorf("%+v", m)
	}
	hasKeys(t, m.Line("us"), "peer test clients rss_idle_kib rss_kib pss_idle_kib pss_kib dirty_idle_kib dirty_kib")
}

// The lines have these keys, in any order, and no others: other programs read them.
func hasKeys(t *testing.T, line, keys string) {
	t.Helper()
	var values map[string]any
	if err := json.Unmarshal([]byte(line), &values); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	for _, key := range strings.Fields(keys) {
		if _, ok := values[key]; !ok {
			t.Errorf("%s has no %s", line, key)
		}
		delete(values, key)
	}
	if len(values) > 0 {
		t.Errorf("%s has %v as well", line, values)
	}
}

// A bus that loses, doubles or reorders gives no figure, and neither does one whose clients give up.
func TestFaults(t *testing.T) {
	startBus(t)
	trips := func(p *gauge.Plan) error { _, err := gauge.MeasureRoundTrips(p, newClient); return err }
	stream := func(p *gauge.Plan) error { _, err := gauge.MeasureThroughput(p, newClient); return err }
	tests := []struct {
		fault   string
		measure func(*gauge.Plan) error
		says    string // the error, or the client process that gives up
	}{
		{"lost", stream, "in place of message 119 came message 120"},
		{"doubled", stream, "in place of message 120 came message 119"},
		{"swapped", stream, "in place of message 119 came message 120"},
		{"short", stream, "message 119 has 19 bytes instead of 20"},
		{"consumer gone", stream, "gone"},
		{"wrong answer", trips, "the answer is wrong: in place of message 119"},
		{"replier gone", trips, "the replier has stopped: gone"},
	}
	for _, test := range tests {
		t.Run(test.fault, func(t *testing.T) {
			t.Setenv(faultVariable, test.fault)
			said, err := hearing(t, func() error { return test.measure(plan()) })
			if err == nil {
				t.Fatal("there is a figure all the same")
			}
			if said += err.Error(); !strings.Contains(said, test.says) {
				t.Errorf("it says %s", said)
			}
		})
	}
}

// hearing gives what the child processes of a measurement write to standard error.
func hearing(t *testing.T, measure func() error) (said string, err error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = w
	err = measure()
	os.Stderr = before
	w.Close()
	all, _ := io.ReadAll(r)
	r.Close()
	return string(all), err
}
