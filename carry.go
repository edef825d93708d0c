package kbus

import (
	"context"

	"kbus/internal/wire"
	"kbus/message"
)

// What a Limpet needs that no other program does: to say again on one bus what was said on another, and to stand for a
// Replier there. docs/protocol.md section 16 tells the operations, docs/limpets.md what they are for. On a daemon they
// are for whom its setting `limpets` allows, else ErrNotPermitted.

// Carry makes this Ksock one that carries messages from other buses to this one, until it is closed. network is the id
// by which they know this bus, the same for all Ksocks that carry to it, or ErrOtherNetwork; 0 does not say. It gives
// the incarnation of this bus, never 0: a number that it keeps for life, and that a new life of it does not have.
//
// From now on what this Ksock sends with another network's id, and in Extra the incarnation of the bus where it was said,
// keeps that Extra, and each Listener hears it once, whatever other ways it comes by. ErrHeard if it has come already,
// ErrStale if it is too old to tell, which can only be if there are several ways. A Request still reaches its Replier,
// and a Reply its addressee.
func (k *Ksock) Carry(network uint32) (incarnation uint32, err error) {
	return k.conn.Load().number(wire.OpCarry, network, "")
}

// BindProxy is Bind as Replier for a Ksock that carries (else ErrNotPermitted), in the stead of a Replier elsewhere. The
// bind events tell its origin in OrigFrom: the id of its network, and how many buses away that is.
func (k *Ksock) BindProxy(name string, of Origin) error {
	c := k.conn.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.question(wire.OpBindProxy)
	defer c.release(q)
	q.bytes = wire.AppendProxy(nil, wire.Proxy{Of: message.Origin(of), Name: name})
	return c.ask(context.Background(), q)
}

// SendToListeners sends as Send does, but to Listeners only: the copy of a message that was said on another bus (B24).
// A Request needs no Replier, nobody owes a Reply, and no room is kept for one; a Reply has no addressee, and arrives
// with To 0.
func (k *Ksock) SendToListeners(ctx context.Context, m *Message) (Sent, error) {
	return k.sendBy(ctx, wire.OpSendToListeners, m)
}
