package driver

import "context"

// watching is the context of the leader, which receives without looking at it: when it ends the link is poked, and the
// receiving returns.
type watching struct {
	poke func() // link.Poke, kept so that watching need not make it each time

	watched <-chan struct{} // of the context for which poke is called when it ends
	unwatch func() bool
	lately  <-chan struct{} // of the context of the last leader
}

// begin has the leader woken when ctx ends.
func (w *watching) begin(ctx context.Context) {
	if done := ctx.Done(); done != nil && done != w.watched {
		w.none()
		w.watched, w.unwatch = done, context.AfterFunc(ctx, w.poke)
	}
}

// keep goes on for the next leader if this one's context is the same as the last one's, as in a loop that receives,
// which then costs nothing. A context made for one call is let go of, since it will be canceled for the sake of order,
// and nobody wants to be woken by that.
func (w *watching) keep(ctx context.Context) {
	done := ctx.Done()
	if done != w.lately {
		w.none()
	}
	w.lately = done
}

// none watches nothing any more.
func (w *watching) none() {
	if w.unwatch != nil {
		w.unwatch()
	}
	w.watched, w.unwatch = nil, nil
}
