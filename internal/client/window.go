package client

import (
	"slices"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A link may show us the front of our queue (package ring), and then a message is taken without asking the bus: by one
// step, which the bus learns of before it next decides anything about us. Only when the front is empty and the bus
// says that there is more, such as a message too large to be shown, do we ask as over any other link.
//
// A question that waits for a message is a reader of the window until there is one.

// Window is that front.
type Window interface {
	// Take takes the first message: its header into h; its name, its data and what follows until Release. It takes up to most
	// messages at once and holds the others for the next calls.
	Take(h *message.Header, most uint32, marks wire.Marks) (name, data []byte, f wire.Following, ok bool, err error)

	// Held counts those.
	Held() uint32

	// Release gives the message back. awaited says that somebody waits for the room that it leaves.
	Release() (awaited bool)

	// InArena reports whether the data of the first message lies in memory that stays when others are taken.
	InArena() bool

	// Keep is instead of Release, for such a message; GiveBack follows, whether or not the connection still lasts.
	Keep() (number uint32, awaited bool)
	GiveBack(number uint32, lasts bool)

	// Empty reports whether there is nothing held, nor to take, nor more.
	Empty() bool

	// More reports whether the bus has messages that an empty front does not show.
	More() bool

	// Expect says whether the link should return from receiving when there is something to take, or more.
	Expect(bool)
}

// reading is who takes from it.
type reading struct {
	window  Window // nil if the link has none
	readers []*Question
	header  message.Header // of the message that is being taken
}

// Look gives the Core a Window.
func (r *reading) Look(w Window) { r.window = w }

// HasWindow reports whether there is one.
func (r *reading) HasWindow() bool { return r.window != nil }

// WindowEmpty reports whether it shows nothing, and the bus has nothing else.
func (r *reading) WindowEmpty() bool { return r.window.Empty() }

// TakeNow takes a message if there is one to be seen and nobody waits for it, into the one given if that is not nil. If
// awaited, the caller waits until the bus has taken note (Confirm) before it hands the message out.
func (c *Core) TakeNow(into *message.Message) (m *message.Message, awaited bool, err error) {
	if len(c.readers) > 0 {
		return nil, false, nil
	}
	return c.take(into)
}

// AwaitTake makes a question a reader. ServeReaders is to be called next: the link wakes us only for what comes from now on.
func (r *reading) AwaitTake(q *Question) {
	r.readers = append(r.readers, q)
	r.window.Expect(true)
}

// After says that waiting for next is pointless if send fails.
func (c *Core) After(send, next *Question) { send.next = next }

// take takes a message.
func (c *Core) take(into *message.Message) (m *message.Message, awaited bool, err error) {
	name, data, f, ok, err := c.window.Take(&c.header, c.options.ReadAhead, c.marks)
	if err != nil || !ok {
		return nil, false, err
	}
	if m = into; m == nil {
		m = new(message.Message)
	}
	m.Header, m.Missed, m.Trace = c.header, f.Missed, message.TraceOf(f.Trace)
	m.Name = c.names.of(name, m.Name)
	var lent bool
	if lent, awaited = c.lend(into, data); !lent {
		m.Data = append(m.Data[:0], data...)
		awaited = c.window.Release()
	}
	c.asked.markAnswered(&m.Header, c.ID)
	return m, awaited, nil
}

// unload moves what the window holds to the inbox, before something else goes there.
func (c *Core) unload() {
	for c.window != nil && c.ended == message.OK && c.window.Held() > 0 {
		m, _, err := c.take(nil)
		if err != nil {
			return // the next that takes is told
		}
		c.inbox.push(m)
	}
}

// ServeReaders gives readers what there is, oldest first. After an error the connection is Lost.
func (c *Core) ServeReaders() error {
	for c.window != nil && len(c.readers) > 0 {
		q := c.readers[0]
		m, awaited, err := c.take(q.Into)
		switch {
		case err != nil:
			return err
		case m == nil && !c.window.More():
			return nil
		}
		c.Withdraw(q)
		if m == nil {
			if condition := c.Start(q); condition != message.OK {
				return condition
			}
			c.outgoing.hurry = true
			continue
		}
		q.Got, q.Awaited, q.Answered = m, awaited, true
		c.completed = append(c.completed, q)
	}
	return nil
}

// Withdraw takes a reader out of the list, and reports whether it was there.
func (r *reading) Withdraw(q *Question) bool {
	i := slices.Index(r.readers, q)
	if i < 0 {
		return false
	}
	r.readers = slices.Delete(r.readers, i, i+1)
	r.window.Expect(len(r.readers) > 0)
	return true
}
