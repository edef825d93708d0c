package pair

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"kbus/limpet/wire"
)

// patience is how long the other end may take to say who it is.
const patience = 10 * time.Second

// greeting is a stream on whose other end we know who is.
type greeting struct {
	conn   net.Conn
	from   io.Reader // of conn, with what was read ahead
	peer   uint32
	secure bool
}

// security is the word for logs.
func (g *greeting) security() string {
	if g.secure {
		return "TLS"
	}
	return "plain"
}

// meet greets the Limpet that we have connected to. ready is called before we say anything about ourselves.
func meet(conn net.Conn, o *Options, ready func() error) (*greeting, error) {
	g := &greeting{conn: conn}
	_ = conn.SetDeadline(time.Now().Add(patience))
	certified := uint32(0)
	if !o.Legacy {
		secured, id, err := o.Credentials.secure(conn, o.ID, false)
		if err != nil {
			return nil, hungUp(err)
		}
		g.conn, certified, g.secure = secured, id, true
	}
	g.from = bufio.NewReaderSize(g.conn, readAhead)
	if err := ready(); err != nil {
		return nil, err
	}
	if _, err := g.conn.Write(wire.AppendHello(nil, o.ID)); err != nil {
		return nil, hungUp(err)
	}
	if err := g.hear(o.ID, certified); err != nil {
		return nil, err
	}
	return g, conn.SetDeadline(time.Time{})
}

// receive greets a Limpet that has connected to us. Its first byte tells what it speaks. It hears who we are only when
// it may join: ready is told its id, and may refuse. But one that has our own id is told, and then knows what is wrong.
func receive(conn net.Conn, o *Options, ready func(peer uint32) error) (*greeting, error) {
	g := &greeting{conn: conn}
	_ = conn.SetDeadline(time.Now().Add(patience))
	from := bufio.NewReaderSize(conn, readAhead)
	first, err := from.Peek(1)
	if err != nil {
		return nil, hungUp(err)
	}
	certified := uint32(0)
	switch {
	case first[0] == wire.TLSByte && o.Credentials == nil:
		_, _ = conn.Write(wire.AppendHello(nil, o.ID)) // so that it sees what we speak
		return nil, errors.New("the other end speaks TLS, and we have no certificates: see --certs")
	case first[0] == wire.TLSByte:
		secured, id, err := o.Credentials.secure(&peeked{conn, from}, o.ID, true)
		if err != nil {
			return nil, hungUp(err)
		}
		g.conn, certified, g.secure = secured, id, true
		from = bufio.NewReaderSize(secured, readAhead)
	case first[0] == wire.PlainByte && !o.Legacy:
		return nil, errors.New("the other end speaks plain text, which is refused; --legacy would accept it")
	case first[0] != wire.PlainByte:
		return nil, fmt.Errorf("the other end is no Limpet: it begins with byte 0x%02x", first[0])
	}
	g.from = from
	err = g.hear(o.ID, certified)
	if err == nil {
		err = ready(g.peer)
	}
	if err == nil || errors.As(err, new(*wire.OwnID)) {
		_, wrote := g.conn.Write(wire.AppendHello(nil, o.ID))
		err = errors.Join(err, hungUp(wrote))
	}
	if err != nil {
		return nil, err
	}
	return g, conn.SetDeadline(time.Time{})
}

// hear reads who the other end says that it is, and compares that with its certificate.
func (g *greeting) hear(own, certified uint32) (err error) {
	var hello [wire.HelloBytes]byte
	if _, err = io.ReadFull(g.from, hello[:]); err != nil {
		return explain(hungUp(err))
	}
	if g.peer, err = wire.ParseHello(hello, own); err != nil {
		return err
	}
	if g.secure && g.peer != certified {
		return fmt.Errorf("the other end says that its network id is %d, and its certificate is for %d", g.peer, certified)
	}
	return nil
}

// hungUp says what an end of the stream means before the end of the greeting.
func hungUp(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the other end has hung up without a greeting; its log says why")
	}
	return err
}

// peeked is a connection some of which has been read ahead.
type peeked struct {
	net.Conn
	from io.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.from.Read(b) }
