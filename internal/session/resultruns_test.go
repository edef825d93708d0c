package session

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Two buses get the same requests, and the sender of one wants runs. What its results say must be, when each run is
// written out, what the other's say one by one.

// result is one result of a SendMessage, or another frame.
type result struct {
	header  wire.Header
	payload string
}

// writtenOut takes apart what was sent, and writes runs out.
func writtenOut(t *testing.T, out []byte) (all []result, frames int) {
	for len(out) > 0 {
		h := wire.ParseHeader(out)
		payload := out[wire.HeaderBytes:][:h.PayloadBytes]
		out = out[wire.HeaderBytes+len(payload):]
		frames++
		more := uint32(0)
		if h.Op == wire.OpSendMessage {
			more, h.Arg = h.Arg, 0
		}
		all = append(all, result{h, string(payload)})
		for range more {
			s, ok := wire.ParseSent(payload)
			if !ok || s.Skipped != 0 || h.Condition != message.OK {
				t.Fatalf("a run of %v, %v", h, payload)
			}
			h.Seq++
			s.ID.Serial++
			payload = wire.AppendSent(nil, s)
			all = append(all, result{h, string(payload)})
		}
	}
	return all, frames
}

// runWorld is one of the two buses.
type runWorld struct {
	e                       *Engine
	sender, other, listener *Session
	got                     []byte
}

func newRunWorld(t *testing.T, features uint32) *runWorld {
	w := &runWorld{e: NewEngine(0, bus.New(bus.Config{MaxMessages: 8}), nil)}
	for _, s := range []**Session{&w.sender, &w.other, &w.listener} {
		*s = w.e.Connect(Peer{UID: 1000})
		if err := (*s).Handle(wire.Header{Op: wire.OpHello, Arg: 3}, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1, Features: features})); err != nil {
			t.Fatal(err)
		}
		welcome, _ := wire.ParseWelcome((*s).Out()[wire.HeaderBytes:])
		if welcome.Features != features {
			t.Fatalf("features %d of %d", welcome.Features, features)
		}
		(*s).Sent(len((*s).Out()))
	}
	return w
}

func (w *runWorld) handle(t *testing.T, s *Session, h wire.Header, payload []byte) {
	if err := s.Handle(h, slices.Clone(payload)); err != nil {
		t.Fatal(err)
	}
	w.e.Pump()
	for _, d := range w.e.Dirty() {
		if d != w.sender {
			d.Sent(len(d.Out()))
		}
	}
	if s != w.sender {
		s.Sent(len(s.Out()))
	}
}

// take has up to n bytes of the sender's results sent.
func (w *runWorld) take(n int) {
	out := w.sender.Out()
	out = out[:min(n, len(out))]
	w.got = append(w.got, out...)
	w.sender.Sent(len(out))
}

func TestRunsSayTheSame(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		plain, inRuns := newRunWorld(t, 0), newRunWorld(t, wire.FeatureRuns)
		both := [2]*runWorld{plain, inRuns}
		seq := []uint32{7, 1<<32 - 20}[r.IntN(2)]
		parted := false // by now they have been sent different parts
		names := []string{"$.A", "$.B", "$.nobody", "not a name"}
		for range 300 {
			h := wire.Header{Op: wire.OpSendMessage, Flags: wire.Lazy}
			head := message.Header{}
			who, payload := 0, []byte(nil)
			switch n := r.IntN(40); {
			case n < 30:
				if r.IntN(8) == 0 {
					h.Flags = 0
				}
				if r.IntN(12) == 0 {
					head.Flags = message.AllOrFail
				}
				name := names[min(r.IntN(20), len(names)-1)%len(names)]
				if r.IntN(4) > 0 {
					name = "$.A"
				}
				payload = wire.AppendMessage(nil, &head, []byte(name), []byte("x"))
			case n < 32:
				h = wire.Header{Op: wire.OpNumMessages}
			case n < 34: // a message between two
				who, payload = 1, wire.AppendMessage(nil, &head, []byte("$.B"), nil)
			case n < 36:
				who, h, payload = 2, wire.Header{Op: wire.OpBind}, []byte(names[r.IntN(2)])
			case n < 37:
				who, h, payload = 2, wire.Header{Op: wire.OpUnbind}, []byte(names[r.IntN(2)])
			case n < 39:
				who, h = 2, wire.Header{Op: wire.OpNext, Arg: 8}
			default:
				some := r.IntN(100)
				parted = true
				for _, w := range both {
					w.take(some)
				}
				continue
			}
			if h.Seq = seq; who == 0 {
				seq++
				if r.IntN(30) == 0 {
					seq++
				}
			}
			for _, w := range both {
				w.handle(t, []*Session{w.sender, w.other, w.listener}[who], h, payload)
			}
			if !parted && plain.sender.Eager() != inRuns.sender.Eager() {
				t.Fatalf("seed %d: one hurries and the other does not", seed)
			}
			if r.IntN(20) == 0 || plain.sender.Busy() {
				parted = false
				for _, w := range both {
					w.take(len(w.sender.Out()))
				}
			}
		}
		for _, w := range both {
			w.take(len(w.sender.Out()))
		}
		want, n := writtenOut(t, plain.got)
		got, fewer := writtenOut(t, inRuns.got)
		if n != len(want) {
			t.Fatalf("seed %d: runs that nobody has asked for", seed)
		}
		if fewer >= n {
			t.Errorf("seed %d: %d frames instead of %d", seed, fewer, n)
		}
		if !slices.Equal(got, want) {
			i := 0
			for i < len(want) && i < len(got) && got[i] == want[i] {
				i++
			}
			t.Fatalf("seed %d: result %d of %d and %d: %s", seed, i, len(got), len(want), fmt.Sprint(got[i:min(i+2, len(got))], want[i:min(i+2, len(want))]))
		}
	}
}

// A stream is one result for each time that results are sent, whatever its length.
func TestOneResultForAStream(t *testing.T) {
	w := newRunWorld(t, wire.FeatureRuns)
	w.handle(t, w.listener, wire.Header{Op: wire.OpBind}, []byte("$.A"))
	payload := wire.AppendMessage(nil, &message.Header{}, []byte("$.A"), []byte("x"))
	for seq := range uint32(8) {
		w.handle(t, w.sender, wire.Header{Op: wire.OpSendMessage, Flags: wire.Lazy, Seq: seq}, payload)
	}
	if n := len(w.sender.Out()); n != wire.HeaderBytes+wire.SentBytes {
		t.Fatalf("%d bytes of results", n)
	}
	if h := wire.ParseHeader(w.sender.Out()); h.Arg != 7 || h.Seq != 0 {
		t.Fatalf("the result is %+v", h)
	}
}
