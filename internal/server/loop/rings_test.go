package loop

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// What is tested of rings here is the daemon's end, against a client made from docs/protocol.md alone
// (rawclient.Rings).

// openRings is a Ksock on bus 0 that uses rings.
func (b *bench) openRings() *rawclient.Client {
	b.t.Helper()
	return rawclient.OpenRings(b.t, b.socket)
}

// openArena is a Ksock on bus 0 that uses rings and the arena.
func (b *bench) openLog() *rawclient.Client {
	b.t.Helper()
	return rawclient.OpenArena(b.t, b.socket)
}

// bystanders are two well-behaved Ksocks that talk while others misbehave.
type bystanders struct {
	t              *testing.T
	asker, replier *rawclient.Client
	rnd            *rand.Rand
	rounds         int
}

func (b *bench) bystanders(rings bool) *bystanders {
	open := b.open
	if rings {
		open = b.openLog
	}
	by := &bystanders{t: b.t, asker: open(), replier: open(), rnd: rand.New(rand.NewPCG(5, 6))}
	by.replier.Bind("$.Talk", true)
	return by
}

// talk is a Request and its Reply, checked byte by byte. Now and then it does not fit a ring.
func (by *bystanders) talk() {
	by.t.Helper()
	by.rounds++
	size := by.rnd.IntN(2000)
	if by.rounds%97 == 0 {
		size = 70_000 + by.rnd.IntN(100_000)
	}
	question := make([]byte, size)
	for i := range question {
		question[i] = byte(by.rnd.Uint32())
	}
	by.asker.Put(wire.OpCall, 0, request("$.Talk", string(question)))
	m := by.receive()
	if m.Name != "$.Talk" || !bytes.Equal(m.Data, question) {
		by.t.Fatalf("round %d: the Replier got %d bytes, or others than the %d asked", by.rounds, len(m.Data), size)
	}
	answer := bytes.Repeat(question, 2)
	by.replier.Must(wire.OpSendMessage, 0, replyTo(m, string(answer)))
	if m := by.asker.Next().Parse(by.t); m.InReplyTo.IsZero() || !bytes.Equal(m.Data, answer) {
		by.t.Fatalf("round %d: the asker got %d bytes, or others than the %d replied", by.rounds, len(m.Data), len(answer))
	}
}

// receive takes the message every other time, and waits in the bus for it otherwise.
func (by *bystanders) receive() message.Message {
	by.t.Helper()
	if by.replier.Rings != nil && by.rounds%2 == 0 {
		return by.replier.Receive()
	}
	return by.replier.Must(wire.OpNextWait, 0, nil).Parse(by.t)
}

// alone waits until the bystanders are the only ones on the bus.
func (by *bystanders) alone() {
	by.t.Helper()
	for {
		i, ok := wire.ParseInfo(by.asker.Must(wire.OpInfo, 0, nil).Payload)
		if !ok {
			by.t.Fatal("no Info")
		}
		if i.Ksocks == 2 && i.Connections == 2 {
			return
		}
	}
}

// buried waits until nothing is being closed any more.
func (b *bench) buried() {
	for burying := 1; burying > 0; {
		b.on(func(l *Loop) { burying = l.burying })
	}
}

// segments counts the rings mapped into this process, where the daemon and its clients are.
func segments(t testing.TB) int {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(maps), "memfd:kbus-ring")
}

// Whatever the sizes of what goes through, and however often the rings go over their ends, all of it comes, in order.
func TestRingsCarryEverything(t *testing.T) {
	for _, size := range []int64{4 << 10, 64 << 10, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			b := start(t, func(c *Config) { c.RingBytes = size })
			by := b.bystanders(true)
			for range 500 {
				by.talk()
			}
		})
	}
}

// A Hello may ask for rings and not get them; then all is as without.
func TestRingsOff(t *testing.T) {
	b := start(t, func(c *Config) { c.RingBytes = 0 })
	c := b.dial()
	f := c.Must(wire.OpHello, 3, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1, Features: wire.FeatureRings | 1<<31}))
	if w, _ := wire.ParseWelcome(f.Payload); w.Features != 0 {
		t.Errorf("granted %#x", w.Features)
	}
	c.Must(wire.OpReset, 0, nil)
	if n := segments(t); n != 0 {
		t.Errorf("%d segments are mapped", n)
	}
}

// What is in the ring when the client closes is done, even if it never looked at a result.
func TestLastWordsInRing(t *testing.T) {
	b := start(t, nil)
	listener := b.open()
	listener.Must(wire.OpMaxMessages, 5000, nil)
	listener.Bind("$.Last", false)
	const sent = 1000
	sender := b.openRings()
	var all []byte
	for i := range sent {
		all, _ = sender.Append(all, wire.OpSendMessage, 0, 0, announcement("$.Last", fmt.Sprint(i)))
	}
	for len(all) > 0 {
		all = all[sender.Rings.Append(all):]
		sender.Rings.Announce()
	}
	sender.Close()
	for i := range sent {
		listener.Put(wire.OpNextWait, 0, nil)
		if m := listener.Next().Parse(t); string(m.Data) != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, m.Data)
		}
	}
}

// Nothing is left of a connection: no descriptor, no mapping, and no interest of epoll, though the client keeps its
// copies of the descriptors.
func TestRingsLeaveNothing(t *testing.T) {
	b := start(t, nil)
	by := b.bystanders(true)
	by.talk()
	count := func() (descriptors, mapped, watched int) {
		b.buried()
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		b.on(func(l *Loop) {
			info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", l.epoll))
			if err != nil {
				t.Error(err)
			}
			watched = strings.Count(string(info), "tfd:")
		})
		return len(entries), segments(t), watched
	}
	descriptors, mapped, watched := count()
	var kept []*rawclient.Rings
	for range 100 {
		c := b.openRings()
		c.Must(wire.OpReset, 0, nil)
		c.Close()
		kept = append(kept, c.Rings)
	}
	by.alone()
	if d, m, w := count(); d != descriptors+300 || m != mapped+100 || w != watched {
		t.Errorf("%d descriptors, %d mappings and %d watched with the clients' copies of 100; %d, %d and %d before them",
			d, m, w, descriptors, mapped, watched)
	}
	for _, r := range kept {
		r.Close()
	}
	if d, m, _ := count(); d != descriptors || m != mapped {
		t.Errorf("%d descriptors and %d mappings are left; there were %d and %d", d, m, descriptors, mapped)
	}
	by.talk()
}

// Whoever reads the result of a send knows that the message can be taken: however requests come together in bursts, as
// many messages are visible as there are results.
func TestShownBeforeTold(t *testing.T) {
	b := start(t, nil)
	sender, reader := b.openRings(), b.openRings()
	reader.Must(wire.OpMaxMessages, 1000, nil)
	reader.Bind("$.A", false)
	rnd := rand.New(rand.NewPCG(7, 8))
	in, logged := make([]byte, 64<<10), uint32(0)
	for range 300 {
		var burst []byte
		count := logged + 1 + rnd.Uint32N(200)
		for n := logged; n < count; n++ {
			burst, _ = sender.Append(burst, wire.OpSendMessage, 0, 0, announcement("$.A", "x"))
		}
		sender.Raw(burst)
		for have := 0; logged < count; {
			n, err := sender.Read(in[have:])
			if err != nil {
				t.Fatal(err)
			}
			have += n
			rest := in[:have]
			for len(rest) >= wire.HeaderBytes+wire.SentBytes {
				logged++
				rest = rest[wire.HeaderBytes+wire.SentBytes:]
			}
			have = copy(in, rest)
			if shown := atomic.LoadUint32(reader.Rings.Word(rawclient.WindowState)) >> 16; shown < logged {
				t.Fatalf("%d results, but only %d messages shown", logged, shown)
			}
		}
		for {
			if payload, _ := reader.Rings.TakeMessage(); payload == nil {
				break
			}
		}
	}
}
