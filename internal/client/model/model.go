// Package model is the rules of a client again, without cleverness, to compare package client with. It keeps lists, looks
// through all of them each time, and works out which Requests are outstanding from everything that has ever happened. It
// knows nothing of bytes: questions have names, and messages are their ids.
package model

import (
	"fmt"
	"slices"

	"kbus.example/kbus/message"
)

// Message is what a rule can depend on.
type Message struct {
	ID      int
	ReplyTo int // 0: not an answer
	Ours    bool
}

// Question is one that is asked and not answered.
type Question struct {
	Name     string
	Op       string
	Seq      int
	Request  bool
	Canceled bool
	Orphan   bool
	Piped    bool
}

// event is something that has happened to Requests.
type event struct {
	what string // "asked", "known", "never", "answered", "dropped"
	id   int
}

// Client is a client. What it sends and emits is added to Out and Emitted; the caller empties them.
type Client struct {
	KeepLate  bool
	ReadAhead int
	Front

	Open    []*Question // in the order of asking
	Readers []*Question // that wait for the window, oldest first
	Inbox   []Message
	Out     []string
	Emitted []string

	seq     int
	history []event
	waits   int // the Request that waits for room
}

// Front is what a window shows of the queue.
type Front struct {
	Window bool // there is one
	Shown  []Message
	Held   int // of those
}

// New is a client that has said Hello.
func New() *Client { return &Client{ReadAhead: 1, seq: 1} }

func (c *Client) emit(format string, args ...any) {
	c.Emitted = append(c.Emitted, fmt.Sprintf(format, args...))
}
func (c *Client) happened(what string, id int) { c.history = append(c.history, event{what, id}) }

// Ask asks.
func (c *Client) Ask(q *Question) {
	c.seq++
	q.Seq = c.seq
	c.Open = append(c.Open, q)
	c.Out = append(c.Out, fmt.Sprint(q.Op, " ", q.Seq))
	if q.Request {
		c.happened("asked", 0)
	}
}

// Cancel gives a question up.
func (c *Client) Cancel(q *Question) {
	if !slices.Contains([]string{"NextWait", "Call", "WaitSent"}, q.Op) {
		return
	}
	q.Canceled = true
	op := "Cancel"
	if q.Op == "Call" && !c.KeepLate {
		op = "GiveUp"
	}
	c.Ask(&Question{Op: op, Orphan: true})
}

// Receive takes a message, or waits for one.
func (c *Client) Receive(name string) {
	q := &Question{Name: name, Op: "NextWait"}
	if m, ok := c.Pop(); ok {
		c.emit("%s got %d", name, m.ID)
		return
	}
	if !c.Window {
		c.Ask(q)
		return
	}
	c.Readers = append(c.Readers, q)
	c.serve()
}

// Pop takes the first message of the inbox.
func (c *Client) Pop() (m Message, ok bool) {
	if len(c.Inbox) == 0 {
		return m, false
	}
	m, c.Inbox = c.Inbox[0], c.Inbox[1:]
	return m, true
}

// PopReply takes the answer to a Request out of the inbox.
func (c *Client) PopReply(request int) (m Message, ok bool) {
	c.unload()
	for i, m := range c.Inbox {
		if m.Ours && m.ReplyTo == request {
			c.Inbox = slices.Delete(c.Inbox, i, i+1)
			return m, true
		}
	}
	return m, false
}

// Show puts a message into the window.
func (c *Client) Show(m Message) {
	c.Shown = append(c.Shown, m)
	c.serve()
}

// StopWaiting takes a reader of the window away.
func (c *Client) StopWaiting(q *Question) {
	c.Readers = slices.DeleteFunc(c.Readers, func(r *Question) bool { return r == q })
}

func (c *Client) take() Message {
	if c.Held == 0 {
		c.Held = min(c.ReadAhead, len(c.Shown))
	}
	m := c.Shown[0]
	c.Shown, c.Held = c.Shown[1:], c.Held-1
	c.came(m)
	return m
}

func (c *Client) serve() {
	for len(c.Readers) > 0 && len(c.Shown) > 0 {
		q := c.Readers[0]
		c.Readers = c.Readers[1:]
		c.emit("%s got %d", q.Name, c.take().ID)
	}
}

func (c *Client) unload() {
	for c.Held > 0 {
		c.Inbox = append(c.Inbox, c.take())
	}
}

// came notes that a message has been handed over by the bus.
func (c *Client) came(m Message) {
	if m.ReplyTo != 0 && m.Ours {
		c.happened("answered", m.ReplyTo)
	}
}

func (c *Client) passOn(m Message) {
	if len(c.Readers) > 0 {
		c.emit("%s got %d", c.Readers[0].Name, m.ID)
		c.Readers = c.Readers[1:]
		return
	}
	for i, q := range c.Open {
		if q.Op == "NextWait" && !q.Orphan {
			c.emit("%s got %d", q.Name, m.ID)
			c.Open[i] = &Question{Op: q.Op, Seq: q.Seq, Orphan: true}
			return
		}
	}
	c.unload()
	c.Inbox = append(c.Inbox, m)
}

// Answer is the bus's: what became of a question, with the id of its own message or the messages that it brings.
func (c *Client) Answer(q *Question, condition string, id int, messages []Message) {
	c.Open = slices.DeleteFunc(c.Open, func(o *Question) bool { return o == q })
	got := 0
	for i, m := range messages {
		if q.Op != "Call" {
			c.came(m)
		}
		switch {
		case i == 0 && !q.Orphan:
			got = m.ID
		case q.Op == "Call" && !c.KeepLate: // nobody wants it any more
		default:
			c.passOn(m)
		}
	}
	c.note(q, condition, id)
	switch {
	case q.Orphan, q.Piped:
	case got != 0:
		c.emit("%s got %d", q.Name, got)
	default:
		c.emit("%s %s", q.Name, condition)
	}
}

func (c *Client) note(q *Question, condition string, id int) {
	switch q.Op {
	case "SendMessage":
		if condition != "ErrStillSending" {
			c.waits = 0
		}
		accepted := condition == "OK" || condition == "ErrPending"
		switch {
		case !q.Request:
		case accepted:
			c.happened("known", id)
			if condition == "ErrPending" {
				c.waits = id
			}
		default:
			c.happened("never", 0)
		}
	case "Call":
		if c.KeepLate && q.Canceled && condition == "ErrCanceled" {
			c.happened("known", id)
		} else {
			c.happened("never", 0)
		}
	case "Resend":
		if condition == "ErrPending" {
			return
		}
		if condition != "OK" {
			c.happened("dropped", c.waits)
		}
		c.waits = 0
	}
}

// Owed is the Requests that the bus owes an answer to, in the order in which they were accepted.
func (c *Client) Owed() (owed []int) {
	unknown, early := 0, []int{}
	remove := func(list []int, id int) ([]int, bool) {
		i := slices.Index(list, id)
		if i < 0 {
			return list, false
		}
		return slices.Delete(list, i, i+1), true
	}
	for _, e := range c.history {
		switch e.what {
		case "asked":
			unknown++
		case "known", "never":
			if e.what == "known" {
				was := false
				if early, was = remove(early, e.id); !was {
					owed = append(owed, e.id)
				}
			}
			if unknown--; unknown == 0 {
				early = nil
			}
		case "answered":
			was := false
			if owed, was = remove(owed, e.id); !was && unknown > 0 {
				early = append(early, e.id)
			}
		case "dropped":
			owed, _ = remove(owed, e.id)
		}
	}
	return owed
}

// End is the end: of the bus, or of the Ksock.
func (c *Client) End(condition message.Condition) {
	if condition == message.ErrBusGone {
		c.unload()
		for _, id := range c.Owed() {
			c.Inbox = append(c.Inbox, Message{ReplyTo: id, Ours: true})
		}
	} else {
		c.Inbox = nil
	}
	for _, q := range slices.Concat(c.Open, c.Readers) {
		if !q.Orphan && !q.Piped {
			c.emit("%s %s", q.Name, condition.Name())
		}
	}
	c.history, c.Open, c.Readers = nil, nil, nil
}
