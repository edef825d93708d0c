package kbus

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"kbus.example/kbus/internal/client/driver"
	"kbus.example/kbus/internal/wire"
)

// A Ksock never finds its way back to a lost bus by itself: what was queued is gone, other Ksocks have other ids, and
// only the program knows what that means to it. But when it has decided to go on, everything can be made as it was.
//
// That is done on a connection of its own, which takes the place of the lost one when all has been made again, and not
// before. So there is nothing between a Ksock that is lost and one that is back. An attempt that is given up leaves nothing
// but its connection, which is hung up at once; the next attempt waits until the bus has taken note of that, for the names
// that were bound there must be free again.

// remembered is what a Ksock was told to be.
type remembered struct {
	bindings    []Binding // in the order of binding
	maxMessages uint32    // 0 if never set
	onlyOnce    bool
	cards       map[string][]byte // that were attached to names
}

// memory is what a Ksock keeps besides its connection, which may be replaced.
type memory struct {
	mu sync.Mutex
	remembered
	closed  bool
	running *attempt        // nil if there is none
	left    <-chan struct{} // closed when nothing is left of an attempt that was given up; nil if none was
}

// attempt is a Reopen that runs. There is one at a time, and Close ends it.
type attempt struct {
	stop context.CancelFunc
	over chan struct{}
}

// Reopened is what Reopen has done.
type Reopened struct {
	OldID, ID KsockID         // the Ksock's id before and now
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
// If the bus is not lost, Reopen does nothing, and ID is OldID. It fails as Open does, with ErrBusGone if the bus is lost
// once more, and with ErrClosed. Until it has succeeded the Ksock is as before to all who use it: the bus is lost, and
// nothing is forgotten. So it may be given up at any moment and tried again, and then begins anew.
func (k *Ksock) Reopen(ctx context.Context) (Reopened, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	end, err := k.memory.begin(ctx, stop)
	if err == nil {
		defer end()
		err = k.memory.noneLeft(ctx)
	}
	old := k.conn.Load()
	r := Reopened{OldID: old.ID(), ID: old.ID()}
	if err == nil {
		err = k.attempt(ctx, old, &r)
	}
	if err != nil && k.memory.isClosed() {
		err = &Error{Op: "reopen", Err: ErrClosed}
	}
	return r, err
}

// attempt makes everything again, or leaves the Ksock and r as they are.
func (k *Ksock) attempt(ctx context.Context, old *conn, r *Reopened) error {
	switch err := old.probe(ctx); { // nobody may have noticed yet
	case err == nil:
		return nil
	case old.Ended() != ErrBusGone:
		return err
	}
	c, err := k.endpoint.connect(ctx, k.mode)
	if err != nil {
		return err
	}
	made := Reopened{OldID: old.ID(), ID: c.ID()}
	if err = c.restore(ctx, k.memory.copy(), &made); err == nil {
		err = k.replace(old, c, made.Bound)
	}
	if err == nil {
		*r = made
		return nil
	}
	k.memory.leave(c)
	return err
}

// restore makes a new connection what the Ksock was told to be. Only the loss of the bus and the end of ctx stop it, and a
// setting that is refused.
func (c *conn) restore(ctx context.Context, m remembered, r *Reopened) error {
	if m.maxMessages != 0 {
		if err := c.perform(ctx, wire.OpMaxMessages, m.maxMessages, ""); err != nil {
			return err
		}
	}
	if m.onlyOnce {
		if err := c.perform(ctx, wire.OpOnlyOnce, 1, ""); err != nil {
			return err
		}
	}
	for _, b := range m.bindings {
		err := c.bound(ctx, wire.OpBind, b.Name, b.As)
		switch text := m.cards[b.Name]; {
		case stops(err):
			return err
		case err != nil:
			r.Failed = append(r.Failed, FailedBinding{b, err})
			continue
		case text != nil && b.As != Listener:
			if err := attach(ctx, c, b.Name, text); stops(err) { // of another refusal: then the name has no card
				return err
			}
		}
		r.Bound = append(r.Bound, b)
	}
	return nil
}

func stops(err error) bool { return errors.Is(err, ErrBusGone) || errors.Is(err, ErrCanceled) }

// replace makes c the Ksock's connection, unless the Ksock is closed.
func (k *Ksock) replace(old, c *conn, bound []Binding) error {
	driver.OwnedBy(c.Conn, k)
	k.memory.mu.Lock()
	defer k.memory.mu.Unlock()
	if k.memory.closed {
		return ErrClosed
	}
	c.Inherit(old.Conn)
	k.memory.bindings = slices.Clone(bound)
	k.conn.Store(c)
	return nil
}

// change changes what the Ksock was told to be.
func (m *memory) change(f func(*remembered)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.remembered)
}

// copy is what the Ksock was told to be.
func (m *memory) copy() remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.remembered
	t.bindings, t.cards = slices.Clone(t.bindings), maps.Clone(t.cards)
	return t
}

func (m *memory) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

// begin waits until there is no other attempt. Close calls stop.
func (m *memory) begin(ctx context.Context, stop context.CancelFunc) (end func(), err error) {
	ours := &attempt{stop, make(chan struct{})}
	end = func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.running = nil
		close(ours.over)
	}
	for other := m.enter(ours); other != nil; other = m.enter(ours) {
		select {
		case <-other.over:
		case <-ctx.Done():
			return nil, &Error{Op: "reopen", Err: driver.CanceledBy(ctx)}
		}
	}
	return end, nil
}

// enter makes an attempt the one that runs, unless there is another.
func (m *memory) enter(ours *attempt) (other *attempt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running != nil {
		return m.running
	}
	m.running = ours
	if m.closed {
		ours.stop()
	}
	return nil
}

// leave hangs up the connection of an attempt that was given up, and does not wait for the bus.
func (m *memory) leave(c *conn) {
	left := make(chan struct{})
	go func() {
		c.End(driver.ForGood)
		close(left)
	}()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left = left
}

// noneLeft waits until the bus has taken note of that.
func (m *memory) noneLeft(ctx context.Context) error {
	m.mu.Lock()
	left := m.left
	m.mu.Unlock()
	if left == nil {
		return nil
	}
	select {
	case <-left:
		return nil
	case <-ctx.Done():
		return &Error{Op: "reopen", Err: driver.CanceledBy(ctx)}
	}
}

// close ends an attempt, and has no other begin. What it gives waits until nothing is left.
func (m *memory) close() (wait func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	running := m.running
	if running != nil {
		running.stop()
	}
	return func() {
		if running != nil {
			<-running.over // what is stopped gives up, at once or nearly
		}
		ctx, done := context.WithTimeout(context.Background(), driver.Farewell)
		defer done()
		_ = m.noneLeft(ctx)
	}
}
