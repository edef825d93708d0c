package websocket

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/coder/websocket"

	"kbus.example/kbus/internal/wire"
)

// One connection: a page, and its own connection to the daemon. Two flows carry bytes, one each way, and each waits for the other
// side, so nothing is kept beside their two buffers. What ends one ends the other.

const (
	mostMessageBytes = 64 << 10 // of one WebSocket message; longer frames come in several
	bufferBytes      = 32 << 10
	mostResets       = 64 // refusals, and Resets of the page, that wait for their results
)

type session struct {
	page     *websocket.Conn
	bus      net.Conn
	gate     *gate
	patience time.Duration
	resets   chan *refusal
	out      []byte // to the daemon
}

var (
	errText = errors.New("a message must be binary")
	errEnd  = errors.New("the page asks nothing more")
)

// run carries until either side ends.
func (s *session) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { s.bus.Close() })
	defer stop()
	s.page.SetReadLimit(mostMessageBytes)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s.farewell(s.toBus(ctx)) {
			cancel()
		}
	}()
	if err := s.toPage(ctx); errors.Is(err, io.EOF) {
		s.page.Close(websocket.StatusNormalClosure, "")
	}
	cancel() // what waits for room among the resets, too
	s.page.CloseNow()
	<-done
}

// farewell tells a page why nothing more is taken from it, and reports whether that ends the connection. After errEnd the daemon
// does.
func (s *session) farewell(err error) bool {
	switch {
	case errors.Is(err, errEnd):
		half, can := s.bus.(interface{ CloseWrite() error })
		return !can || half.CloseWrite() != nil
	case errors.Is(err, errText):
		s.page.Close(websocket.StatusUnsupportedData, err.Error())
	case errors.Is(err, errObserver):
		s.page.Close(statusDenied, err.Error())
	case errors.Is(err, errNoHello), errors.Is(err, errMessage):
		s.page.Close(websocket.StatusPolicyViolation, err.Error())
	}
	return true
}

// toBus carries what the page asks, until something is wrong or it has said that this is all.
func (s *session) toBus(ctx context.Context) error {
	buffer := make([]byte, bufferBytes)
	for {
		kind, message, err := s.page.Reader(ctx)
		if err != nil {
			return err
		}
		if kind != websocket.MessageBinary {
			return errText
		}
		length, err := s.ask(ctx, message, buffer)
		if err != nil {
			return err
		}
		if length == 0 {
			return errEnd
		}
	}
}

// ask judges what comes in one message, passes it to the daemon, and gives its length.
func (s *session) ask(ctx context.Context, message io.Reader, buffer []byte) (length int, err error) {
	for {
		n, end := message.Read(buffer)
		for in := buffer[:n]; len(in) > 0; {
			used, err := s.frame(ctx, in)
			if err != nil {
				return length, err
			}
			in = in[used:]
		}
		if err := s.flush(len(s.out)); err != nil {
			return length, err
		}
		if length += n; errors.Is(end, io.EOF) {
			return length, nil
		}
		if end != nil {
			return length, end
		}
	}
}

// frame judges bytes up to the end of a frame. What is to be sent for them is in s.out.
func (s *session) frame(ctx context.Context, in []byte) (n int, err error) {
	var step judged
	if s.out, step, err = s.gate.next(s.out, in); err != nil || !step.reset {
		return step.bytes, err
	}
	select {
	case s.resets <- step.refused:
		return step.bytes, nil
	default: // as many as there may be wait for results, for which they must have been sent; this one must not go before its turn
	}
	if err := s.flush(len(s.out) - wire.HeaderBytes); err != nil {
		return 0, err
	}
	select {
	case s.resets <- step.refused:
		return step.bytes, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// flush sends the first n bytes of s.out.
func (s *session) flush(n int) error {
	if n > 0 {
		if _, err := s.bus.Write(s.out[:n]); err != nil {
			return err
		}
	}
	s.out = append(s.out[:0], s.out[n:]...)
	return nil
}

// toPage carries what the daemon answers. io.EOF: it has ended.
func (s *session) toPage(ctx context.Context) error {
	a := &answers{refusals: s.resets}
	buffer, out := make([]byte, bufferBytes), make([]byte, 0, bufferBytes)
	for {
		n, err := s.bus.Read(buffer)
		if n > 0 {
			var wrong error
			if out, wrong = a.pass(out[:0], buffer[:n]); wrong == nil {
				wrong = s.write(ctx, out)
			}
			if wrong != nil {
				return wrong
			}
		}
		if err != nil {
			return err
		}
	}
}

// write sends a message to the page, which has some time to take it.
func (s *session) write(ctx context.Context, bytes []byte) error {
	if len(bytes) == 0 {
		return nil
	}
	ctx, done := context.WithTimeout(ctx, s.patience)
	defer done()
	return s.page.Write(ctx, websocket.MessageBinary, bytes)
}
