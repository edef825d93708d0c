package show

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"kbus.example/kbus/internal/gauge"
	"kbus.example/kbus/internal/gauge/ksock"
	"kbus.example/kbus/internal/server"
)

func newClient() gauge.Client { return &ksock.Client{} }

func TestMain(m *testing.M) {
	gauge.Child(newClient)
	os.Exit(m.Run())
}

func TestSteps(t *testing.T) {
	tests := []struct {
		size, listeners int
		want            string
	}{
		{-1, 0, "Round trip, 32 B; Round trip, 1 KiB; " +
			"Throughput, 32 B to 1 Listener; Throughput, 1 KiB to 1 Listener; Throughput, 64 KiB to 1 Listener; " +
			"Throughput, 32 B to 8 Listeners; Throughput, 1 KiB to 8 Listeners; Throughput, 64 KiB to 8 Listeners"},
		{100, 0, "Round trip, 100 B; Throughput, 100 B to 1 Listener; Throughput, 100 B to 8 Listeners"},
		{0, 3, "Round trip, 0 B; Throughput, 0 B to 3 Listeners"},
	}
	for _, test := range tests {
		o := Options{Size: test.size, Listeners: test.listeners}
		var titles []string
		for _, s := range o.steps() {
			titles = append(titles, s.title())
		}
		if got := strings.Join(titles, "; "); got != test.want {
			t.Errorf("size %d, %d listeners: %s", test.size, test.listeners, got)
		}
	}
}

func TestWords(t *testing.T) {
	var times []time.Duration
	for range 1500 {
		times = append(times, 10*time.Microsecond)
	}
	for range 500 {
		times = append(times, 20*time.Microsecond)
	}
	times = append(times, time.Millisecond)
	r := roundTrips{&gauge.RoundTrips{Times: times, Mean: 13 * time.Microsecond}, step{size: 32}}
	want := `Round trip, 32 B: 10.0 µs, 99 % within 20.0 µs, 76 923 a second
     8.0 –  11.3 µs  74.96% ██████████
    11.3 –  16.0 µs         
    16.0 –  22.6 µs  24.99% ████
   above that          0.05%
`
	if got := r.words(&Options{Columns: 42}); got != want {
		t.Errorf("got:\n%swanted:\n%s", got, want)
	}
	p := throughput{&gauge.Throughput{Plan: &gauge.Plan{Size: 1024, Count: 3072, Consumers: 2}, Elapsed: time.Second},
		step{1024, 2}}
	if got := p.words(nil); got != "Throughput, 1 KiB to 2 Listeners: 3 072 messages a second, 6.0 MiB/s received\n" {
		t.Error(got)
	}
}

// The bar is drawn when it moves, and only then.
func TestBar(t *testing.T) {
	var b bytes.Buffer
	draw := (&Options{Progress: &b}).bar("Round trip, 32 B")
	draw(0, 1000)
	draw(1, 1000)
	draw(500, 1000)
	if got := strings.Count(b.String(), "\r"); got != 2 || !strings.HasSuffix(b.String(), "███···············") {
		t.Errorf("drawn %d times: %q", got, b.String())
	}
	if (&Options{}).bar("") != nil {
		t.Error("a bar without a terminal")
	}
}

func TestPerform(t *testing.T) {
	config := server.Default()
	config.Dir = t.TempDir()
	s, err := server.Start(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Wait()
	defer s.Stop(0)
	t.Setenv("KBUS_DIR", config.Dir)
	var out, progress bytes.Buffer
	o := Options{Size: 8, Listeners: 2, Each: time.Millisecond, Out: &out, Progress: &progress, JSON: true, Peer: "us"}
	if err := Perform(o, newClient); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(out.String(), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], `{"peer":"us","test":"rtt","size":8,`) ||
		!strings.HasPrefix(lines[1], `{"peer":"us","test":"pub","size":8,"consumers":2,`) {
		t.Errorf("%q", lines)
	}
	if !strings.HasSuffix(progress.String(), "\r\x1b[K") {
		t.Errorf("the bar stays: %q", progress.String())
	}
}
