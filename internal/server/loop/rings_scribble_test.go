package loop

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
)

var scribbles = flag.Int64("ring.scribbles", 1_000_000, "how often TestScribbles writes nonsense into a segment in use")

// intruder is a test that nobody hears fail: whatever becomes of a client that scribbles is fine.
type intruder struct {
	testing.TB
	cleanups []func()
}

type gaveUp struct{}

func (i *intruder) Helper()               {}
func (i *intruder) Fatal(...any)          { panic(gaveUp{}) }
func (i *intruder) Fatalf(string, ...any) { panic(gaveUp{}) }
func (i *intruder) Cleanup(f func())      { i.cleanups = append(i.cleanups, f) }

// intrude lives through one connection: it does what a client does, and between any two steps writes nonsense
// anywhere into its segment, while the daemon uses it. It returns when the connection has ended or after most
// scribbles.
func intrude(path string, seed uint64, most int, scribbled *atomic.Int64) {
	i := new(intruder)
	defer func() {
		recover() // its own mistakes, too: it believes what it scribbled
		for _, f := range i.cleanups {
			f()
		}
	}()
	open := rawclient.OpenRings
	if seed%2 == 0 {
		open = rawclient.OpenArena
	}
	c := open(i, path)
	c.Bind("$.*", false)
	raw, _ := c.SyscallConn()
	rnd := rand.New(rand.NewPCG(seed, 7))
	r, trash := c.Rings, make([]byte, 4096)
	requests := [][]byte{
		frame(wire.OpSendMessage, 1, 0, announcement("$.Noise", string(trash[:rnd.IntN(2000)]))),
		frame(wire.OpNext, 2, 3, nil), frame(wire.OpNextWait, 3, 1, nil), frame(wire.OpNumMessages, 4, 0, nil),
		frame(wire.OpPoll, 5, 0, nil), frame(wire.OpList, 6, 0, nil), frame(wire.OpCall, 7, 0, request("$.None", "")),
	}
	for n := 0; n < most; n += 50 {
		for range 50 {
			scribble(r, rnd)
		}
		if r.Append(requests[rnd.IntN(len(requests))]); rnd.IntN(3) > 0 {
			r.Announce()
		}
		switch rnd.IntN(4) {
		case 0:
			r.Take(trash)
		case 1:
			r.TakeMessage()
		case 2:
			r.Ring()
		}
		over := false
		raw.Control(func(fd uintptr) {
			m, _, err := unix.Recvfrom(int(fd), trash, unix.MSG_DONTWAIT)
			over = m == 0 && err == nil || err == unix.ECONNRESET
		})
		if over {
			return
		}
		scribbled.Add(50)
	}
}

// scribble writes one word: mostly into what is in the rings, the window and the slots; now and then into the words
// that the two sides go by, seldom into those that give it away.
func scribble(r *rawclient.Rings, rnd *rand.Rand) {
	hard := []int{
		rawclient.UpTail, rawclient.UpSkip, rawclient.UpHead, rawclient.DownTail, rawclient.DownSkip, rawclient.DownHead,
		rawclient.WindowState, rawclient.WindowWant,
	}
	soft := []int{
		rawclient.UpAsleep, rawclient.UpStranded, rawclient.DownAsleep, rawclient.DownStranded,
		rawclient.WindowReleased, rawclient.WindowMore,
	}
	switch w := rnd.IntN(5000); {
	case w == 0:
		atomic.StoreUint32(r.Word(4*rnd.IntN(len(r.Memory)/4)), rnd.Uint32())
	case w < 3:
		atomic.StoreUint32(r.Word(hard[rnd.IntN(len(hard))]), rnd.Uint32()>>rnd.IntN(32))
	case w < 5:
		atomic.AddUint32(r.Word(hard[rnd.IntN(len(hard))]), uint32(rnd.IntN(40)-8))
	case w < 200:
		atomic.StoreUint32(r.Word(soft[rnd.IntN(len(soft))]), uint32(rnd.IntN(4)))
	case w < 1000:
		atomic.StoreUint32(r.Word(r.Slots.Offset+4*rnd.IntN(r.Slots.Bytes/4)), rnd.Uint32())
	case w < 1050: // what the client has asked, while the daemon reads it
		atomic.StoreUint32(r.Word(r.Up.Offset+4*rnd.IntN(r.Up.Bytes/4)), rnd.Uint32())
	default:
		atomic.StoreUint32(r.Word(r.Down.Offset+4*rnd.IntN((len(r.Memory)-r.Down.Offset)/4)), rnd.Uint32())
	}
}

// A million scribbles by clients of many kinds of bad luck: the daemon lives, only their own connections end, and two
// bystanders talk without noticing, which is checked byte by byte.
func TestScribbles(t *testing.T) {
	most := *scribbles
	if raceEnabled || testing.Short() {
		most /= 10
	}
	b := start(t, func(c *Config) { c.Limits.Buses = 1 }) // a random frame may ask for one more
	by := b.bystanders(true)
	var scribbled, lives atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for scribbled.Load() < most {
			intrude(b.socket, uint64(lives.Add(1)), 2000, &scribbled)
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		by.talk()
	}
	by.alone()
	by.talk()
	t.Logf("%d scribbles in the lives of %d clients, of which the daemon ended %d; %d rounds of talk meanwhile",
		scribbled.Load(), lives.Load(), b.Count("connection ended"), by.rounds)
	if b.Count("connection ended") == 0 {
		t.Error("no scribble was found out")
	}
	if n := segments(t); n != 4 {
		t.Errorf("%d mappings are left; want those of the two bystanders, on either side", n)
	}
}

// A sender writes over the body of its message while it is being sent. What is delivered may be torn, which is its own
// fault, but all recipients get the same.
func TestRecipientsSeeOneBody(t *testing.T) {
	b := start(t, nil)
	takes, asks, socket := b.openLog(), b.openRings(), b.open()
	for _, c := range []*rawclient.Client{takes, asks, socket} {
		c.Bind("$.Torn", false)
	}
	sender := b.openRings()
	r := sender.Rings
	const messages = 500
	const whole = 16384 // so that no frame goes over the end of the ring
	body := make([]byte, whole-wire.HeaderBytes-wire.MessageBytes(len("$.Torn"), 0))
	send := frame(wire.OpSendMessage, 1, 0, announcement("$.Torn", string(body)))
	var from atomic.Int64 // offset in the segment of the body that is being sent
	var over atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for v := byte(1); !over.Load(); v++ {
			runtime.Gosched()
			if at := int(from.Load()); at > 0 {
				for i := 0; i < len(body); i += 64 {
					r.Memory[at+i] = v
				}
			}
		}
	}()
	torn := 0
	for n := range messages {
		at := r.Up.Offset + int(r.Tail%uint32(r.Up.Bytes))
		if r.Append(send) != whole {
			t.Fatal("no room for a frame")
		}
		from.Store(int64(at + whole - len(body)))
		r.Announce()
		if f := sender.Next(); f.Condition != 0 {
			t.Fatalf("message %d: %v", n, f.Condition.Err())
		}
		from.Store(0) // it is on its way; whoever works now needs the processor
		first := takes.Receive().Data
		second := asks.Must(wire.OpNextWait, 0, nil).Parse(t).Data
		third := socket.Must(wire.OpNextWait, 0, nil).Parse(t).Data
		if !bytes.Equal(first, second) || !bytes.Equal(second, third) {
			t.Fatalf("message %d: the recipients see different bodies", n)
		}
		if !bytes.Equal(first, body) {
			torn++
		}
	}
	over.Store(true)
	<-done
	t.Logf("%d bodies of %d were torn, and the same for everybody", torn, messages)
}
