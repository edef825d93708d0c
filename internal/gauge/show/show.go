// Package show measures a bus for a person: a few round trips and throughputs, with a bar that tells how far each is,
// and figures in words, with a histogram where a median would hide too much.
package show

import (
	"fmt"
	"io"
	"os"
	"time"

	"kbus.example/kbus/internal/gauge"
)

// Options are what to measure and how to show it.
type Options struct {
	Size      int           // bytes of data in a message; -1 for some usual sizes
	Listeners int           // of the throughput; 0 for some usual numbers
	Each      time.Duration // how long one measurement takes, about

	Out      io.Writer
	Progress io.Writer // a terminal, for the bar; nil for none
	JSON     bool      // lines of JSON instead of words
	Peer     string    // the name in them
	Columns  int       // width for histograms; 0 for 80
}

// step is one measurement.
type step struct{ size, listeners int }

// steps is the usual round, or what the options ask for.
func (o *Options) steps() (list []step) {
	sizes := []int{32, 1024}
	if o.Size >= 0 {
		sizes = []int{o.Size}
	}
	for _, size := range sizes {
		list = append(list, step{size, 0})
	}
	listeners := []int{1, 8}
	if o.Listeners > 0 {
		listeners = []int{o.Listeners}
	}
	if o.Size < 0 {
		sizes = append(sizes, 64<<10)
	}
	for _, n := range listeners {
		for _, size := range sizes {
			list = append(list, step{size, n})
		}
	}
	return list
}

// Perform measures and shows. The program starts itself again for each client (see gauge.Child), so it must come here
// by the same way with the same arguments.
func Perform(o Options, newClient func() gauge.Client) error {
	gauge.Child(newClient)
	for _, s := range o.steps() {
		if err := o.perform(s, newClient); err != nil {
			return err
		}
	}
	return nil
}

// trialCount is how many messages tell how many fit into the time.
const trialCount = 200

func (o *Options) perform(s step, newClient func() gauge.Client) error {
	trial, err := s.measure(s.plan(trialCount), newClient)
	if err != nil {
		return err
	}
	p := s.plan(max(int(o.Each.Seconds()*trial.perSecond()), trialCount))
	p.Watch = o.bar(s.title())
	f, err := s.measure(p, newClient)
	if err != nil {
		return err
	}
	if o.Progress != nil {
		fmt.Fprint(o.Progress, "\r\x1b[K")
	}
	if o.JSON {
		_, err = fmt.Fprintln(o.Out, f.Line(o.Peer))
		return err
	}
	_, err = io.WriteString(o.Out, f.words(o))
	return err
}

func (s step) plan(count int) *gauge.Plan {
	return &gauge.Plan{
		Size: s.size, Count: count, WarmUp: gauge.DefaultWarmUp(count, s.listeners == 0),
		Consumers: s.listeners, Window: gauge.DefaultWindow(s.size), Session: os.Getpid(),
	}
}

func (s step) title() string {
	if s.listeners == 0 {
		return fmt.Sprintf("Round trip, %s", sizeName(s.size))
	}
	return fmt.Sprintf("Throughput, %s to %s", sizeName(s.size), plural(s.listeners, "Listener"))
}

// shown is a result.
type shown interface {
	Line(peer string) string
	perSecond() float64
	words(*Options) string
}

func (s step) measure(p *gauge.Plan, newClient func() gauge.Client) (shown, error) {
	if s.listeners == 0 {
		r, err := gauge.MeasureRoundTrips(p, newClient)
		return &roundTrips{r, s}, err
	}
	t, err := gauge.MeasureThroughput(p, newClient)
	return &throughput{t, s}, err
}
