// Package metrics turns what a tap shows of a bus, and what the bus reports of itself, into figures for Prometheus and
// whatever else reads OpenMetrics.
//
// The figures are of two sorts. Counts of messages come from the tap, so they begin when it does, and what the tap has
// missed is counted too. Ksocks and their queues come from a report that is made when somebody asks for the figures, so
// nothing is asked of the bus in between.
//
// The files: metrics.go counts, ksocks.go counts by Ksock, names.go decides which names are labels, requests.go measures how
// long answers take, and collect.go writes it all down.
package metrics

import (
	"sync"

	"kbus.example/kbus"
)

// Config says what is counted apart.
type Config struct {
	Names  []string // patterns, as for Bind: names that match one of them are labels; all others are counted together
	Most   int      // names at most; 0: 100
	Ksocks int      // Ksocks at most, those with the longest queues; 0: 100, less than 0: none
}

// Bus is the figures of one bus. It may be used from several goroutines.
type Bus struct {
	config Config

	mu       sync.Mutex
	names    map[string]*name
	ksocks   ksocks
	requests requests
	refused  map[string]uint64 // sends, by condition
	events   map[kbus.EventKind]uint64
	missed   uint64 // events
	up       bool
}

// New makes the figures of a bus of which nothing has been seen yet.
func New(c Config) *Bus {
	if c.Most == 0 {
		c.Most = 100
	}
	if c.Ksocks == 0 {
		c.Ksocks = 100
	}
	return &Bus{
		config: c, names: map[string]*name{}, ksocks: ksocks{}, requests: newRequests(),
		refused: map[string]uint64{}, events: map[kbus.EventKind]uint64{},
	}
}

// Add counts an event.
func (b *Bus) Add(e *kbus.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.missed += e.Lost
	if e.Event == kbus.EventLost {
		return
	}
	if e.Lost > 0 {
		b.requests.doubt() // answers may be among what was missed
	}
	b.events[e.Event]++
	b.message(e)
	b.ksocks.note(e)
	if about, duration := b.requests.note(e); duration >= 0 {
		b.name(about).answer(duration)
	}
}

func (b *Bus) message(e *kbus.Event) {
	switch e.Event {
	case kbus.EventStatus:
		b.name(e.Message.Name).statuses++
		return
	case kbus.EventSent:
	default:
		return
	}
	if e.Err == error(kbus.ErrPending) { // it comes again
		return
	}
	if e.Err != nil {
		b.refused[condition(e.Err)]++
		return
	}
	n := b.name(e.Message.Name)
	switch e.Kind() {
	case kbus.RequestKind:
		n.requests++
	case kbus.ReplyKind:
		n.replies++
	default:
		n.announcements++
	}
	n.bytes += uint64(e.DataBytes)
	n.reached += uint64(e.Reached)
	n.skipped += uint64(e.Skipped)
}

// Seen says whether the bus can be seen now. When it goes, the Requests that were open are answered no more.
func (b *Bus) Seen(up bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.up = up; !up {
		b.requests.doubt()
		clear(b.ksocks) // the next bus gives their numbers anew
	}
}
