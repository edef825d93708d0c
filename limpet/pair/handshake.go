package pair

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"kbus.example/kbus/limpet/wire"
)

// A handshake finds out which Limpet is at the other end before anything else is sent: TLS with certificates, or plain
// text where that is allowed, and then a greeting with the network id.

// patience is how long the other end may take for it, and shortPatience to begin it.
const (
	patience      = 10 * time.Second
	shortPatience = 3 * time.Second
)

// within limits how long a handshake may take. The end of ctx sets a limit too, and that may have been before.
func within(ctx context.Context, conn net.Conn, d time.Duration) {
	_ = conn.SetDeadline(time.Now().Add(d))
	if ctx.Err() != nil {
		_ = conn.SetDeadline(time.Now())
	}
}

// handshake is a stream whose other end is known.
type handshake struct {
	conn      net.Conn
	from      io.Reader // of conn, with what was read ahead
	peer      uint32
	secure    bool
	connected bool // we have connected to it
}

// security is the word for logs.
func (g *handshake) security() string {
	if g.secure {
		return "TLS"
	}
	return "plain"
}

// initiate greets the Limpet that we have connected to. ready is called before we say anything about ourselves.
func initiate(ctx context.Context, conn net.Conn, o *Options, ready func() error) (*handshake, error) {
	g := &handshake{conn: conn, connected: true}
	within(ctx, conn, patience)
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
	if err := g.readHello(o.ID, certified); err != nil {
		return nil, err
	}
	return g, conn.SetDeadline(time.Time{})
}

// respond greets a Limpet that has connected to us. Its first byte shows which protocol it has. It gets our id only if it
// may join: ready gets its id, and may refuse. But one that has our own id gets it, and then knows what is wrong.
func respond(ctx context.Context, conn net.Conn, o *Options, ready func(peer uint32) error) (*handshake, error) {
	g := &handshake{conn: conn}
	within(ctx, conn, shortPatience)
	from := bufio.NewReaderSize(conn, readAhead)
	first, err := from.Peek(1)
	if err != nil {
		return nil, hungUp(err)
	}
	within(ctx, conn, patience)
	certified := uint32(0)
	switch {
	case first[0] == wire.TLSByte && o.Credentials == nil:
		_, _ = conn.Write(wire.AppendHello(nil, o.ID)) // so that it sees our protocol
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
	err = g.readHello(o.ID, certified)
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

// readHello reads the id of the other end, and compares it with its certificate.
func (g *handshake) readHello(own, certified uint32) (err error) {
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

// hungUp explains an end of the stream before the end of the handshake.
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
