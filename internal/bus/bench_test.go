package bus_test

import (
	"fmt"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/message"
)

func open(tb testing.TB, b *bus.Bus) *bus.Ksock {
	tb.Helper()
	k, c := b.Open(bus.Owner{})
	if c != message.OK {
		tb.Fatal(c)
	}
	return k
}

// BenchmarkAnnounce is one announcement to one listener, read at once, with other Ksocks and bindings standing by:
// their number must not matter.
func BenchmarkAnnounce(b *testing.B) {
	for _, others := range []int{0, 10, 1000, 10000} {
		b.Run(fmt.Sprintf("others=%d", others), func(b *testing.B) {
			bb := bus.New(bus.Config{})
			s, l := open(b, bb), open(b, bb)
			for i := range others {
				k := open(b, bb)
				bb.Bind(k, fmt.Sprintf("$.Other.%d.%%", i), false)
				bb.Bind(k, fmt.Sprintf("$.Other.%d.*", i), false)
				bb.Bind(k, fmt.Sprintf("$.Other.%d", i), true)
			}
			bb.Bind(l, "$.Sensor.Temperature", false)
			announce := announcer(b, bb, s, l)
			b.ReportAllocs()
			for b.Loop() {
				announce()
			}
		})
	}
}

func announcer(tb testing.TB, b *bus.Bus, s, l *bus.Ksock) func() {
	name, data := []byte("$.Sensor.Temperature"), make([]byte, 32)
	var h message.Header
	return func() {
		if o := b.Send(s, &h, name, data); o.Reached != 1 {
			tb.Fatal(o)
		}
		b.Woken()
		d, ok := b.Next(l)
		if !ok {
			tb.Fatal("nothing to read")
		}
		b.Release(&d)
		b.Due()
	}
}

// BenchmarkCall is one Request and its Reply, both read.
func BenchmarkCall(b *testing.B) {
	bb := bus.New(bus.Config{})
	call := caller(b, bb, open(b, bb), open(b, bb))
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
}

func caller(tb testing.TB, b *bus.Bus, s, r *bus.Ksock) func() {
	if c := b.Bind(r, "$.Lamp.Set", true); c != message.OK {
		tb.Fatal(c)
	}
	name, data := []byte("$.Lamp.Set"), make([]byte, 32)
	request := message.Header{Flags: message.WantAReply}
	return func() {
		o := b.Send(s, &request, name, data)
		q, ok := b.Next(r)
		if o.Err != message.OK || !ok {
			tb.Fatal(o, ok)
		}
		reply := message.Header{To: q.From, InReplyTo: q.ID}
		b.Release(&q)
		if o = b.Send(r, &reply, name, data); o.Err != message.OK {
			tb.Fatal(o)
		}
		a, ok := b.NextReply(s, reply.InReplyTo)
		if !ok {
			tb.Fatal("no reply")
		}
		b.Release(&a)
		b.Woken()
		b.Due()
	}
}

func TestMessagePathAllocatesNothing(t *testing.T) {
	b := bus.New(bus.Config{})
	s, l := open(t, b), open(t, b)
	b.Bind(l, "$.Sensor.*", false)
	for what, step := range map[string]func(){
		"announce": announcer(t, b, s, l),
		"call":     caller(t, b, s, l),
	} {
		if n := testing.AllocsPerRun(1000, step); n != 0 {
			t.Errorf("%s allocates %v times", what, n)
		}
	}
}

// BenchmarkAnnounceBesideWaiting is BenchmarkAnnounce while others wait for room in somebody else's queue.
func BenchmarkAnnounceBesideWaiting(b *testing.B) {
	for _, waiting := range []int{0, 10, 1000} {
		b.Run(fmt.Sprintf("waiting=%d", waiting), func(b *testing.B) {
			bb := bus.New(bus.Config{})
			s, l, full := open(b, bb), open(b, bb), open(b, bb)
			bb.Bind(l, "$.Sensor.Temperature", false)
			bb.Bind(full, "$.Full", false)
			bb.SetMaxMessages(full, 1)
			patient := message.Header{Flags: message.AllOrWait}
			bb.Send(s, &patient, []byte("$.Full"), nil)
			for range waiting {
				if o := bb.Send(open(b, bb), &patient, []byte("$.Full"), nil); o.Err != message.ErrPending {
					b.Fatal(o)
				}
			}
			announce := announcer(b, bb, s, l)
			b.ReportAllocs()
			for b.Loop() {
				announce()
			}
		})
	}
}
