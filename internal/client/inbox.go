package client

import (
	"slices"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// inbox is messages that have come and that nobody has received yet, oldest first. They come before anything that the bus
// still has. A message gets here when it came beside another one (read ahead), when its reader gave up before it came, and
// at the end, when the bus is lost.
type inbox struct{ list []*message.Message }

func (i *inbox) push(m *message.Message) { i.list = append(i.list, m) }

// pop gives nil when there is none.
func (i *inbox) pop() *message.Message {
	if len(i.list) == 0 {
		return nil
	}
	m := i.list[0]
	i.list[0] = nil
	if i.list = i.list[1:]; len(i.list) == 0 {
		i.list = nil
	}
	return m
}

// Pop takes the first message of the inbox, into the one given, if any; nil if there is none.
func (i *inbox) Pop(into *message.Message) *message.Message {
	m := i.pop()
	if m == nil || into == nil {
		return m
	}
	return copyInto(into, m)
}

func copyInto(into, m *message.Message) *message.Message {
	into.Header, into.Name, into.Missed, into.Trace = m.Header, m.Name, m.Missed, m.Trace
	into.Data = append(into.Data[:0], m.Data...)
	return into
}

// PutBack undoes a Pop.
func (i *inbox) PutBack(m *message.Message) { i.list = slices.Insert(i.list, 0, m) }

// PopReply takes the answer to one Request out of the inbox; nil if it is not there.
func (c *Core) PopReply(request message.ID) *message.Message {
	c.unload()
	list := c.inbox.list
	at := slices.IndexFunc(list, func(m *message.Message) bool { return m.To == c.ID && m.InReplyTo == request })
	if at < 0 {
		return nil
	}
	m := list[at]
	c.inbox.list = slices.Delete(list, at, at+1)
	return m
}

// Kept counts the messages that have come and that nobody has received.
func (c *Core) Kept() uint32 {
	n := uint32(len(c.inbox.list))
	if c.window != nil {
		n += c.window.Held()
	}
	return n
}

// Waiting reports whether a message is in the inbox.
func (i *inbox) Waiting() bool { return len(i.list) > 0 }

// Inherit takes over what is left in the inbox of an earlier connection.
func (c *Core) Inherit(earlier *Core) { c.inbox, earlier.inbox = earlier.inbox, inbox{} }

// passOn finds a reader for a message that nobody asked for: one that waits for one anyway, or the next that comes. The bus
// still owes such a reader an answer; it is for an orphan now.
func (c *Core) passOn(m *message.Message) {
	var q *Question
	if len(c.readers) > 0 {
		q = c.readers[0]
		c.Withdraw(q)
	} else if q = c.oldestReader(); q != nil {
		orphan := c.Question(wire.OpNextWait)
		orphan.seq, orphan.orphan = q.seq, true
		c.waiting[q.seq] = orphan
	} else {
		c.unload()
		c.inbox.push(m)
		return
	}
	q.Got, q.Answered = m, true
	if q.Into != nil {
		q.Got = copyInto(q.Into, m)
	}
	c.completed = append(c.completed, q)
}

// oldestReader is the first of the questions that wait for a message; nil if there is none.
func (a *questions) oldestReader() (oldest *Question) {
	for seq, q := range a.waiting {
		if q.Op == wire.OpNextWait && !q.orphan && (oldest == nil || a.seq-seq > a.seq-oldest.seq) {
			oldest = q
		}
	}
	return oldest
}

// names holds the names seen lately, so that receiving makes a string only of a new one.
type names struct{ known map[string]string }

const namesKept = 256

// of gives name as a string; old is the string it is going to replace.
func (n *names) of(name []byte, old string) string {
	if string(name) == old {
		return old
	}
	if s, ok := n.known[string(name)]; ok {
		return s
	}
	if n.known == nil || len(n.known) >= namesKept {
		n.known = map[string]string{}
	}
	s := string(name)
	n.known[s] = s
	return s
}
