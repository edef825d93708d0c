package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"kbus.example/kbus"
)

// Messages of 32 bytes from one member to another, one at a time and as many as there may be, beside the same over plain
// NATS between the same servers. On the way between two members there are two buses and two Limpets more. What is
// measured is printed; what is judged is that all arrive, in order, and how much memory an idle member takes.

const (
	speedBytes  = 32
	speedWindow = 2000
	mostIdle    = 40 // MiB
)

// way carries messages from here to there. The sender is never more than window ahead.
type way struct {
	window  int
	send    func([]byte) error
	flush   func() error
	receive func() ([]byte, error)
}

func speedCase(p *play) error { return errors.Join(unorderedSpeed(p), orderedSpeed(p)) }

func unorderedSpeed(p *play) error {
	h, err := p.newTestbed(3)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.startAll(); err != nil {
		return err
	}
	p.wait(5 * time.Second) // so that the members are idle
	for _, b := range h.members {
		resident, err := b.limpet.resident()
		if err != nil {
			return err
		}
		fmt.Printf("    bowl %d: an idle member of the cluster takes %.1f MiB\n", b.id, resident)
		if resident >= mostIdle {
			return fmt.Errorf("that is more than %d MiB", mostIdle)
		}
	}
	ctx, stop := context.WithTimeout(p.ctx, patience)
	defer stop()
	kbusWay, err := h.kbusWay(ctx)
	if err != nil {
		return err
	}
	natsWay, err := h.natsWay(ctx)
	if err != nil {
		return err
	}
	var p50, rate [2]float64
	for i, w := range []way{natsWay, kbusWay} {
		if p50[i], err = w.latency(pick(p, 5000, 1000)); err != nil {
			return err
		}
		if rate[i], err = w.throughput(pick(p, 300_000, 60_000)); err != nil {
			return err
		}
		fmt.Printf("    %-11s p50 %.3f ms, %.0f messages a second\n", []string{"plain NATS:", "KBUS:"}[i], p50[i], rate[i])
	}
	fmt.Printf("    KBUS to plain NATS: p50 times %.2f, messages a second times %.2f\n", p50[1]/p50[0], rate[1]/rate[0])
	return nil
}

func (h *testbed) kbusWay(ctx context.Context) (way, error) { return h.busWay(ctx, 0, 0, speedWindow) }

// busWay is from a bus of the first member to one of the second.
func (h *testbed) busWay(ctx context.Context, fromBus, toBus uint32, window int) (w way, err error) {
	from, err := kbus.Open(ctx, kbus.BusNumber(fromBus), kbus.Dir(h.members[0].dir))
	if err != nil {
		return w, err
	}
	to, err := kbus.Open(ctx, kbus.BusNumber(toBus), kbus.Dir(h.members[1].dir), kbus.ReadAhead(64))
	if err != nil {
		return w, err
	}
	if _, err = to.Queue().SetLimit(ctx, uint32(4*window)); err != nil {
		return w, err
	}
	pipe := from.Pipe()
	m := kbus.Announcement("$.Speed", "")
	var got kbus.Message
	return way{
		window: window,
		send:   func(b []byte) error { m.Data = b; return pipe.Send(ctx, m) },
		flush:  func() error { _, err := pipe.Flush(ctx); return err },
		receive: func() ([]byte, error) {
			err := to.ReceiveInto(ctx, &got)
			return got.Data, err
		},
	}, to.Bind(ctx, "$.Speed", kbus.Listener)
}

// natsWay is from the first server to the second, and as all that is said on a bus is heard by all members, somebody at the
// third hears it too.
func (h *testbed) natsWay(ctx context.Context) (w way, err error) {
	var conns [4]*nats.Conn
	for i := 1; i <= 3; i++ {
		in, err := h.dial(i)
		if err != nil {
			return w, err
		}
		if conns[i], err = nats.Connect("nats://"+h.members[i-1].address()+":4222", nats.SetCustomDialer(in)); err != nil {
			return w, err
		}
	}
	context.AfterFunc(ctx, func() { conns[1].Close(); conns[2].Close(); conns[3].Close() })
	if _, err := conns[3].Subscribe("plain.speed", func(*nats.Msg) {}); err != nil {
		return w, err
	}
	sub, err := conns[2].SubscribeSync("plain.speed")
	if err != nil {
		return w, err
	}
	if err := conns[2].Flush(); err != nil {
		return w, err
	}
	// The interest must have reached the other server before anything is sent.
	for answered := false; !answered; {
		if err := conns[1].Publish("plain.speed", nil); err != nil {
			return w, err
		}
		_, err := sub.NextMsg(100 * time.Millisecond)
		answered = err == nil
		if err != nil && !errors.Is(err, nats.ErrTimeout) {
			return w, err
		}
	}
	return way{
		window: speedWindow,
		send:   func(b []byte) error { return conns[1].Publish("plain.speed", b) },
		flush:  func() error { return nil },
		receive: func() ([]byte, error) {
			for {
				m, err := sub.NextMsgWithContext(ctx)
				if err != nil || len(m.Data) > 0 {
					return m.Data, err
				}
			}
		},
	}, nil
}

func number(b []byte, n int) []byte {
	for i := range 4 {
		b[i] = byte(n >> (8 * i))
	}
	return b
}

func isNumber(b []byte, n int) error {
	if len(b) != speedBytes || b[0] != byte(n) || b[1] != byte(n>>8) || b[2] != byte(n>>16) || b[3] != byte(n>>24) {
		return fmt.Errorf("message %d came as %x", n, b)
	}
	return nil
}

// latency is the median from sending to receiving, in milliseconds, one message at a time.
func (w way) latency(count int) (float64, error) {
	data := make([]byte, speedBytes)
	var all []time.Duration
	for n := range count {
		start := time.Now()
		if err := errors.Join(w.send(number(data, n)), w.flush()); err != nil {
			return 0, err
		}
		got, err := w.receive()
		if err != nil {
			return 0, err
		}
		all = append(all, time.Since(start))
		if err := isNumber(got, n); err != nil {
			return 0, err
		}
	}
	return quantile(all, 0.5), nil
}

// throughput is messages a second. Room is given back many at a time, or a sender that has come to the end of the window
// would go on in steps of one message.
func (w way) throughput(count int) (float64, error) {
	room := make(chan struct{}, w.window)
	failed := make(chan error, 1)
	start := time.Now()
	go func() {
		data := make([]byte, speedBytes)
		for n := range count {
			select {
			case room <- struct{}{}:
			default: // the window is full: let the rest go before waiting
				if err := w.flush(); err != nil {
					failed <- err
					return
				}
				room <- struct{}{}
			}
			if err := w.send(number(data, n)); err != nil {
				failed <- err
				return
			}
		}
		failed <- w.flush()
	}()
	for n := range count {
		got, err := w.receive()
		if err != nil {
			return 0, errors.Join(fmt.Errorf("message %d: %w", n, err), drained(failed))
		}
		if err := isNumber(got, n); err != nil {
			return 0, err
		}
		if step := w.window / 4; (n+1)%step == 0 {
			for range step {
				<-room
			}
		}
	}
	return float64(count) / time.Since(start).Seconds(), <-failed
}

// drained is what has gone wrong at the other end, if anything.
func drained(failed <-chan error) error {
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}
