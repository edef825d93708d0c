package model_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/bus/model"
	"kbus.example/kbus/message"
)

// A pair is a bus and its model, which are given the same operations. Every outcome must be the same, and so must all
// that can be asked of them after each operation. Of the bus it is also asked that it tells whom to wake: the model
// knows who was given something, and whether a pending message would still have to wait.

// failer is what *testing.T and *rapid.T have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

type pair struct {
	failer
	bus       *bus.Bus
	limits    bus.Limits
	model     *model.Bus
	ksocks    []*ksock // the open ones, in order of opening
	opened    uint32   // how many there ever were
	lent      []loan
	asked     []message.Header // the Requests that were sent of late
	kinds     int              // of Ksocks: 0 original, 1 both, 2 modern
	eager     bool             // as the daemon does, all that is due is polled after each operation
	sameIDs   bool             // most messages have one of two ids
	ownIDs    bool             // the bus chooses all ids, so that the history can be checked
	history   []model.Client   // of the closed Ksocks
	paths     uint8            // which the bus may take
	pieces    bool             // the bus does what it can in pieces
	handsOver bool             // the bus is handed over at times
	windows   bool             // clients may take messages without asking
	carriers  map[*ksock]bool  // Ksocks that carry messages from other buses
	starts    bool             // some names can be started
	stale     bool             // one just has, and the bus need not know yet
	script    []string         // the operations so far and what they came to, for whoever has to find the fault
}

// slowPaths is a bus without quick paths; with eitherPath that changes between operations.
const (
	slowPaths  = 1
	eitherPath = 2
)

// ksock is one Ksock on both.
type ksock struct {
	b      *bus.Ksock
	m      *model.Ksock
	due    bool             // was in Due since its message was last tried
	read   []message.Header // the Requests that it has read and owes, or owed, a Reply for
	window *window          // nil: none yet
	seen   model.Client     // its part of the history
}

// loan is a Delivery that has not been released, and what must be in it until then.
type loan struct {
	delivery bus.Delivery
	want     message.Message
}

func newPair(t failer, c model.Config) *pair {
	limits := bus.Limits{
		QueueBytes: int64(c.QueueBytes), UserQueueBytes: int64(c.UserQueueBytes), UserWildcards: c.UserWildcards,
	}
	p := &pair{failer: t, limits: limits, model: model.New(c), bus: bus.New(bus.Config{
		MaxMessages: c.MaxMessages, MaxSetAside: c.MaxSetAside, MaxHeld: c.MaxHeld,
		MaxMessageBytes: c.MaxMessageBytes, AbsMaxMessageBytes: c.AbsMaxMessageBytes,
		FirstKsock: c.FirstKsock, FirstSerial: c.FirstSerial,
		Limits: limits,
	})}
	p.say("new bus %+v", c)
	return p
}

func (p *pair) say(format string, args ...any) {
	p.script = append(p.script, fmt.Sprintf(format, args...))
}

// came says what the last operation came to.
func (p *pair) came(v ...any) {
	p.script[len(p.script)-1] += " -> " + strings.TrimSuffix(fmt.Sprintln(v...), "\n")
}

// same fails unless the bus gave what the model gave.
func same[V comparable](p *pair, what string, fromBus, fromModel V) {
	if fromBus != fromModel {
		p.fail("%s: the bus gives %+v, the model %+v", what, fromBus, fromModel)
	}
}

func (p *pair) fail(format string, args ...any) {
	p.Helper()
	p.Fatalf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(p.script, "\n"))
}

// follow is due after each operation: it takes what the bus says about waking, and compares all state.
func (p *pair) follow() {
	if p.stale {
		p.stale = false
		return
	}
	p.learn()
	p.checkWoken()
	if p.pieces {
		p.bus.Tries(len(p.script) % 3)
	}
	p.takeDue()
	p.checkState()
	p.checkCalls()
	if !p.eager {
		return
	}
	for _, k := range slices.Clone(p.ksocks) {
		if k.due {
			p.poll(k)
			p.follow()
			return
		}
	}
}

// checkWoken: who was given something, and nobody else, each once and in that order. With windows the order is that in
// which the bus came to know, and whoever must be shown its queue again is woken too.
func (p *pair) checkWoken() {
	var ids []message.KsockID
	for _, k := range p.bus.Woken() {
		ids = append(ids, k.ID())
	}
	want := p.model.Woken()
	if p.windows {
		slices.Sort(ids)
		slices.Sort(want)
		ids = slices.DeleteFunc(ids, func(id message.KsockID) bool {
			return !slices.Contains(want, id) && p.hasWindow(message.KsockID(uint32(id)))
		})
	}
	if !slices.Equal(ids, want) {
		p.fail("Woken is %v, want %v", ids, want)
	}
}

// checkCalls: the owner is told which names to start, and which need not be.
func (p *pair) checkCalls() {
	got, want := p.bus.Calls(), model.Calls(p.model)
	if !slices.EqualFunc(got, want, func(x bus.Call, y model.Call) bool { return x == bus.Call(y) }) {
		p.fail("Calls is %v, want %v", got, want)
	}
	for _, name := range startableNames {
		same(p, "Held "+name, p.bus.Held(name), model.Held(p.model, name))
	}
}

func (p *pair) hasWindow(id message.KsockID) bool {
	return slices.ContainsFunc(p.ksocks, func(k *ksock) bool { return k.m.ID() == id && k.window != nil })
}

// takeDue: whoever is pending, and has not been due since it was last tried, must still have to wait (F6), or
// for what is freed in pieces.
func (p *pair) takeDue() {
	for _, due := range p.bus.Due() {
		i := slices.IndexFunc(p.ksocks, func(k *ksock) bool { return k.b == due })
		if i < 0 || !p.ksocks[i].m.Sending() && !p.windows { // a window may make it due and the retry end well, in one go
			p.fail("Due has Ksock %d, which is closed or not sending", due.ID())
		}
		p.ksocks[i].due = true
	}
	for _, k := range p.ksocks {
		if k.m.Sending() && !k.due && !p.bus.Littered() && !p.bus.Untried() && !p.model.WouldPend(k.m) {
			p.fail("the message of Ksock %d need not wait any more, and it was not in Due", k.m.ID())
		}
	}
}

// checkState compares all that the reports show.
func (p *pair) checkState() {
	b, m := p.bus.Info(), p.model.Info()
	same(p, "Info", model.Info{
		NextKsock: b.NextKsock, NextSerial: b.NextSerial, SetAside: b.SetAside, Tragic: b.Tragic,
		Verbose: b.Verbose, ReportBinds: b.ReportBinds, MaxMessageBytes: b.MaxMessageBytes,
	}, m)
	if !p.bus.Littered() {
		same(p, "QueueBytes", b.QueueBytes, int64(p.model.QueueBytes()))
	}
	newest := len(p.ksocks)
	for k := range p.bus.Ksocks() {
		newest--
		if newest < 0 || p.ksocks[newest].b != k {
			p.fail("Ksocks has %d, want it newest first", k.ID())
		}
	}
	same(p, "Ksocks left out", newest, 0)
	for _, k := range p.ksocks {
		p.checkKsock(k)
	}
	var bindings []model.Binding
	for x := range p.bus.Bindings() {
		bindings = append(bindings, model.Binding{Ksock: x.Ksock.ID(), Replier: x.Replier, Standby: x.Standby, Name: x.Name})
	}
	if want := p.model.Bindings(); !slices.Equal(bindings, want) {
		p.fail("Bindings is %v, want %v", bindings, want)
	}
}

func (p *pair) checkKsock(k *ksock) {
	b := k.b.Info()
	same(p, "Ksock.Info", model.KsockInfo{
		ID: b.ID, LastSent: b.LastSent, Queued: b.Queued, MaxMessages: b.MaxMessages,
		Sending: b.Sending, OnlyOnce: b.OnlyOnce, SetAside: b.SetAside,
		Outstanding: b.Outstanding, OutstandingMost: b.OutstandingMost,
		Unreplied: b.Unreplied, UnrepliedMost: b.UnrepliedMost,
	}, p.model.KsockInfo(k.m))
	before, total := p.bus.Missed(k.b)
	wantBefore, wantTotal := p.model.Missed(k.m)
	same(p, "missed before the last", before, wantBefore)
	same(p, "missed", total, wantTotal)
	same(p, "NumMessages", p.bus.NumMessages(k.b), p.model.NumMessages(k.m))
	same(p, "NumUnreplied", p.bus.NumUnreplied(k.b), p.model.NumUnreplied(k.m))
	same(p, "LastSent", p.bus.LastSent(k.b), p.model.LastSent(k.m))
	same(p, "Sending", k.b.Sending(), k.m.Sending())
	same(p, "Readable", k.b.Readable(), p.model.NumMessages(k.m) > 0)
}

// checkNames asks who is bound.
func (p *pair) checkNames(names []string) {
	for _, name := range names {
		same(p, "Replier "+name, p.bus.Replier(name), p.model.Replier(name))
		same(p, "CardOf "+name, string(bus.CardOf(p.bus, name)), string(model.CardOf(p.model, name)))
		if !model.ValidName(name, false) {
			continue
		}
		var replier message.KsockID
		var listeners []message.KsockID
		r, ls := p.bus.Who(name)
		if r != nil {
			replier = r.ID()
		}
		for _, l := range ls {
			listeners = append(listeners, l.ID())
		}
		wantReplier, want := p.model.Who(name)
		if replier != wantReplier || !slices.Equal(listeners, want) {
			p.fail("Who %s is %d %v, want %d %v", name, replier, listeners, wantReplier, want)
		}
	}
}

// finish stops the bus, then reads and closes everything. After that the bus must hold nothing, and the history keep
// all promises.
func (p *pair) finish() {
	p.stop()
	p.follow()
	for len(p.ksocks) > 0 {
		p.sweepAll()
		p.drain()
		p.close(p.ksocks[len(p.script)%len(p.ksocks)])
		p.follow()
	}
	p.sweepAll()
	if violations := model.Check(p.history); p.ownIDs && violations != nil {
		p.fail("the history is wrong:\n%s", strings.Join(violations, "\n"))
	}
	for len(p.lent) > 0 {
		p.release(0)
	}
	if i := p.bus.Info(); i.QueueBytes != 0 || i.Ksocks != 0 || i.Bindings != 0 || i.SetAside != 0 {
		p.fail("closed and released, the bus still holds %+v", i)
	}
}

// sweepAll leaves nothing to be done.
func (p *pair) sweepAll() {
	for p.bus.Littered() {
		p.sweep(1000)
		p.follow()
	}
}

// release gives back a Delivery, which must not have changed meanwhile.
func (p *pair) release(i int) {
	l := p.lent[i]
	p.lent = slices.Delete(p.lent, i, i+1)
	if string(l.delivery.Name) != l.want.Name || !bytes.Equal(l.delivery.Data, l.want.Data) {
		p.fail("before its release a delivery became %q %q, want %v", l.delivery.Name, l.delivery.Data, &l.want)
	}
	p.bus.Release(&l.delivery)
}
