package kbus

import (
	"context"
	"fmt"
	"sync/atomic"

	"kbus.example/kbus/internal/client"
	"kbus.example/kbus/internal/client/driver"
	"kbus.example/kbus/internal/transport"
	"kbus.example/kbus/internal/wire"
)

// Ksock is one open of a bus: it can be Sender, Listener and Replier at once. All methods may be called from any number
// of goroutines.
//
// What asks the bus takes a context, and waits no longer than that lasts; a context without a deadline may wait for ever,
// since a daemon can stand still. When it ends, the error is that of the context (and its cause), and also ErrCanceled.
// Every such method may also fail with ErrClosed after Close and with ErrBusGone when the bus is lost; the comments tell
// only what else can happen.
//
// Most programs need no more than these methods. Views of the same Ksock hold the rest: Queue its own limits and figures,
// Settings those of the whole bus, Observer who else is there, File what the byte-wise interface of the original has, and
// Bridge what programs need that join buses. A view costs nothing, and lasts as long as the Ksock.
//
// A Ksock that is dropped without Close is closed when the garbage collector finds it. Close it all the same: until then
// its names are taken and its queue fills.
type Ksock struct {
	endpoint *endpoint
	conn     atomic.Pointer[conn]
	mode     Mode
	file     File

	memory memory
}

// ID is the number of the Ksock on its bus, from 1. It changes with Reopen.
func (k *Ksock) ID() KsockID { return k.conn.Load().ID() }

// Bus is the number of the bus.
func (k *Ksock) Bus() BusNumber { return BusNumber(k.conn.Load().Bus()) }

// Mode is what the Ksock was opened for.
func (k *Ksock) Mode() Mode { return k.mode }

// String gives "Ksock device 0, id 1, mode read/write", or "Ksock device 0 (closed)".
func (k *Ksock) String() string {
	c := k.conn.Load()
	if c.Ended() == ErrClosed {
		return fmt.Sprintf("Ksock device %d (closed)", c.Bus())
	}
	return fmt.Sprintf("Ksock device %d, id %d, mode %v", c.Bus(), c.ID(), k.mode)
}

// Close closes the Ksock. When it returns, the bus has taken note, unless it does not answer within a second. Every call
// that waits on the Ksock gets ErrClosed. It always succeeds, also a second time.
func (k *Ksock) Close() error {
	wait := k.memory.close()
	k.conn.Load().End(driver.Farewell)
	wait()
	return nil
}

// Queue is the view of the Ksock's own queue: its limits and figures.
func (k *Ksock) Queue() Queue { return Queue{k} }

// Settings is the view of what is set for the whole bus.
func (k *Ksock) Settings() Settings { return Settings{k} }

// Observer is the view of who else is on the bus. Its Close does nothing.
func (k *Ksock) Observer() *Observer { return &Observer{endpoint: k.endpoint, conn: &k.conn} }

// File is the view of the Ksock as the original's device files have it. There is one for each Ksock.
func (k *Ksock) File() *File { return &k.file }

// Bridge is the view for Limpets, the programs that join buses.
func (k *Ksock) Bridge() Bridge { return Bridge{k} }

// conn is the connection of a Ksock or an Observer. What it adds is errors as programs see them.
type conn struct{ *driver.Conn }

// question is one request on its way to the bus, and then its answer.
type question = client.Question

// newConn makes a connection of a link. mode is that of a Ksock, or 0 for an observer.
func newConn(ctx context.Context, l transport.Link, mode Mode, s settings) (*conn, error) {
	c, err := driver.New(ctx, l, driver.Options{
		Options:  client.Options{KeepLate: s.keepLate, ReadAhead: s.readAhead},
		Mode:     uint32(mode),
		Original: s.original,
	})
	if err != nil {
		return nil, publicError(err)
	}
	return &conn{c}, nil
}

// publicError makes an error of the client what programs get.
func publicError(err error) error {
	if f, ok := err.(*client.Failure); ok {
		return (*Error)(f)
	}
	return err
}

// ask asks and waits for the answer. The error is that of the answer, too.
func (c *conn) ask(ctx context.Context, q *question) error { return publicError(c.Ask(ctx, q)) }

// Most operations are a number or a name to the bus and a number or some bytes back.

// perform asks for what is answered by a condition alone.
func (c *conn) perform(ctx context.Context, op wire.Op, arg uint32, text string) error {
	_, err := c.number(ctx, op, arg, text)
	return err
}

// number asks what is answered by a number.
func (c *conn) number(ctx context.Context, op wire.Op, arg uint32, text string) (uint32, error) {
	c.Lock()
	defer c.Unlock()
	q := c.Question(op)
	defer c.Release(q)
	q.Arg, q.Text = arg, text
	err := c.ask(ctx, q)
	return q.Number, err
}

// content asks what is answered by more than that.
func (c *conn) content(ctx context.Context, op wire.Op, text string) ([]byte, error) {
	c.Lock()
	defer c.Unlock()
	q := c.Question(op)
	defer c.Release(q)
	q.Text = text
	err := c.ask(ctx, q)
	return q.Payload, err
}

// probe asks for nothing but an answer.
func (c *conn) probe(ctx context.Context) error {
	c.Lock()
	defer c.Unlock()
	q := c.Question(wire.OpPoll)
	defer c.Release(q)
	return c.ask(ctx, q)
}

// missed asks for a number of 64 bits.
func (c *conn) missed(ctx context.Context) (total uint64, err error) {
	c.Lock()
	defer c.Unlock()
	q := c.Question(wire.OpMissed)
	defer c.Release(q)
	if err := c.ask(ctx, q); err != nil {
		return 0, err
	}
	total, ok := wire.ParseMissedTotal(q.Payload)
	if !ok {
		return 0, publicError(q.Failure(client.Unexpected("to missed")))
	}
	return total, nil
}
