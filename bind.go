package kbus

import (
	"context"
	"encoding/json"
	"slices"

	"kbus.example/kbus/internal/card"
	"kbus.example/kbus/internal/wire"
)

// Role is what a Ksock binds to a name as.
type Role uint8

// The roles. A message goes to all Listeners of its name; a Request also to its one Replier. A Standby becomes the Replier
// when the one before it goes.
const (
	Listener Role = iota
	Replier
	Standby
)

// String gives "Listener", "Replier" or "Standby".
func (r Role) String() string {
	switch r {
	case Replier:
		return "Replier"
	case Standby:
		return "Standby"
	}
	return "Listener"
}

// Binding is a name that a Ksock is bound to.
type Binding struct {
	Name string
	As   Role
}

// Bind has the Ksock receive messages of that name from now on. The name may end in a wildcard: ".%" stands for one word,
// ".*" for one or more. A Ksock may bind to a name several times as Listener and then gets as many copies.
//
// ErrBadName and ErrNameTooLong are about the name; ErrReplierBound if it has a Replier already; ErrUserBindings,
// ErrBusBindings, ErrUserWildcards and ErrSameBinding at a limit. ErrEventUndelivered means that a Ksock that listens for
// replier bind events has not caught up: try again. On a bus that is joined to others, Bind as Replier waits until it is
// known whether the name is free there; ErrNoFederation if nobody can tell, ErrUndecided if that takes too long: try again.
//
// As Standby the Ksock becomes the Replier, if the name has none; else it stands by, and becomes the Replier, in one step of
// the bus, when that one goes: no Request finds the name without a Replier. What the old one was asked is not asked again; who
// had asked gets a Status, as ever. The first to stand by is the first in line. Nothing tells the Ksock that it has become the
// Replier but the Requests that come (and the replier bind event). ErrReplierBound if it is the Replier or stands by already,
// or the Replier is on another bus, or the daemon is older than this.
//
// If ctx ends first, the binding is taken back in case the bus performs it all the same.
func (k *Ksock) Bind(ctx context.Context, name string, as Role) error {
	if err := k.conn.Load().bound(ctx, wire.OpBind, name, as); err != nil {
		return err
	}
	k.memory.change(func(m *remembered) {
		m.bindings = append(m.bindings, Binding{name, as})
		if as != Listener { // a card of an earlier binding has gone with it
			delete(m.cards, name)
		}
	})
	return nil
}

func (c *conn) bound(ctx context.Context, op wire.Op, name string, as Role) error {
	c.Lock()
	defer c.Unlock()
	q := c.Question(op)
	defer c.Release(q)
	q.Arg, q.Text = uint32(as), name
	return c.ask(ctx, q)
}

// Unbind takes a binding back, the newest if there are several that are the same. Messages that wait in the queue because
// of it are removed, and the Sender of a Request among them gets the Status ErrUnbound. ErrNotBound if there is none;
// ErrEventUndelivered as for Bind. If ctx ends first, it is not known whether the binding is left. Replier and Standby mean the
// same here: the binding goes, whichever it is by now.
func (k *Ksock) Unbind(ctx context.Context, name string, as Role) error {
	if err := k.conn.Load().bound(ctx, wire.OpUnbind, name, as); err != nil {
		return err
	}
	k.memory.change(func(m *remembered) {
		for i, b := range slices.Backward(m.bindings) {
			if b.Name == name && (b.As == Listener) == (as == Listener) {
				m.bindings = slices.Delete(m.bindings, i, i+1)
				return
			}
		}
	})
	return nil
}

// Card is what a Replier says of its name, for people and for tools: what a Request of it does, and what its data should be. To the
// bus it means nothing.
type Card struct {
	Description string // in words
	ContentType string // of the data, for instance "application/json"; one line of at most 255 bytes
	Schema      string // of the data: JSON, or the text of a schema of another kind
}

// CardMistake is one thing that ParseCard finds wrong, and where: from 1 on, columns in characters.
type CardMistake = card.Mistake

// ParseCard reads a card as it stands in files, a JSON object with the keys description, contentType and schema, of which each may be
// left out. The error has a line for each mistake, which begins with line and column; errors.As finds the first as a *CardMistake, and
// the method Unwrap() []error gives all.
func ParseCard(text []byte) (Card, error) {
	c, err := card.Parse(text)
	if err != nil {
		return Card{}, err
	}
	return cardFrom(c), nil
}

func cardFrom(c *card.Card) Card {
	r := Card{c.Description, c.ContentType, string(c.Schema)}
	var text string
	if json.Unmarshal(c.Schema, &text) == nil {
		r.Schema = text
	}
	return r
}

// JSON is the card as ParseCard reads it, empty if there is nothing in it.
func (c Card) JSON() []byte {
	r := card.Card{Description: c.Description, ContentType: c.ContentType, Schema: json.RawMessage(c.Schema)}
	if !json.Valid(r.Schema) {
		r.Schema = nil
		if c.Schema != "" {
			r.Schema, _ = json.Marshal(c.Schema) // a string always can
		}
	}
	return r.JSON()
}

// Describe attaches a card to the binding by which a Ksock is the Replier of exactly that name or wildcard, or stands by, in the place of one that is there; an
// empty card takes it away. The card goes with the binding; Reopen attaches it again. It is kept as JSON of at most
// message.MaxCardBytes bytes.
//
// ErrNotBound if there is no such binding; ErrMessageTooLong; ErrMalformed if the content type is no line; ErrUserQueueBytes or ErrBusQueueBytes
// if the user keeps too much already; ErrUnknownOperation by a daemon older than this.
func Describe(ctx context.Context, k *Ksock, name string, c Card) error {
	return describe(ctx, k, name, c.JSON())
}

// describe attaches a card and remembers it for Reopen.
func describe(ctx context.Context, k *Ksock, name string, text []byte) error {
	if err := attach(ctx, k.conn.Load(), name, text); err != nil {
		return err
	}
	k.memory.change(func(m *remembered) {
		if m.cards == nil {
			m.cards = map[string][]byte{}
		}
		m.cards[name] = text
	})
	return nil
}

func attach(ctx context.Context, c *conn, name string, text []byte) error {
	c.Lock()
	defer c.Unlock()
	q := c.Question(wire.OpDescribe)
	defer c.Release(q)
	q.Arg, q.Bytes = uint32(len(name)), append([]byte(name), text...)
	err := c.ask(ctx, q)
	if e, ok := err.(*Error); ok {
		e.Name = name
	}
	return err
}

// Card is that of the Replier that is bound to exactly that text, else of the one that a Request of that name would go to; nil if there is no
// such Replier, or it has none. ErrUnknownOperation by a daemon older than this.
func (o *Observer) Card(ctx context.Context, name string) (*Card, error) {
	text, err := o.conn.Load().content(ctx, wire.OpCard, name)
	if err != nil || len(text) == 0 {
		return nil, err
	}
	c, err := ParseCard(text)
	if err != nil {
		return nil, garbled(wire.OpCard)
	}
	return &c, nil
}
