package bus

import (
	"slices"

	"kbus.example/kbus/message"
)

// wakes is what the bus owes its owner after an operation: Ksocks that have something to read, and senders that should
// try again. A sender that waits for room should try after every change that can give it room or end its waiting (F6):
// room in the queue that stopped it last, and any change of bindings or open Ksocks. The try may fail.
type wakes struct {
	readers   []*Ksock
	due       []*Ksock
	pending   []*Ksock // all Ksocks that wait for room, longest first
	short     int      // of those, how many because a user cannot be charged
	handedOut [2][]*Ksock
	tries     int // how many of due may be handed out before Tries is called again; -1: all
	worked    int // see Work
}

// retryWork is what it is, as work of whoever has made it worth a try, to try again what has waited, whatever comes of it.
const retryWork = 8

// Woken gives the Ksocks for which something was queued since the last call, each once, in the order of their first
// message. The slice is valid until the next call.
func (w *wakes) Woken() []*Ksock {
	for _, k := range w.readers {
		k.woken = false
	}
	return handOut(&w.readers, &w.handedOut[0])
}

// Due gives the Ksocks whose waiting message should be tried again with Poll, each once. The slice is valid until the
// next call.
func (w *wakes) Due() []*Ksock {
	due := handOut(&w.due, &w.handedOut[1])
	if w.tries >= 0 {
		some := min(w.tries, len(due))
		w.tries -= some
		w.due = append(w.due, due[some:]...)
		clear(due[some:])
		due = due[:some]
	}
	for _, k := range due {
		k.due = false
	}
	return due
}

// Tries has Due give no more than so many until it is called again: a change may matter to all that wait on the bus, and trying
// them all takes as long as they are many. A message that is tried later is as one that came later.
func (w *wakes) Tries(most int) { w.tries = most }

// Untried reports that Due has more to give.
func (w *wakes) Untried() bool { return len(w.due) > 0 }

// Quiet reports that there is nothing in either for now.
func (w *wakes) Quiet() bool { return len(w.readers) == 0 && (len(w.due) == 0 || w.tries == 0) }

// handOut hands out a list and goes on with the one handed out before, emptied so that it holds no closed Ksock.
func handOut(list, handedOut *[]*Ksock) []*Ksock {
	clear(*handedOut)
	*list, *handedOut = (*handedOut)[:0], *list
	return *handedOut
}

func (w *wakes) reader(k *Ksock) {
	if !k.woken && k.open {
		k.woken = true
		w.readers = append(w.readers, k)
	}
}

// waitFor notes whose queue the message of k waits for, and for how many bytes for its user, if it lacks those; nil
// when it does not wait any more.
func (w *wakes) waitFor(k, by *Ksock, short int64) {
	if k.blocker != nil {
		k.blocker.blocks--
	}
	w.short += oneIf(short > 0) - oneIf(k.short > 0)
	k.short = short
	if k.blocker = by; by != nil {
		by.blocks++
	}
}

// room notes that k's queue has, or may have, more room than before.
func (w *wakes) room(k *Ksock) {
	if k.blocks == 0 {
		return
	}
	for _, p := range w.pending {
		if p.blocker == k {
			w.retry(p)
		}
	}
}

// allPending notes a change that may matter to every waiting message.
func (w *wakes) allPending() {
	for _, p := range w.pending {
		w.retry(p)
	}
}

// named notes that the bindings of a text have changed.
func (w *wakes) named(text string) {
	for _, p := range w.pending {
		if message.Matches(text, string(p.pending.name())) {
			w.retry(p)
		}
	}
}

// unwanted notes that the addressee of a Reply does not want it any more: it is charged for it no more.
func (w *wakes) unwanted(to message.KsockID, request message.ID) {
	for _, p := range w.pending {
		if h := &p.pending.head; h.To == to && h.InReplyTo == request {
			w.retry(p)
		}
	}
}

// cheaper notes that users are charged less than before.
func (w *wakes) cheaper(a *accounts) {
	for _, p := range w.pending {
		if p.short > 0 && !p.due && a.fits(p.blocker.account, p.short, p.short) == message.OK {
			w.retry(p)
		}
	}
}

// carriers notes a change by k that may matter to others' waiting messages from other buses.
func (w *wakes) carriers(k *Ksock) {
	for _, p := range w.pending {
		if p.carries && p != k {
			w.retry(p)
		}
	}
}

func (w *wakes) retry(p *Ksock) {
	if !p.due {
		p.due = true
		w.due = append(w.due, p)
		w.worked += retryWork
	}
}

func (w *wakes) notPending(k *Ksock) {
	w.pending = drop(w.pending, k)
	if k.due {
		k.due = false
		w.due = drop(w.due, k)
	}
}

// forget takes a closing Ksock out of both lists.
func (w *wakes) forget(k *Ksock) {
	if k.woken {
		k.woken = false
		w.readers = drop(w.readers, k)
	}
}

// drop removes v from a list, looking from the end. It must be there.
func drop[T comparable](list []T, v T) []T {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i] == v {
			return slices.Delete(list, i, i+1)
		}
	}
	panic("bus: an entry is missing from its list")
}

// Work counts steps that an operation has taken beyond the few of the usual one: a copy queued, a Ksock or a binding
// looked at. The owner of the bus adds its own, and sees with Worked when it is time for somebody else's turn.
func (w *wakes) Work(steps int) { w.worked += steps }

// Worked gives the steps since the last call.
func (w *wakes) Worked() int {
	n := w.worked
	w.worked = 0
	return n
}
