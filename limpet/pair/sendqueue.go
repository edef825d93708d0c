package pair

import (
	"fmt"
	"net"
	"sync"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/wire"
)

// sendQueue is the bytes that wait to be sent. Messages are appended under its lock and a goroutine of the stream writes
// out what has gathered, so a burst of messages takes one write, and no caller waits for a network.
type sendQueue struct {
	mu     sync.Mutex
	change sync.Cond // of anything below
	buffer []byte
	most   int // bytes that may wait
	closed bool
	broken error // what the stream ended in
	traced bool  // the other end takes trace contexts
}

// muchWaits is when no more should be taken from the bus.
const muchWaits = 1 << 20

// Write takes a message to be sent.
func (q *sendQueue) Write(m *kbus.Message) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return net.ErrClosed
	case q.broken != nil:
		return q.broken
	case len(q.buffer) > q.most:
		return fmt.Errorf("the other end does not read: %d bytes wait to be sent, and %d may (--unread)", len(q.buffer), q.most)
	}
	if q.traced {
		q.buffer = wire.AppendTraced(q.buffer, m)
	} else {
		q.buffer = wire.AppendMessage(q.buffer, m)
	}
	q.change.Broadcast()
	return nil
}

// Ready waits while much waits to be sent.
func (q *sendQueue) Ready() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.buffer) > muchWaits && !q.closed && q.broken == nil {
		q.change.Wait()
	}
}
