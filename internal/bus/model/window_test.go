package model_test

import (
	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

// A client with a window takes messages without asking, and the bus learns of it later. It must be as if the bus had
// known: the model pops when the client takes, the bus may wait until it has reason to look.

// window is a client that takes what it is shown.
type window struct {
	bus.Window
	shown []message.Message // as the bus gave them; what the client can take
	taken int               // and has taken, which the bus has not asked about
}

func (w *window) Taken() int {
	n := w.taken
	w.taken = 0
	return n
}

func (w *window) Shown() int { return len(w.shown) }
func (w *window) Withdraw()  { w.shown = nil }

// show shows one more message of the queue, if there is one.
func (p *pair) show(k *ksock) {
	if k.window == nil {
		k.window = &window{}
		p.bus.SetWindow(k.b, k.window)
	}
	p.bus.SyncWindow(k.b)
	if p.bus.Purging(k.b) {
		return
	}
	var h message.Header
	name, data, missed, trace, ok := p.bus.Queued(k.b, len(k.window.shown), &h)
	p.say("%d shows %d messages", k.m.ID(), len(k.window.shown)+1)
	p.came(ok)
	if ok {
		m := message.Message{Header: h, Name: string(name), Data: append([]byte(nil), data...), Missed: missed, Trace: message.TraceOf(trace)}
		k.window.shown = append(k.window.shown, m)
	}
}

// take has the client take the first message that it is shown; there must be one.
func (p *pair) take(k *ksock) {
	p.say("%d takes", k.m.ID())
	got := k.window.shown[0]
	k.window.shown = k.window.shown[1:]
	k.window.taken++
	want, ok := p.model.Next(k.m)
	p.checkTaken(k, got.Header, []byte(got.Name), got.Data, got.Missed, message.AppendTrace(nil, got.Trace), true, want, ok)
	p.remember(k, want, ok, false)
	p.stale = true
}

// learn has the bus ask all windows.
func (p *pair) learn() {
	for _, k := range p.ksocks {
		if k.window != nil {
			p.bus.SyncWindow(k.b)
		}
	}
}
