package watch

import (
	"cmp"
	"slices"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/top"
	"kbus.example/kbus/internal/web/stream"
)

// A picture is how a bus stands: what `kbus top --json` prints, the bindings, and why sends were refused. It says all, so the
// page needs none of those before. On a bus with thousands of Ksocks it tells of those with which something is the matter and
// of those that do most, and of how many it does not.

const (
	mostKsocks   = 200
	mostNames    = 200
	mostBindings = 1000
	mostOwing    = 20 // Requests of one Ksock
)

type picture struct {
	*top.JSON
	At       float64    `json:"at"` // milliseconds since 1970
	Lives    int        `json:"lives"`
	Counts   counts     `json:"counts"`
	Bindings []binding  `json:"bindings"`
	Refusals []*message `json:"refusals"` // the last of each Ksock that had one
	Totals   totals     `json:"totals"`
	LeftOut  leftOut    `json:"left_out"`
}

type binding struct {
	Ksock uint32 `json:"ksock"`
	As    string `json:"as"` // Listener, Replier or Standby
	Name  string `json:"name"`
}

// totals are of the whole bus.
type totals struct {
	Ksocks      uint32 `json:"ksocks"`
	Connections uint32 `json:"connections"`
	Bindings    uint32 `json:"bindings"`
	Queued      uint32 `json:"queued"`
	Outstanding uint32 `json:"outstanding"`
	Sending     uint32 `json:"sending"`
	Missed      uint64 `json:"missed"` // by the Ksocks that are open
}

// leftOut is how many there are besides.
type leftOut struct {
	Ksocks   int `json:"ksocks"`
	Names    int `json:"names"`
	Bindings int `json:"bindings"`
}

// show makes the picture of a report. The caller has the lock.
func (b *Bus) show(r top.Report) {
	all := b.model.Picture(r).JSON()
	p := &picture{JSON: all, At: milliseconds(r.Time), Lives: b.state.Lives, Counts: b.counts, Refusals: []*message{}, Bindings: []binding{},
		Totals: totals{Ksocks: r.Bus.Ksocks, Connections: r.Bus.Connections, Bindings: r.Bus.Bindings, Queued: r.Bus.Queued,
			Outstanding: r.Bus.Outstanding, Sending: r.Bus.Sending}}
	for _, k := range r.Ksocks {
		p.Totals.Missed += k.Missed
	}
	all.Ksocks, p.LeftOut.Ksocks = most(all.Ksocks, mostKsocks, compareKsocks)
	all.Names, p.LeftOut.Names = most(all.Names, mostNames, compareNames)
	shown := map[uint32]bool{}
	for i := range all.Ksocks {
		k := &all.Ksocks[i]
		shown[k.Ksock] = true
		k.Owes = k.Owes[:min(len(k.Owes), mostOwing)]
		if m := b.refusals[kbus.KsockID(k.Ksock)]; m != nil {
			p.Refusals = append(p.Refusals, m)
		}
	}
	for _, k := range r.Bindings {
		if shown[uint32(k.Ksock)] && len(p.Bindings) < mostBindings {
			p.Bindings = append(p.Bindings, binding{uint32(k.Ksock), k.As.String(), k.Name})
		}
	}
	p.LeftOut.Bindings = len(r.Bindings) - len(p.Bindings)
	b.prune(r)
	b.last = p
	if b.viewers.Viewers() > 0 {
		b.viewers.Send(stream.New("picture", p, nil, 0))
	}
}

// prune forgets refusals of Ksocks that have gone unseen.
func (b *Bus) prune(r top.Report) {
	open := map[kbus.KsockID]bool{}
	for _, k := range r.Ksocks {
		open[k.Ksock] = true
	}
	for id := range b.refusals {
		if !open[id] {
			delete(b.refusals, id)
		}
	}
}

// Opening is what somebody is sent who begins to look: whether the bus can be seen, how it stood lately, and what was said last.
func (b *Bus) Opening() []stream.Update {
	b.mu.Lock()
	defer b.mu.Unlock()
	updates := []stream.Update{stream.New("bus", b.state, nil, 0)}
	if b.last != nil {
		updates = append(updates, stream.New("picture", b.last, nil, 0))
	}
	if len(b.past) > 0 {
		updates = append(updates, stream.New("past", beat{Bus: uint32(b.number), Time: b.past[len(b.past)-1].Time, Counts: b.counts,
			Messages: b.past}, nil, 0))
	}
	return updates
}

// most keeps so many of a list, those first that come first, in the order in which they were.
func most[T any](list []T, n int, compare func(a, b *T) int) (kept []T, left int) {
	if len(list) <= n {
		return list, 0
	}
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return compare(&list[i], &list[j]) })
	order = order[:n]
	slices.Sort(order)
	for _, i := range order {
		kept = append(kept, list[i])
	}
	return kept, len(list) - n
}

// compareKsocks puts those first with which something is the matter, and then those that do most.
func compareKsocks(a, b *top.KsockJSON) int {
	return cmp.Or(
		cmp.Compare(b.MissedNow, a.MissedNow), cmp.Compare(b.Unanswered, a.Unanswered), cmp.Compare(b.Queued, a.Queued),
		cmp.Compare(b.In+b.Out, a.In+a.Out))
}

func compareNames(a, b *top.NameJSON) int {
	return cmp.Or(cmp.Compare(b.Rate, a.Rate), cmp.Compare(b.Refused+b.Skipped, a.Refused+a.Skipped), cmp.Compare(b.Messages, a.Messages))
}
