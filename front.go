package kbus

import (
	"context"
	"slices"

	"kbus/internal/wire"
	"kbus/message"
)

// A link may show us the front of our queue (package ring), and then a message is taken without asking the bus: by a
// claim, which the bus learns of before it next decides anything about us. Only when the front is empty and the bus
// says that there is more, such as a message too large to be shown, do we ask as over any other link.
//
// Whoever waits for a message is a claimer until there is one. The leader sees to claimers as it does to questions.
type front interface {
	// claim takes the first message: its header into h, its name and data until release. When it has to claim, it claims
	// up to most messages at once and holds the others for the next calls.
	claim(h *Header, most uint32) (name, data []byte, ok bool, err error)

	// held counts those.
	held() uint32

	// release gives the message back. awaited says that somebody waits for the room that it leaves.
	release() (awaited bool)

	// inLog reports whether the data of the message claimed lies in memory that stays when others are claimed.
	inLog() bool

	// keep is instead of release, for such a message; giveBack follows, whether or not the connection still lasts.
	keep() (number uint32, awaited bool)
	giveBack(number uint32, lasts bool)

	// empty reports whether there is nothing held, nor to claim, nor more.
	empty() bool

	// more reports whether the bus has messages that an empty front does not show.
	more() bool

	// expect says whether recv should return when there is something to claim, or more.
	expect(bool)
}

// takeFront is take for a link with a front. after is a question whose failure makes waiting pointless, or nil.
func (c *conn) takeFront(ctx context.Context, op wire.Op, into *Message, after *question) (*Message, error) {
	if ctx.Err() == nil && c.ended == message.OK && len(c.claimers) == 0 {
		switch m, awaited, err := c.claim(into); {
		case err != nil:
			return nil, (&question{op: op}).failure(err)
		case m != nil:
			c.confirm(awaited)
			return m, nil
		}
	}
	q := c.question(op)
	defer c.release(q)
	if ctx.Err() != nil {
		return nil, q.failure(canceledBy(ctx))
	}
	if c.ended != message.OK {
		return nil, q.failure(c.ended)
	}
	q.into, q.arg = into, 1
	if op != wire.OpNextWait { // to find nothing, we ask: the bus may have news, or be gone
		return c.taken(q, into, c.ask(ctx, q))
	}
	c.claimers = append(c.claimers, q)
	c.front.expect(true) // before the last look, or we might sleep through what comes in between
	if err := c.serveClaimers(q); err != nil {
		c.unclaim(q)
		return nil, q.failure(err)
	}
	if after != nil {
		after.next = q
	}
	c.await(ctx, q)
	if !q.answered && c.unclaim(q) {
		return nil, q.failure(canceledBy(ctx))
	}
	c.confirm(q.awaited)
	return c.taken(q, into, c.finish(ctx, q))
}

// confirm waits until the bus has taken note of a claim that somebody else waits for: when a message is handed out, the
// room that it has left is there for others, as it is when a message is asked for.
func (c *conn) confirm(awaited bool) {
	if !awaited || c.ended != message.OK {
		return
	}
	reset := c.question(wire.OpReset)
	_ = c.ask(context.Background(), reset)
	c.release(reset)
}

// claim takes a message if there is one to be seen, into the one given if that is not nil.
func (c *conn) claim(into *Message) (m *Message, awaited bool, err error) {
	name, data, ok, err := c.front.claim(&c.header, c.readAhead)
	if err != nil || !ok {
		return nil, false, err
	}
	if m = into; m == nil {
		m = new(Message)
	}
	m.Header = c.header
	m.Name = c.names.of(name, m.Name)
	var lent bool
	if lent, awaited = c.lend(into, data); !lent {
		m.Data = append(m.Data[:0], data...)
		awaited = c.front.release()
	}
	c.asked.settle(m, c.id)
	return m, awaited, nil
}

// unload moves what the front holds to the inbox, before something else goes there.
func (c *conn) unload() {
	for c.front != nil && c.ended == message.OK && c.front.held() > 0 {
		m, _, err := c.claim(nil)
		if err != nil {
			return // whoever claims next hears of it
		}
		c.inbox.push(m)
	}
}

// serveClaimers gives claimers what there is, oldest first. own is the question of whoever calls.
func (c *conn) serveClaimers(own *question) error {
	for len(c.claimers) > 0 {
		q := c.claimers[0]
		m, awaited, err := c.claim(q.into)
		switch {
		case err != nil:
			return err
		case m == nil && !c.front.more():
			return nil
		}
		c.unclaim(q)
		if m == nil {
			if err := c.start(q); err != nil {
				return err
			}
			c.flush()
			continue
		}
		q.got, q.awaited, q.answered = m, awaited, true
		switch q {
		case own:
		case c.leads: // it sleeps in the link
			c.poke()
		default:
			q.signal()
		}
	}
	return nil
}

// unclaim takes a claimer out of the list, and reports whether it was there.
func (c *conn) unclaim(q *question) bool {
	i := slices.Index(c.claimers, q)
	if i < 0 {
		return false
	}
	c.claimers = slices.Delete(c.claimers, i, i+1)
	c.front.expect(len(c.claimers) > 0)
	return true
}

// sendAndClaim is sendAndReceive for a link with a front. When there is nothing to claim yet the result of the send
// is lazy: we shall be woken by the next message, and find it then. Either way it is known before the message is
// given out.
func (c *conn) sendAndClaim(ctx context.Context, send *question) (*Message, error) {
	if c.ended != message.OK || send.message.Flags.Has(AllOrWait) || !c.front.empty() {
		if err := c.settled(ctx, send, c.ask(ctx, send)); err != nil {
			return nil, err
		}
		return c.takeFront(ctx, wire.OpNextWait, nil, nil)
	}
	send.flags = wire.Lazy
	if err := c.start(send); err != nil {
		return nil, err
	}
	c.flush()
	m, err := c.takeFront(ctx, wire.OpNextWait, nil, send)
	if !send.answered && c.ended == message.OK { // the message was there before the bus had seen the Reply
		reset := c.question(wire.OpReset)
		_ = c.ask(context.WithoutCancel(ctx), reset) // answers come in order
		c.release(reset)
	}
	if send.next = nil; !send.answered {
		send.orphan = true
		return m, err
	}
	if failed := c.settled(ctx, send, send.fail()); failed != nil {
		if m != nil {
			c.inbox.putBack(m)
		}
		return nil, failed
	}
	return m, err
}
