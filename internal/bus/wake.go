package bus

import "slices"

// What the bus owes its owner after an operation. Readers are told when something is queued for them. A sender that
// waits for room is told of every change that can give it room or end its waiting (F6): room in the queue that
// stopped it last, and any change of who is bound or open. It is told to try, not that it will succeed.
type wakes struct {
	readers []*Ksock
	due     []*Ksock
	pending []*Ksock // all Ksocks that wait for room, longest first
	told    [2][]*Ksock
}

// Woken gives the Ksocks for which something was queued since the last call, each once, in the order of their first
// message. The slice is valid until the next call.
func (b *Bus) Woken() []*Ksock {
	w := &b.wakes
	for _, k := range w.readers {
		k.woken = false
	}
	return tell(&w.readers, &w.told[0])
}

// Due gives the Ksocks whose waiting message should be tried again with Poll, each once. The slice is valid until the
// next call.
func (b *Bus) Due() []*Ksock {
	w := &b.wakes
	for _, k := range w.due {
		k.due = false
	}
	return tell(&w.due, &w.told[1])
}

// tell hands out a list and goes on with the one handed out before, emptied so that it holds no closed Ksock.
func tell(list, told *[]*Ksock) []*Ksock {
	clear(*told)
	*list, *told = (*told)[:0], *list
	return *told
}

func (w *wakes) reader(k *Ksock) {
	if !k.woken && k.open {
		k.woken = true
		w.readers = append(w.readers, k)
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
	}
}

func (w *wakes) notPending(k *Ksock) { w.pending = drop(w.pending, k) }

// forget takes a closing Ksock out of what is still to be told.
func (w *wakes) forget(k *Ksock) {
	if k.woken {
		w.readers = drop(w.readers, k)
	}
	if k.due {
		w.due = drop(w.due, k)
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
