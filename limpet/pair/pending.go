package pair

import (
	"net"
	"slices"
	"sync"
)

// pending are connections whose other end has not shown yet which Limpet it is. Each needs a descriptor and a goroutine,
// so there is a limit; but connections that show nothing must not keep out one that can. So a connection too many closes
// the oldest: the handshake of a Limpet takes milliseconds.
type pending struct {
	mu  sync.Mutex
	all []*connection // the oldest first
}

type connection struct {
	conn    net.Conn
	evicted bool
}

// maxPending is how many there may be at once.
const maxPending = 256

// admit adds a connection.
func (p *pending) admit(conn net.Conn) *connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.all) >= maxPending {
		p.all[0].evicted = true
		_ = p.all[0].conn.Close()
		p.all = slices.Delete(p.all, 0, 1)
	}
	c := &connection{conn: conn}
	p.all = append(p.all, c)
	return c
}

// shown removes a connection: its other end has shown which Limpet it is, or has gone. It reports whether it was evicted.
func (p *pending) shown(c *connection) (evicted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.all, c); i >= 0 {
		p.all = slices.Delete(p.all, i, i+1)
	}
	return c.evicted
}
