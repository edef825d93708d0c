package kbus

import (
	"context"
	"fmt"
	"time"

	"kbus/internal/wire"
	"kbus/message"
)

// Federator decides who may become a Replier on a bus that is joined to others. Its methods may be called from any
// number of goroutines.
type Federator struct{ ksock *Ksock }

// Claim is a Ksock that wants to become the Replier of a name, or the proxy of one elsewhere, and waits.
type Claim struct {
	ID    uint32 // for Decide
	Ksock uint32
	PID   uint32 // process that has the Ksock open
	Of    Origin // of whom it is to be the proxy: network, and how many buses away; zero if it is none
	Name  string
}

// Federate makes this Ksock the bus's federator until it is closed. From then on every Bind as Replier by another Ksock,
// for a name that one of these bindings covers, is a Claim; its own need nobody's word. Without any bindings it is all
// names; those under `$.KBUS.` never are. ErrReplierBound if the bus has a federator.
//
// When the Ksock is closed, claims that wait end in ErrNoFederation and Binds are free again, unless the daemon's setting
// `federated` forbids it. With strict, all Repliers of such names are unbound first, and whoever waits for them gets the
// Status ErrUnbound: nobody can vouch for them any more.
func (k *Ksock) Federate(strict bool, names ...string) (*Federator, error) {
	arg := uint32(0)
	if strict {
		arg = 1
	}
	if err := k.conn.Load().tell(wire.OpFederate, arg, wire.JoinNames(names)); err != nil {
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
	return f.tell(wire.OpDecide, claim.ID, wire.AppendDecision(nil, message.Condition(verdict)))
}

// Evict takes somebody's binding as Replier away as if it had unbound itself, without fail. ErrNotBound if there is no
// such binding.
func (f *Federator) Evict(ksock uint32, name string) error {
	return f.ksock.conn.Load().tell(wire.OpEvict, ksock, name)
}

// Vouch says until when the Repliers of the bus may be trusted, as SinceBoot counts; before the first Vouch it is for
// ever. If it is not said again in time, a strict federator is as good as gone until it is: all Repliers are unbound, at
// that moment and without its help, and Binds fail with ErrNoFederation. So a Limpet that stands still does no harm.
func (f *Federator) Vouch(until time.Duration) error {
	return f.tell(wire.OpVouch, 0, wire.AppendVouch(nil, uint64(max(until, 0))))
}

func (f *Federator) tell(op wire.Op, arg uint32, payload []byte) error {
	c := f.ksock.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(op)
	defer c.release(q)
	q.arg, q.bytes = arg, payload
	return c.ask(context.Background(), q)
}
