// Package top is what `kbus top` and the page in the browser know: from the events of a tap and the reports of the daemon it
// makes the figures that are shown. A Model has no I/O and no clock, and is not safe for concurrent use.
//
// The tap tells what is said, and nothing of what was there before; the reports tell how everything stands, and nothing of
// what was said. So rates, sizes, answers and refusals are counted from the events, and Ksocks, queues and what was missed are
// the report's. An event does not name the Listeners that a message has reached, but the bindings do: they are matched as the
// bus matches them, once for each name.
package top

import (
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/requests"
)

// Report is how a bus stands at one moment, as its daemon tells.
type Report struct {
	Time     time.Time // when it was complete
	Bus      kbus.BusInfo
	Ksocks   []kbus.KsockInfo
	Bindings []kbus.BindingInfo
}

// Model is what is known of one bus.
type Model struct {
	began  time.Time
	last   time.Time // when the rates were made last
	lost   uint64    // events that were too fast for the tap
	known  uint64    // of those, when the last picture was made
	report Report

	routes   routes
	requests requests.Open
	ksocks   map[kbus.KsockID]*traffic
	names    Names
}

// New is one that knows how things stood when it began to look.
func New(first Report) *Model {
	m := &Model{began: first.Time, last: first.Time, requests: requests.Open{}, ksocks: map[kbus.KsockID]*traffic{}}
	m.take(first)
	m.doubt(first)
	return m
}

// doubt is for a moment before which Requests may have been sent that we have not seen: a Ksock may owe as many as the report says.
func (m *Model) doubt(r Report) {
	for _, k := range r.Ksocks {
		t := m.traffic(k.Ksock)
		if t.before == 0 {
			t.since = r.Time
		}
		t.before = int(k.Unreplied)
	}
}

func (m *Model) take(r Report) {
	m.report = r
	m.routes.set(r.Bindings)
	reconcile(m.requests, &r)
	open := map[kbus.KsockID]bool{}
	for _, k := range r.Ksocks {
		open[k.Ksock] = true
		t := m.traffic(k.Ksock)
		t.once = k.OnlyOnce
		t.missed(k.Missed)
	}
	for id := range m.ksocks {
		if !open[id] {
			delete(m.ksocks, id)
		}
	}
}

func (m *Model) traffic(id kbus.KsockID) *traffic {
	t := m.ksocks[id]
	if t == nil {
		t = &traffic{}
		m.ksocks[id] = t
	}
	return t
}

// Note takes note of an event, in the order of the tap.
func (m *Model) Note(e *kbus.Event) {
	m.lost += e.Lost
	if e.Event == kbus.EventBound || e.Event == kbus.EventUnbound {
		if e.Err == nil && e.Time.After(m.report.Time) {
			m.routes.change(e)
		}
		return
	}
	answered := m.requests.Note(e)
	if answered != nil && !answered.Answered {
		answered = nil
	}
	if e.Event != kbus.EventSent && e.Event != kbus.EventStatus {
		return
	}
	m.names.Note(e, answered)
	if e.Err != nil {
		return
	}
	size := uint64(e.DataBytes)
	if e.By.Ksock != 0 {
		m.traffic(e.By.Ksock).out.add(1, size)
	}
	if e.Event == kbus.EventStatus {
		m.traffic(e.To).in.add(1, size)
		return
	}
	var asked kbus.KsockID // besides those that listen
	switch {
	case e.IsRequest():
		asked = e.Replier
	case e.IsReply():
		asked = e.To
	}
	for _, r := range m.routes.of(e.Message.Name) {
		t := m.traffic(r.ksock)
		switch {
		case !t.once:
			t.in.add(uint64(r.copies), size)
		case r.ksock != asked:
			t.in.add(1, size)
		}
	}
	if asked != 0 {
		m.traffic(asked).in.add(1, size)
	}
}

// Picture takes a new report, and makes the figures of the time since the last picture.
func (m *Model) Picture(r Report) *Picture {
	m.take(r)
	if m.known != m.lost {
		m.known = m.lost
		m.doubt(r)
	}
	p := &Picture{Bus: r.Bus.Bus, Time: r.Time, Over: r.Time.Sub(m.last), Since: r.Time.Sub(m.began), Lost: m.lost}
	m.last = r.Time
	owed := m.requests.ByReplier()
	for i := range r.Ksocks {
		p.Ksocks = append(p.Ksocks, m.ksock(&r.Ksocks[i], owed[r.Ksocks[i].Ksock], p))
	}
	p.Names = m.names.Rows(p.Over)
	return p
}

func (m *Model) ksock(k *kbus.KsockInfo, owes []*requests.Request, p *Picture) Ksock {
	t := m.traffic(k.Ksock)
	row := Ksock{KsockInfo: *k, Out: t.out.rate(p.Over), In: t.in.less(t.lately).rate(p.Over), MissedNow: t.lately}
	t.out, t.in, t.lately = flow{}, flow{}, 0
	for _, b := range m.report.Bindings {
		if b.Ksock == k.Ksock {
			row.Bound = append(row.Bound, b)
		}
	}
	for _, o := range owes {
		row.Owes = append(row.Owes, Owed{ID: o.ID, Name: o.Name, By: o.By, Age: max(0, p.Time.Sub(o.Sent))})
	}
	row.Unanswered = len(row.Owes)
	if len(row.Owes) > 0 {
		row.Oldest = row.Owes[0].Age
	}
	// A report may also count a Request whose Reply we have seen, or is not to be seen yet: that is not one from before we looked.
	if t.before = max(0, min(t.before, int(k.Unreplied)-row.Unanswered)); t.before > 0 {
		row.Unanswered, row.Oldest, row.Older = int(k.Unreplied), max(row.Oldest, p.Time.Sub(t.since)), true
	}
	return row
}
