package session

import (
	"fmt"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// The way of a message through an Engine, in steady state: no allocation, and one copy in and one copy out.

// traffic is the frames of clients that know each other, made once.
type traffic struct {
	w            *world
	asker, other *client
	announce     []byte
	request      []byte
	reply        []byte // its in_reply_to is filled in
}

func newTraffic(tb testing.TB, dataBytes int) *traffic { return newRuledTraffic(tb, dataBytes, 0) }

// newRuledTraffic is traffic on a bus with so many rules, which allow it.
func newRuledTraffic(tb testing.TB, dataBytes, ruleCount int) *traffic {
	all := []rules.Operation{rules.Open, rules.Send, rules.Request, rules.Listen, rules.Reply}
	set := &rules.Set{}
	for i := range ruleCount {
		set.Rules = append(set.Rules, rules.Rule{Allow: true, Operations: all[1:], Names: []string{fmt.Sprintf("$.Name%d.*", i)}})
	}
	if ruleCount > 0 {
		set.Rules[0] = rules.Rule{Allow: true, Operations: all}
	}
	laws := rules.NewLaws(set)
	w := &world{e: NewEngine(0, bus.New(bus.Config{}), nil), clients: map[string]*client{}}
	tr := &traffic{w: w}
	w.e.bus.SetRuled(ruleCount > 0)
	data := make([]byte, dataBytes)
	for _, c := range []**client{&tr.asker, &tr.other} {
		judge := &rules.Judge{}
		judge.Use(laws.For(&rules.Identity{UID: 1000}), nil)
		*c = &client{Session: w.e.Connect(Peer{UID: 1000, Judge: judge})}
		tr.must(tb, *c, wire.Header{Op: wire.OpHello, Arg: 3}, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
	}
	tr.must(tb, tr.other, wire.Header{Op: wire.OpBind, Arg: 1}, []byte("$.Ask"))
	tr.must(tb, tr.other, wire.Header{Op: wire.OpBind}, []byte("$.Tell"))
	tr.announce = wire.AppendMessage(nil, &message.Header{}, []byte("$.Tell"), data)
	tr.request = wire.AppendMessage(nil, &message.Header{Flags: message.WantAReply}, []byte("$.Ask"), data)
	tr.reply = wire.AppendMessage(nil, &message.Header{To: 1}, []byte("$.Ask"), data)
	return tr
}

// must performs a request and takes what it gives its own client.
func (tr *traffic) must(tb testing.TB, c *client, h wire.Header, payload []byte) {
	if err := c.Handle(h, payload); err != nil {
		tb.Fatal(err)
	}
	for _, s := range tr.w.e.Dirty() {
		s.Sent(len(s.Out()))
	}
	c.Sent(len(c.Out()))
}

// tell is an announcement from one client to another that waits for it.
func (tr *traffic) tell(tb testing.TB) {
	tr.must(tb, tr.other, wire.Header{Op: wire.OpNextWait}, nil)
	tr.must(tb, tr.asker, wire.Header{Op: wire.OpSendMessage, Flags: wire.Lazy}, tr.announce)
}

// fetch is an announcement that is queued and then taken.
func (tr *traffic) fetch(tb testing.TB) {
	tr.must(tb, tr.asker, wire.Header{Op: wire.OpSendMessage}, tr.announce)
	tr.must(tb, tr.other, wire.Header{Op: wire.OpNext}, nil)
}

// ask is a Call, the Replier's taking of the Request, and the Reply.
func (tr *traffic) ask(tb testing.TB) {
	tr.must(tb, tr.other, wire.Header{Op: wire.OpNextWait}, nil)
	tr.must(tb, tr.asker, wire.Header{Op: wire.OpCall}, tr.request)
	id := tr.w.e.bus.LastSent(tr.asker.ksock)
	wire.AppendID(tr.reply[8:8], id) // in_reply_to
	tr.must(tb, tr.other, wire.Header{Op: wire.OpSendMessage, Flags: wire.Lazy}, tr.reply)
	if tr.asker.Waiting() != 0 {
		tb.Fatal("the call was not answered")
	}
}

func TestNoAllocationOnTheWayOfAMessage(t *testing.T) {
	for _, n := range []int{0, 32, 1024, 65536} {
		tr := newTraffic(t, n)
		for what, do := range map[string]func(testing.TB){"tell": tr.tell, "fetch": tr.fetch, "ask": tr.ask} {
			do(t) // the first may make buffers
			if got := testing.AllocsPerRun(500, func() { do(t) }); got > 0 {
				t.Errorf("%s of %d bytes allocates %v times", what, n, got)
			}
		}
	}
}

// With rules neither, however many there are.
func TestNoAllocationWithRules(t *testing.T) {
	tr := newRuledTraffic(t, 32, 1000)
	for what, do := range map[string]func(testing.TB){"tell": tr.tell, "fetch": tr.fetch, "ask": tr.ask} {
		do(t)
		if got := testing.AllocsPerRun(500, func() { do(t) }); got > 0 {
			t.Errorf("%s allocates %v times", what, got)
		}
	}
	if quickly := tr.w.e.bus.Quickly(); quickly == (bus.Quickly{}) {
		t.Error("with rules no message goes a quick way")
	}
}

func BenchmarkHandle(b *testing.B) {
	for _, n := range []struct {
		name  string
		bytes int
	}{{"32B", 32}, {"1KiB", 1024}, {"64KiB", 65536}} {
		tr := newTraffic(b, n.bytes)
		for _, what := range []struct {
			name string
			do   func(testing.TB)
		}{{"tell", tr.tell}, {"fetch", tr.fetch}, {"ask", tr.ask}} {
			b.Run(what.name+"/"+n.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					what.do(b)
				}
			})
		}
	}
}

func BenchmarkHandleWithRules(b *testing.B) {
	for _, n := range []int{0, 1, 1000} {
		tr := newRuledTraffic(b, 32, n)
		b.Run(fmt.Sprintf("ask/rules=%d", n), func(b *testing.B) {
			for b.Loop() {
				tr.ask(b)
			}
		})
	}
}
