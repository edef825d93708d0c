package gauge

import (
	"testing"
	"time"
)

func sharedPage(t *testing.T) *page {
	t.Helper()
	p, file, err := newPage()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.unmap()
		file.Close()
	})
	return p
}

// The producer is woken by the last of the consumers to get there, however their steps fall.
func TestWaitGot(t *testing.T) {
	p := sharedPage(t)
	const rounds, consumers = 2000, 3
	for c := range consumers {
		go func() {
			for range rounds {
				p.counted(c)
			}
		}()
	}
	for n := uint64(1); n <= rounds; n++ {
		if err := p.waitGot(consumers, n); err != nil {
			t.Fatal(err)
		}
		if got := p.slowest(consumers); got < n {
			t.Fatalf("woken with %d of %d messages", got, n)
		}
	}
	if p.target.Load() != 0 {
		t.Error("consumers go on ringing")
	}
}

// A process that gives up wakes everybody who waits.
func TestFail(t *testing.T) {
	p := sharedPage(t)
	ended := make(chan error)
	go func() { ended <- p.waitReady(1) }()
	go func() { ended <- p.waitGot(1, 1) }()
	p.fail()
	for range 2 {
		if err := <-ended; err != errFailed {
			t.Error(err)
		}
	}
}

func TestHistogram(t *testing.T) {
	micro := func(f float64) time.Duration { return time.Duration(f * float64(time.Microsecond)) }
	r := RoundTrips{Times: []time.Duration{micro(0.7), micro(1), micro(1.9), micro(2), micro(40)}}
	bars := r.Histogram(1)
	var count int
	for i, b := range bars {
		count += b.Count
		if i > 0 && b.From != bars[i-1].To {
			t.Errorf("a gap before %v", b.From)
		}
	}
	first, last := bars[0], bars[len(bars)-1]
	if count != 5 || first != (Bar{500, 1000, 1}) || bars[1] != (Bar{1000, 2000, 2}) || last != (Bar{32000, 64000, 1}) {
		t.Errorf("%d in %v", count, bars)
	}
	if r.Quantile(0.5) != micro(1.9) || r.Quantile(0) != micro(0.7) || r.Quantile(1) != micro(40) {
		t.Error("quantiles", r.Quantile(0), r.Quantile(0.5), r.Quantile(1))
	}
}
