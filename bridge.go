package kbus

import (
	"context"
	"fmt"
	"time"

	"kbus.example/kbus/internal/machine"
	"kbus.example/kbus/internal/wire"
)

// What a Limpet needs that no other program does: to say again on one bus what was said on another, to stand for a
// Replier there, and to decide who may become one here. docs/protocol.md section 16 tells the operations,
// docs/limpets.md what they are for.

// Bridge is what programs need that join buses. On a daemon it is for the users that its setting `limpets` allows, else
// ErrNotPermitted.
type Bridge struct{ k *Ksock }

// Carry makes this Ksock one that carries messages from other buses to this one, until it is closed. network is the id
// by which they know this bus, the same for all Ksocks that carry to it, or ErrOtherNetwork; 0 does not say. It gives
// the incarnation of this bus, never 0: a number that it keeps for life, and that a new life of it does not have.
//
// From now on what this Ksock sends with another network's id, and in Extra the incarnation of the bus where it was said,
// keeps that Extra, and each Listener hears it once, whatever other ways it comes by. ErrHeard if it has come already,
// ErrStale if it is too old to tell, which can only be if there are several ways. A Request still reaches its Replier,
// and a Reply its addressee.
func (b Bridge) Carry(ctx context.Context, network uint32) (incarnation uint32, err error) {
	return b.k.conn.Load().number(ctx, wire.OpCarry, network, "")
}

// BindProxy is Bind as Replier for a Ksock that carries (else ErrNotPermitted), in the stead of a Replier elsewhere. The
// bind events tell its origin in OrigFrom: the id of its network, and how many buses away that is.
func (b Bridge) BindProxy(ctx context.Context, name string, of Origin) error {
	c := b.k.conn.Load()
	c.Lock()
	defer c.Unlock()
	q := c.Question(wire.OpBindProxy)
	defer c.Release(q)
	q.Bytes = wire.AppendProxy(nil, wire.Proxy{Of: of, Name: name})
	return c.ask(ctx, q)
}

// SendToListeners sends as Send does, but to Listeners only: the copy of a message that was said on another bus. A
// Request needs no Replier, nobody owes a Reply, and no room is kept for one; a Reply has no addressee, and arrives with
// To 0.
func (b Bridge) SendToListeners(ctx context.Context, m *Message) (Sent, error) {
	return b.k.sendBy(ctx, wire.OpSendToListeners, m)
}

// SinceBoot is how long ago this machine was started, the time that it has slept included. All processes of a machine
// see the same. It asks nobody: Bridge{}.SinceBoot() needs no Ksock.
func (Bridge) SinceBoot() time.Duration { return machine.SinceBoot() }

// Federator decides who may become a Replier on a bus that is joined to others. Its methods may be called from any
// number of goroutines.
type Federator struct{ k *Ksock }

// BindRequest is a Ksock that wants to become the Replier of a name, or the proxy of one elsewhere, and waits.
type BindRequest struct {
	Ksock KsockID
	PID   uint32 // process that has the Ksock open
	Of    Origin // of whom it is to be the proxy: network, and how many buses away; zero if it is none
	Name  string

	id uint32
}

// Federate makes this Ksock the bus's federator until it is closed. From then on every Bind as Replier by another Ksock,
// for a name that one of these bindings covers, is a BindRequest; its own need no decision. Without any bindings it is
// all names; those under `$.KBUS.` never are. ErrReplierBound if the bus has a federator.
//
// When the Ksock is closed, requests that wait end in ErrNoFederation and Binds are free again, unless the daemon's
// setting `federated` forbids it. With strict, all Repliers of such names are unbound first, and the Requests that wait
// for them get the Status ErrUnbound: nobody can vouch for them any more.
func (b Bridge) Federate(ctx context.Context, strict bool, names ...string) (*Federator, error) {
	if err := b.k.conn.Load().perform(ctx, wire.OpFederate, switchTo(strict), wire.JoinNames(names)); err != nil {
		return nil, err
	}
	return &Federator{b.k}, nil
}

// Next waits for the next BindRequest. Each comes once, and must be decided.
func (f *Federator) Next(ctx context.Context) (BindRequest, error) {
	c := f.k.conn.Load()
	c.Lock()
	defer c.Unlock()
	q := c.Question(wire.OpNextBindRequest)
	defer c.Release(q)
	if err := c.ask(ctx, q); err != nil {
		return BindRequest{}, err
	}
	r, ok := wire.ParseBindRequest(q.Payload)
	if !ok {
		return BindRequest{}, fmt.Errorf("next bind request: the bus sent %d bytes that are none", len(q.Payload))
	}
	return BindRequest{id: r.ID, Ksock: KsockID(r.Ksock), PID: r.PID, Of: r.Of, Name: r.Name}, nil
}

// Decide ends a BindRequest. With verdict 0 the Bind goes ahead, and the error tells if it failed all the same; any other
// Condition is what the Bind gives. ErrCanceled if the Ksock that asked has gone.
func (f *Federator) Decide(ctx context.Context, r BindRequest, verdict Condition) error {
	return f.perform(ctx, wire.OpDecide, r.id, wire.AppendDecision(nil, verdict))
}

// Evict takes another Ksock's binding as Replier away as if it had unbound itself, without fail. ErrNotBound if there is
// no such binding.
func (f *Federator) Evict(ctx context.Context, ksock KsockID, name string) error {
	return f.k.conn.Load().perform(ctx, wire.OpEvict, uint32(ksock), name)
}

// Vouch says until when the Repliers of the bus may be trusted, as SinceBoot counts; before the first Vouch it is for
// ever. If it is not said again in time, a strict federator is as good as gone until it is: all Repliers are unbound, at
// that moment and without its help, and Binds fail with ErrNoFederation. So a Limpet that stands still does no harm.
func (f *Federator) Vouch(ctx context.Context, until time.Duration) error {
	return f.perform(ctx, wire.OpVouch, 0, wire.AppendVouch(nil, uint64(max(until, 0))))
}

func (f *Federator) perform(ctx context.Context, op wire.Op, arg uint32, payload []byte) error {
	c := f.k.conn.Load()
	c.Lock()
	defer c.Unlock()
	q := c.Question(op)
	defer c.Release(q)
	q.Arg, q.Bytes = arg, payload
	return c.ask(ctx, q)
}
