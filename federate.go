package kbus

import (
	"context"
	"fmt"

	"kbus/internal/wire"
	"kbus/message"
)

// What a Limpet needs that no other program does: docs/protocol.md section 16 tells the operations, docs/limpets.md what
// they are for. On a daemon they are for whom its setting `limpets` allows, else ErrNotPermitted.

// SendToListeners sends as Send does, but to Listeners only: the copy of a message that was said on another bus (B24).
// A Request needs no Replier, nobody owes a Reply, and no room is kept for one; a Reply has no addressee, and arrives
// with To 0.
func (k *Ksock) SendToListeners(ctx context.Context, m *Message) (Sent, error) {
	return k.sendBy(ctx, wire.OpSendToListeners, m)
}

// Federator decides who may become a Replier on a bus that is joined to others. Its methods may be called from any
// number of goroutines.
type Federator struct{ ksock *Ksock }

// Claim is a Ksock that wants to become the Replier of a name, and waits.
type Claim struct {
	ID    uint32 // for Decide
	Ksock uint32
	PID   uint32 // process that has the Ksock open
	Name  string
}

// Federate makes this Ksock the bus's federator until it is closed. From then on every Bind as Replier by another Ksock
// is a Claim; its own need nobody's word. ErrReplierBound if the bus has a federator.
//
// When the Ksock is closed, claims that wait end in ErrNoFederation and Binds are free again. With strict, all
// Repliers of the bus are unbound first, and whoever waits for them gets the Status ErrUnbound: nobody can vouch for
// them any more.
func (k *Ksock) Federate(strict bool) (*Federator, error) {
	arg := uint32(0)
	if strict {
		arg = 1
	}
	if err := k.conn.Load().tell(wire.OpFederate, arg, ""); err != nil {
		return nil, err
	}
	return &Federator{k}, nil
}

// Next waits for the next Claim. Each is told once, and must be decided.
func (f *Federator) Next(ctx context.Context) (Claim, error) {
	c := f.ksock.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(wire.OpNextClaim)
	defer c.release(q)
	if err := c.ask(ctx, q); err != nil {
		return Claim{}, err
	}
	claim, ok := wire.ParseClaim(q.payload)
	if !ok {
		return Claim{}, fmt.Errorf("next claim: the bus sent %d bytes that are none", len(q.payload))
	}
	return Claim(claim), nil
}

// Decide ends a Claim. With verdict 0 the Bind goes ahead, and the error tells if it failed all the same; any other
// Condition is what the Bind gives. ErrCanceled if whoever made the Claim has gone.
func (f *Federator) Decide(claim Claim, verdict Condition) error {
	c := f.ksock.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(wire.OpDecide)
	defer c.release(q)
	q.arg, q.bytes = claim.ID, wire.AppendDecision(nil, message.Condition(verdict))
	return c.ask(context.Background(), q)
}

// Evict takes somebody's binding as Replier away as if it had unbound itself, without fail. ErrNotBound if there is no
// such binding.
func (f *Federator) Evict(ksock uint32, name string) error {
	return f.ksock.conn.Load().tell(wire.OpEvict, ksock, name)
}
