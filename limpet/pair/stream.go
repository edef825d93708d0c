package pair

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"kbus"
	"kbus/limpet/wire"
)

// stream is a limpet.Link. What is to be sent goes into a buffer, and a goroutine writes out what has gathered there.
// So a burst of messages takes one write, and nobody who holds a lock waits for a network.
type stream struct {
	conn    net.Conn
	from    *wire.Reader
	written chan struct{} // closed when no more will be written

	mu     sync.Mutex
	change sync.Cond // of anything below
	buffer []byte
	closed bool
	broken error // what writing ended in
}

const (
	readAhead = 64 << 10
	// muchWaits is when no more should be taken from the bus.
	muchWaits = 1 << 20
	// tooMuchWaits cannot be reached by what comes from the bus. It is there for an end that asks, and reads no answers.
	tooMuchWaits = 64 << 20
	// lastWords is how long Close tries to send what waits.
	lastWords = time.Second
)

var errHungUp = errors.New("the Limpet at the other end has closed the link")

func newStream(g *greeting, maxDataBytes uint32) *stream {
	s := &stream{conn: g.conn, from: wire.NewReader(g.from, maxDataBytes), written: make(chan struct{})}
	s.change.L = &s.mu
	go s.writeOut()
	return s
}

// Read reads the next message.
func (s *stream) Read(m *kbus.Message) error {
	return closedByPeer(s.from.Read(m))
}

// closedByPeer is errHungUp for all that the system says when the other end has closed the link: also when it did so with
// something unread.
func closedByPeer(err error) error {
	if err == io.EOF || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return errHungUp
	}
	return err
}

// Write takes a message to be sent.
func (s *stream) Write(m *kbus.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return net.ErrClosed
	case s.broken != nil:
		return s.broken
	case len(s.buffer) > tooMuchWaits:
		return fmt.Errorf("the other end does not read: %d bytes wait to be sent", len(s.buffer))
	}
	s.buffer = wire.AppendMessage(s.buffer, m)
	s.change.Broadcast()
	return nil
}

// Ready waits while much waits to be sent.
func (s *stream) Ready() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.buffer) > muchWaits && !s.closed && s.broken == nil {
		s.change.Wait()
	}
}

// Close sends what waits and ends the stream.
func (s *stream) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.change.Broadcast()
	s.mu.Unlock()
	if !first {
		return nil
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(lastWords))
	<-s.written
	return s.conn.Close()
}

func (s *stream) writeOut() {
	defer close(s.written)
	var writing []byte
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for len(s.buffer) == 0 && !s.closed {
			s.change.Wait()
		}
		if len(s.buffer) == 0 {
			return
		}
		writing, s.buffer = s.buffer, writing[:0]
		s.change.Broadcast()
		s.mu.Unlock()
		_, err := s.conn.Write(writing)
		if cap(writing) > 2*muchWaits { // once was much
			writing = nil
		}
		s.mu.Lock()
		if err != nil {
			s.broken = closedByPeer(err)
			s.change.Broadcast()
			return
		}
	}
}
