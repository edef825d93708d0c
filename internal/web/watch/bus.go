// Package watch looks at a bus for the page: through a tap, which nobody on the bus notices, and each second with a report.
// What it finds goes to the viewers as updates of three kinds: a picture of how everything stands, beats of what is said, and
// whether the bus can be seen at all. A viewer that misses some of them knows all again with the next picture.
package watch

import (
	"context"
	"sync"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/metrics"
	"kbus.example/kbus/internal/top"
	"kbus.example/kbus/internal/web/stream"
)

const (
	beatEvery    = 100 * time.Millisecond
	pictureEvery = 10  // beats
	idleEvery    = 100 // beats, while nobody looks
	mostPast     = 200 // messages that a new viewer is shown
	patience     = 5 * time.Second
)

// Viewers are those who look.
type Viewers interface {
	Send(stream.Update) // to all of them, without waiting for one
	Viewers() int
}

// Bus is what is known of one bus. It may be used from several goroutines.
type Bus struct {
	number  kbus.BusNumber
	viewers Viewers
	figures *metrics.Bus

	mu       sync.Mutex
	state    state
	model    *top.Model // nil: the bus cannot be seen
	counts   counts
	sample   sample
	past     []*message
	refusals map[kbus.KsockID]*message // the last of each Ksock
	last     *picture
}

// state is whether it can be seen.
type state struct {
	Bus   uint32  `json:"bus"`
	Up    bool    `json:"up"`
	Why   string  `json:"why,omitempty"` // not
	Lives int     `json:"lives"`         // how often it came
	At    float64 `json:"at"`            // milliseconds since 1970: since when that is so
}

// New knows nothing yet. What is seen counts for figures too.
func New(number kbus.BusNumber, viewers Viewers, figures *metrics.Bus) *Bus {
	return &Bus{number: number, viewers: viewers, figures: figures,
		state:    state{Bus: uint32(number), Why: "it has not been looked for yet"},
		refusals: map[kbus.KsockID]*message{}}
}

// Look looks until ctx ends or the bus cannot be seen any more, and says why. Of each message's data, most bytes are shown;
// less than 0: none. The Observer is the caller's to close.
func (b *Bus) Look(ctx context.Context, o *kbus.Observer, most int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	events, err := o.Tap(ctx, kbus.TapFilter{MaxData: most}) // before the report: nothing is between them
	if err != nil {
		cancel(nil)
		return err
	}
	first, err := ask(ctx, o)
	if err != nil {
		cancel(nil)
		return err
	}
	b.begin(first)
	ticked := make(chan struct{})
	go func() {
		defer close(ticked)
		cancel(b.tick(ctx, o)) // a bus that does not report is one that cannot be seen
	}()
	for e, gone := range events {
		if err = gone; err != nil {
			break
		}
		b.note(e)
	}
	cancel(err)
	<-ticked
	return context.Cause(ctx)
}

// ask asks for a report. A daemon that takes longer stands still.
func ask(ctx context.Context, o *kbus.Observer) (top.Report, error) {
	ctx, done := context.WithTimeout(ctx, patience)
	defer done()
	return top.Ask(ctx, o)
}

// Down takes note that the bus cannot be seen, and tells the viewers if that is new.
func (b *Bus) Down(why string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	news := b.state.Up || b.state.Why != why
	if b.state.Up {
		b.state.At = milliseconds(time.Now())
	}
	b.state.Up, b.state.Why = false, why
	b.model, b.last = nil, nil
	clear(b.refusals)
	b.figures.Seen(false)
	if news {
		b.viewers.Send(stream.New("bus", b.state, nil, 0))
	}
}

func (b *Bus) begin(first top.Report) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state.Up, b.state.Why, b.state.At = true, "", milliseconds(time.Now())
	b.state.Lives++
	b.model = top.New(first)
	b.figures.Seen(true)
	b.viewers.Send(stream.New("bus", b.state, nil, 0))
	b.show(first)
}

// note takes note of an event, in the order of the tap.
func (b *Bus) note(e *kbus.Event) {
	b.figures.Add(e)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counts.NotSeen += e.Lost
	switch e.Event {
	case kbus.EventLost:
		return
	case kbus.EventClosed:
		delete(b.refusals, e.By.Ksock)
	}
	b.model.Note(e)
	if e.Event != kbus.EventSent && e.Event != kbus.EventStatus || e.Err == error(kbus.ErrPending) { // which comes again
		return
	}
	b.counts.add(e)
	wanted := b.sample.wants(e)
	if !wanted && e.Err == nil {
		return
	}
	m := newMessage(e, b.counts.all())
	if e.Err != nil {
		b.refusals[e.By.Ksock] = m
	}
	if wanted {
		b.sample.messages = append(b.sample.messages, m)
	}
}

// tick sends beats and pictures until ctx ends or the bus does not report.
func (b *Bus) tick(ctx context.Context, o *kbus.Observer) error {
	ticks := time.NewTicker(beatEvery)
	defer ticks.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-ticks.C:
			b.beat(now)
		}
		if n%pictureEvery != 0 || b.viewers.Viewers() == 0 && n%idleEvery != 0 {
			continue
		}
		r, err := ask(ctx, o)
		if err != nil {
			return err
		}
		b.mu.Lock()
		b.show(r)
		b.mu.Unlock()
	}
}

func (b *Bus) beat(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	messages, of := b.sample.take(b.counts.all())
	if of == 0 {
		return
	}
	b.past = append(b.past, messages...)
	if n := len(b.past) - mostPast; n > 0 {
		b.past = append(b.past[:0:0], b.past[n:]...)
	}
	full := beat{Bus: uint32(b.number), Time: milliseconds(now), Counts: b.counts, Of: of, Messages: messages}
	short := full
	short.Messages = []*message{}
	if full.Messages == nil {
		full.Messages = short.Messages
	}
	b.viewers.Send(stream.New("beat", full, short, len(messages)))
}
