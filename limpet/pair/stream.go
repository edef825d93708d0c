package pair

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/wire"
)

// stream is a limpet.Link over a connection. Messages to be sent go into its sendQueue, which a goroutine writes out; a
// second goroutine sends heartbeats and misses those of the other end. The caller of Read reads.
type stream struct {
	conn        net.Conn
	from        *wire.Reader
	own, peer   uint32
	every       time.Duration // between two heartbeats
	stuck       time.Duration // that the other end may take nothing
	written     chan struct{} // closed when no more will be written
	stopped     chan struct{} // closed by Close
	receivedAny atomic.Bool   // something has come since the last tick
	waiting     atomic.Bool   // we wait for something to come

	sendQueue // its lock also guards what follows
	heartbeat heartbeat
}

const (
	readAhead = 64 << 10
	// atOnce is how much is written at once: so much must be taken within stuck.
	atOnce = 64 << 10
	// lastWords is how long Close tries to send what waits.
	lastWords = time.Second
)

// stuck is how long the other end may take nothing of what is sent.
var stuck = 30 * time.Second

var errHungUp = errors.New("the Limpet at the other end has closed the link")

// newStream makes one. most is how many bytes may wait to be sent: more are only there if the other end asks and reads no
// answers, for what comes from the bus waits there.
func newStream(g *handshake, own, maxDataBytes uint32, most int) *stream {
	s := &stream{
		conn: g.conn, own: own, peer: g.peer, every: heartbeatEvery, stuck: stuck, written: make(chan struct{}), stopped: make(chan struct{}),
	}
	s.from = wire.NewReader(countedReader{g.from, s}, maxDataBytes)
	s.most, s.change.L = most, &s.mu
	if g.connected {
		s.sendHeartbeat()
	}
	go s.writeOut()
	go s.tick()
	return s
}

// countedReader is what is read from the other end.
type countedReader struct {
	io.Reader
	s *stream
}

func (w countedReader) Read(b []byte) (int, error) {
	w.s.waiting.Store(true)
	n, err := w.Reader.Read(b)
	w.s.waiting.Store(false)
	w.s.receivedAny.Store(true)
	return n, err
}

// Read reads the next message.
func (s *stream) Read(m *kbus.Message) error {
	for {
		err := s.from.Read(m)
		if err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.broken != nil && errors.Is(err, os.ErrDeadlineExceeded) { // which is how we have ended it
				return s.broken
			}
			return closedByPeer(err)
		}
		if !isHeartbeat(m, s.peer) {
			return nil
		}
		s.mu.Lock()
		s.traced = string(m.Data) == takesTraces
		if s.heartbeat.received() {
			s.sendHeartbeat()
		}
		s.mu.Unlock()
	}
}

// sendHeartbeat sends one. Unless it is the first, by which the other end knows that there are any, something that waits
// to be sent is as good. mu is held, or no other goroutine is there yet.
func (s *stream) sendHeartbeat() {
	first := !s.heartbeat.sent
	s.heartbeat.sent = true
	if (first || len(s.buffer) == 0) && !s.closed && s.broken == nil {
		s.buffer = wire.AppendMessage(s.buffer, heartbeatFrom(s.own))
		s.change.Broadcast()
	}
}

// tick sends heartbeats, and ends the stream when those of the other end are missed.
func (s *stream) tick() {
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for {
		select {
		case <-s.stopped:
			return
		case <-tick.C:
		}
		s.mu.Lock()
		if s.receivedAny.Swap(false) {
			s.heartbeat.alive()
		}
		sendHeartbeat, lost := s.heartbeat.tick(s.waiting.Load())
		switch {
		case lost && s.broken == nil:
			s.broken = noHeartbeat{mostMissed * s.every}
			s.change.Broadcast()
			_ = s.conn.SetDeadline(time.Now()) // whose error Read and Write replace
		case sendHeartbeat:
			s.sendHeartbeat()
		}
		s.mu.Unlock()
	}
}

// closedByPeer is errHungUp for all errors of the system when the other end has closed the link: also when it did so with
// something unread.
func closedByPeer(err error) error {
	if err == io.EOF || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return errHungUp
	}
	return err
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
	close(s.stopped)
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
		for len(s.buffer) == 0 && !s.closed && s.broken == nil {
			s.change.Wait()
		}
		if len(s.buffer) == 0 || s.broken != nil {
			return
		}
		writing, s.buffer = s.buffer, writing[:0]
		s.change.Broadcast()
		s.mu.Unlock()
		err := s.write(writing)
		if cap(writing) > 2*muchWaits { // once was much
			writing = nil
		}
		s.mu.Lock()
		if err != nil {
			if s.broken == nil {
				s.broken = closedByPeer(err)
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				_ = s.conn.SetReadDeadline(time.Now()) // so that Read fails, too
			}
			s.change.Broadcast()
			return
		}
	}
}

// write writes what has gathered, as long as the other end takes some of it now and then.
func (s *stream) write(b []byte) error {
	for len(b) > 0 {
		n := min(len(b), atOnce)
		s.mu.Lock()
		if !s.closed && s.broken == nil { // else there is another limit
			_ = s.conn.SetWriteDeadline(time.Now().Add(s.stuck))
		}
		s.mu.Unlock()
		if _, err := s.conn.Write(b[:n]); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = fmt.Errorf("the other end reads nothing: %d bytes wait to be sent (%w)", len(b), err)
			}
			return err
		}
		b = b[n:]
	}
	return nil
}
