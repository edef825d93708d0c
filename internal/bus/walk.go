package bus

// A walk goes through all Ksocks, or all bindings, newest first, with other operations in between: what is gone when it
// gets there is left out, and so is what is newer than its beginning. It must be ended.
type walk[T any] struct {
	at   *T
	list *[]*walk[T]
}

// Walk is a walk through all open Ksocks.
type Walk struct {
	b *Bus
	walk[Ksock]
}

// BindingWalk is a walk through all bindings.
type BindingWalk struct{ walk[binding] }

func (w *walk[T]) begin(at *T, list *[]*walk[T]) {
	w.at, w.list = at, list
	*list = append(*list, w)
}

// End ends the walk.
func (w *walk[T]) End() {
	if w.list != nil {
		*w.list = drop(*w.list, w)
		w.list = nil
	}
}

// step has those walks go on that stand at what goes.
func step[T any](list []*walk[T], gone, next *T) {
	for _, w := range list {
		if w.at == gone {
			w.at = next
		}
	}
}

// Walk begins a walk through the Ksocks.
func (b *Bus) Walk() *Walk {
	w := &Walk{b: b}
	w.begin(b.newest, &b.walks)
	return w
}

// Next gives the next Ksock as it is now, or nil.
func (w *Walk) Next() *Ksock {
	k := w.at
	if k != nil {
		w.at = k.older
		w.b.SyncWindow(k)
	}
	return k
}

// WalkBindings begins a walk through the bindings.
func (b *Bus) WalkBindings() *BindingWalk {
	w := &BindingWalk{}
	w.begin(b.bindings.newest, &b.bindings.walks)
	return w
}

// Next gives the next binding, and false when there is none.
func (w *BindingWalk) Next() (BindingInfo, bool) {
	n := w.at
	if n == nil {
		return BindingInfo{}, false
	}
	w.at = n.older
	return n.info(), true
}
