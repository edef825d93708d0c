package kbus

import (
	"context"
)

// A Ksock never finds its way back to a lost bus by itself: what was queued is gone, other Ksocks have other ids, and
// only the program knows what that means to it. But when it has decided to go on, everything can be made as it was.

// memory is what a Ksock was told to be.
type memory struct {
	closed      bool
	bindings    []Binding // in the order of binding
	maxMessages uint32    // 0 if never set
	onlyOnce    bool
}

func (k *Ksock) remember(f func(*memory)) {
	k.memoryMu.Lock()
	defer k.memoryMu.Unlock()
	f(&k.memory)
}

// Reopened is what Reopen has done.
type Reopened struct {
	OldID, ID uint32          // the Ksock's id before and now
	Bound     []Binding       // made again, in the order in which they were first made
	Failed    []FailedBinding // could not be made again, and are forgotten
}

// FailedBinding is a binding that could not be made again, and why: mostly ErrReplierBound, when another Ksock was
// quicker.
type FailedBinding struct {
	Binding
	Err error
}

// Reopen opens the Ksock anew after ErrBusGone: with the same mode, queue limit and SetOnlyOnce, and bound to the same
// names. It is a new Ksock to the bus, with a new id, an empty queue and no Requests. What it had still to receive,
// the Statuses for its Requests among it, can still be received. Settings of the whole bus are left as they are.
//
// If the bus is not lost, Reopen does nothing, and ID is OldID. It fails as Open does, and with ErrClosed; the Ksock
// is as before then, and Reopen may be tried again.
func (k *Ksock) Reopen(ctx context.Context) (Reopened, error) {
	k.reopening.Lock()
	defer k.reopening.Unlock()
	old := k.conn.Load()
	r := Reopened{OldID: old.id, ID: old.id}
	switch err := old.probe(ctx); { // nobody may have noticed yet
	case err == nil:
		return r, nil
	case !old.isGone():
		return r, err
	}
	c, err := k.place.connect(ctx, k.mode)
	if err != nil {
		return r, err
	}
	if !k.replace(old, c) {
		c.end(true)
		return r, &Error{Op: "reopen", Err: ErrClosed}
	}
	r.ID = c.id
	return r, k.restore(&r)
}

// replace makes c the Ksock's connection, unless the Ksock is closed.
func (k *Ksock) replace(old, c *conn) (ok bool) {
	k.memoryMu.Lock()
	defer k.memoryMu.Unlock()
	if k.memory.closed {
		return false
	}
	old.mu.Lock()
	c.inbox, old.inbox = old.inbox, inbox{}
	old.mu.Unlock()
	k.conn.Store(c)
	return true
}

// restore makes the Ksock what it was told to be. Only the loss of the bus stops it, and then nothing is forgotten.
func (k *Ksock) restore(r *Reopened) error {
	var m memory
	k.remember(func(now *memory) {
		m = *now
		now.bindings = nil
	})
	rest, err := m.bindings, k.restoreSettings(m)
	for ; err == nil && len(rest) > 0; rest = rest[1:] {
		b := rest[0]
		switch failed := k.Bind(b.Name, b.As); {
		case failed == nil:
			r.Bound = append(r.Bound, b)
		case k.conn.Load().isGone():
			err = failed
		default:
			r.Failed = append(r.Failed, FailedBinding{b, failed})
		}
		if err != nil {
			break
		}
	}
	k.remember(func(now *memory) { now.bindings = append(now.bindings, rest...) })
	return err
}

func (k *Ksock) restoreSettings(m memory) error {
	if m.maxMessages != 0 {
		if _, err := k.SetMaxMessages(m.maxMessages); err != nil {
			return err
		}
	}
	if m.onlyOnce {
		if _, err := k.SetOnlyOnce(true); err != nil {
			return err
		}
	}
	return nil
}
