package client

import (
	"slices"

	"kbus.example/kbus/message"
)

// Receiving in place. The data of a large message may lie in memory that all of the bus read (the arena, see
// docs/design.md), and a program that only looks at it need not copy it. It is the program's for the time of one call
// of its function, so there is nothing that it could forget to give back. Meanwhile the bus keeps the place, and as many
// as a Ksock may keep at a time; when it keeps more, because its functions take long, further messages are copied as
// ever. Nobody waits for it.

// mostInPlace is how many messages of one Ksock are looked at in place at a time. Further ones are copied.
const mostInPlace = 16

// borrowed is the messages of a Core that are looked at.
type borrowed struct {
	spare   []*Borrowing
	looking []*Borrowing // waiting for a message to look at
	lent    int          // looked at in place
}

// Borrowing is one message that is looked at.
type Borrowing struct {
	Message message.Message
	copied  []byte // where data goes that is not looked at in place
	lent    bool   // the data is not copied
	number  uint32 // then: what the link calls it
}

// Borrowing gives one whose Message can be taken Into; Borrowed follows when that has been tried.
func (b *borrowed) Borrowing() *Borrowing {
	p := new(Borrowing)
	if n := len(b.spare); n > 0 {
		p, b.spare = b.spare[n-1], b.spare[:n-1]
	}
	p.Message.Data = p.copied[:0]
	b.looking = append(b.looking, p)
	return p
}

// Borrowed says whether a message has come. If so it is the program's to look at until GiveBack.
func (b *borrowed) Borrowed(p *Borrowing, came bool) {
	i := slices.Index(b.looking, p)
	b.looking = slices.Delete(b.looking, i, i+1)
	switch {
	case !came:
		b.spare = append(b.spare, p)
	case !p.lent: // kept now, since the program may put something of its own there
		p.copied = p.Message.Data
	}
}

// lend leaves the data of the message that has just been taken where it is, if the message is for a program that looks
// at it there.
func (c *Core) lend(into *message.Message, data []byte) (lent, awaited bool) {
	if len(c.borrowed.looking) == 0 || c.borrowed.lent == mostInPlace || !c.window.InArena() {
		return false, false
	}
	for _, p := range c.borrowed.looking {
		if &p.Message == into {
			c.borrowed.lent++
			p.Message.Data, p.lent = data, true
			p.number, awaited = c.window.Keep()
			return true, awaited
		}
	}
	return false, false
}

// GiveBack takes a Place back.
func (c *Core) GiveBack(p *Borrowing) {
	if p.lent {
		c.borrowed.lent--
		c.window.GiveBack(p.number, c.ended == message.OK)
		p.lent = false
	}
	if cap(p.copied) > keptBytes {
		p.copied = nil
	}
	p.Message = message.Message{Name: p.Message.Name}
	c.borrowed.spare = append(c.borrowed.spare, p)
}
