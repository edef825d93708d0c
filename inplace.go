package kbus

import (
	"context"
	"slices"

	"kbus/internal/wire"
	"kbus/message"
)

// Receiving in place. The data of a large message may lie in memory that all of the bus read (the log, see
// docs/design.md), and a program that only looks at it need not copy it. It is the program's for the time of one call
// of its function, so there is nothing that it could forget to give back. Meanwhile the bus keeps the place, and as many
// as a Ksock may keep at a time; when it keeps more, because its functions take long, further messages are copied as
// ever. Nobody waits for it.

// inPlace is one message that is looked at.
type inPlace struct {
	message Message
	copied  []byte // where data goes that is not looked at in place
	lent    bool   // the data is not copied
	number  uint32 // then: what the link calls it
}

// mostInPlace is how many messages of one Ksock are looked at in place at a time. Further ones are copied.
const mostInPlace = 16

// InPlace waits for the next message, as Receive does, and calls use with it. The message is for reading, and only until
// use returns: its Data may be memory that is shared with others and cannot be written to, so that a program that tries
// crashes. Whoever wants to keep some of it, or to change it, copies that. If the Ksock is closed meanwhile, Data can
// still be read, but the bus may use the place again. The error is that of use, or as from Receive.
//
// It pays for messages of 32 KiB and more from a daemon, which are not copied then. With others it is like ReceiveInto.
func (k *Ksock) InPlace(ctx context.Context, use func(*Message) error) error {
	c := k.conn.Load()
	p, err := c.lookAt(ctx)
	if err != nil {
		return err
	}
	defer c.lookedAt(p)
	return use(&p.message)
}

func (c *conn) lookAt(ctx context.Context) (*inPlace, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := new(inPlace)
	if n := len(c.places); n > 0 {
		p, c.places = c.places[n-1], c.places[:n-1]
	}
	p.message.Data = p.copied[:0]
	c.looking = append(c.looking, p)
	_, err := c.take(ctx, wire.OpNextWait, &p.message)
	i := slices.Index(c.looking, p)
	c.looking = slices.Delete(c.looking, i, i+1)
	if err != nil {
		c.places = append(c.places, p)
		return nil, err
	}
	if !p.lent { // kept now, since the program may put something of its own there
		p.copied = p.message.Data
	}
	return p, nil
}

// lend leaves the data of the message that has just been claimed where it is, if the message is for somebody who looks at
// it there.
func (c *conn) lend(into *Message, data []byte) (lent, awaited bool) {
	if len(c.looking) == 0 || c.lent == mostInPlace || !c.front.inLog() {
		return false, false
	}
	for _, p := range c.looking {
		if &p.message == into {
			c.lent++
			p.message.Data, p.lent = data, true
			p.number, awaited = c.front.keep()
			return true, awaited
		}
	}
	return false, false
}

// lookedAt gives back what lookAt gave.
func (c *conn) lookedAt(p *inPlace) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.lent {
		c.lent--
		c.front.giveBack(p.number, c.ended == message.OK)
		p.lent = false
	}
	if cap(p.copied) > keptBytes {
		p.copied = nil
	}
	p.message = Message{Name: p.message.Name}
	c.places = append(c.places, p)
}
