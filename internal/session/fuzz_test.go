package session

import (
	"fmt"
	"math/rand"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// FuzzSession lets three clients ask anything, well formed or not, read or not read their results, end and come again.
// Nothing panics, and always: every request is answered once, in order unless it waits; what waits is what could not be
// answered yet; a client that is not Busy is left nothing that it waits for.
func FuzzSession(f *testing.F) {
	f.Add([]byte("\x00\x03\x01\x01\x01\x03\x00\x02\x00\x0a\x00\x13\x01\x07\x00\x00\x01\x09\x01\x17"))
	f.Add([]byte("\x00\x09\x00\x11\x01\x09\x00\x11\x02\x0d\x00\x00\x00\x0c\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00"))
	f.Add([]byte("\x00\x16\x01\x00\x01\x03\x00\x05\x02\x03\x01\x01\x05\x00\x00\x00\x02\x19\x00\x31\x02\x1a\x00\x00"))
	f.Fuzz(play)
}

// TestRandomClients plays longer scripts than the fuzzer comes to, the same ones every time.
func TestRandomClients(t *testing.T) {
	for seed := range int64(300) {
		script := make([]byte, 4000)
		rand.New(rand.NewSource(seed)).Read(script)
		t.Run(fmt.Sprint(seed), func(t *testing.T) { play(t, script) })
	}
}

func play(t *testing.T, script []byte) {
	h := &hostile{t: t, e: NewEngine(3, bus.New(bus.Config{MaxMessages: 3, MaxSetAside: 4}), nil), script: script}
	for i := range h.clients {
		h.connect(i)
	}
	for len(h.script) > 0 {
		h.step()
		h.check()
	}
	for i := range h.clients {
		h.e.Disconnect(h.clients[i].s)
		h.check()
	}
	if i := h.e.bus.Info(); i.Ksocks != 0 || i.Bindings != 0 || i.QueueBytes != 0 || len(h.e.sessions) != 0 {
		t.Fatalf("after the end: %+v", i)
	}
}

type hostile struct {
	t       *testing.T
	e       *Engine
	clients [3]guest
	script  []byte
	seq     uint32
}

// guest is a client, the answers that it has not had yet, and the Requests that it must answer.
type guest struct {
	s       *Session
	ordered []uint32
	waiting map[uint32]wire.Op
	owed    []message.Header
}

func (h *hostile) byte() (b byte) {
	if len(h.script) > 0 {
		b, h.script = h.script[0], h.script[1:]
	}
	return b
}

func (h *hostile) connect(i int) {
	g := &h.clients[i]
	*g = guest{s: h.e.Connect(Peer{UID: uint32(i)}), waiting: map[uint32]wire.Op{}}
	mode := uint32(3)
	if b := h.byte(); b >= 0xf0 {
		mode = uint32(b % 5)
	}
	h.ask(g, wire.Header{Op: wire.OpHello, Arg: mode}, wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1}))
}

// step is four bytes of the script: who does what, operation, argument, payload.
func (h *hostile) step() {
	who, op, arg, payload := h.byte(), h.byte(), h.byte(), h.byte()
	i := int(who % 3)
	g := &h.clients[i]
	switch who / 3 % 16 {
	case 1: // take everything
		h.take(g, 1<<30)
	case 2: // take a little
		h.take(g, int(arg)*100)
	case 3:
		h.e.Disconnect(g.s)
		h.connect(i)
	case 4:
		if op < 2 { // rare, since little can happen afterwards
			h.e.Stop()
		}
	default:
		if g.s.ended != nil {
			h.e.Disconnect(g.s)
			h.connect(i)
		}
		head := wire.Header{Op: wire.Op(op % 41), Arg: h.argument(arg)}
		if op >= 164 { // the rest of them is for what matters most
			head.Op = [...]wire.Op{wire.OpSendMessage, wire.OpCall, wire.OpNext, wire.OpNextWait, wire.OpBind}[op%5]
		}
		if who > 250 {
			head.Flags, head.Condition = wire.Flags(arg&3), message.Condition(arg>>6)
		}
		h.ask(g, head, h.payload(g, head.Op, payload))
	}
}

func (h *hostile) argument(b byte) uint32 {
	switch {
	case b < 8:
		return uint32(b)
	case b < 16:
		return 0xFFFFFFFF
	case b < 128:
		return h.seq - uint32(b-16) // for Cancel
	}
	return uint32(b) * 1000
}

// payload makes one that fits the operation, or not.
func (h *hostile) payload(g *guest, op wire.Op, b byte) []byte {
	names := []string{"$.A", "$.A", "$.A", "$.A", "$.A.B", "$.*", "$.A.%", "$.KBUS.ReplierBindEvent", "", "$.bad."}
	name := []byte(names[int(b&0x0f)%len(names)])
	id := message.ID{Serial: h.e.bus.Info().NextSerial - uint32(b>>4)}
	if b == 0xff {
		n := min(int(h.byte()), len(h.script))
		raw := h.script[:n]
		h.script = h.script[n:]
		return raw
	}
	switch op {
	case wire.OpBind, wire.OpUnbind, wire.OpReplier, wire.OpWho, wire.OpEvict:
		return name
	case wire.OpDecide:
		return wire.AppendDecision(nil, message.Condition(b>>4))
	case wire.OpNextReply:
		return wire.AppendID(nil, id)
	case wire.OpSendMessage, wire.OpCall, wire.OpSendToListeners, wire.OpWrite:
		flags := h.byte()
		m := message.Header{Flags: message.Flags(flags&9) | message.Flags(flags&0x30)<<4}
		if op == wire.OpCall && b < 0xf0 {
			m.Flags |= message.WantAReply
		} else if n := len(g.owed); flags&0x40 != 0 && n > 0 {
			m.InReplyTo, m.To = g.owed[n-1].ID, g.owed[n-1].From
			g.owed = g.owed[:n-1]
		} else if flags&0x04 != 0 {
			m.InReplyTo, m.To = id, message.KsockID(b>>4)
		}
		data := make([]byte, int(flags>>7)*30000)
		if op == wire.OpWrite {
			entire := message.AppendEntire(nil, &m, name, data)
			return entire[:len(entire)-int(flags>>1&1)]
		}
		return wire.AppendMessage(nil, &m, name, data)
	}
	return nil
}

func (h *hostile) ask(g *guest, head wire.Header, payload []byte) {
	if g.s.ended != nil || g.s.Busy() {
		return
	}
	h.seq++
	head.Seq = h.seq
	switch {
	case mayWait[head.Op], head.Op == wire.OpBind && h.e.federation.federator != nil:
		g.waiting[h.seq] = head.Op
	default:
		g.ordered = append(g.ordered, h.seq)
	}
	before := g.s.greeted
	if err := g.s.Handle(head, payload); err != nil && !before && len(g.s.Out()) == 0 {
		g.ordered, g.waiting = nil, nil // a stranger is told nothing
	}
}

var mayWait = map[wire.Op]bool{
	wire.OpNextWait: true, wire.OpCall: true, wire.OpWaitSent: true, wire.OpNextReply: true, wire.OpNextBindRequest: true,
	wire.OpWaitReadable: true,
}

// take reads n bytes of results, whole frames only.
func (h *hostile) take(g *guest, n int) {
	for {
		head, payload, length, err := wire.Split(g.s.Out(), wire.MaxResultBytes)
		if err != nil {
			h.t.Fatal(err)
		}
		if length == 0 || length > n {
			break
		}
		h.answered(g, head, payload)
		n -= length
		g.s.Sent(length)
	}
	h.e.Pump()
}

func (h *hostile) answered(g *guest, head wire.Header, payload []byte) {
	if !head.Condition.Known() {
		h.t.Fatalf("unknown condition %d", head.Condition)
	}
	switch op, waits := g.waiting[head.Seq]; {
	case isEvent(head):
	case waits && op == head.Op:
		delete(g.waiting, head.Seq)
	case !waits && len(g.ordered) > 0 && g.ordered[0] == head.Seq:
		g.ordered = g.ordered[1:]
	default:
		h.t.Fatalf("%+v answers nothing that was asked; next is %v", head, g.ordered)
	}
	switch head.Op {
	case wire.OpNext, wire.OpNextWait, wire.OpNextReply, wire.OpCall:
		for n := head.Arg; n > 0; n-- {
			var m message.Header
			var ok bool
			var name []byte
			if name, _, payload, ok = wire.ParseMessage(payload, &m); !ok || message.CheckName(name) != message.OK {
				h.t.Fatalf("%+v has a broken message", head)
			}
			if m.WantsUsToReply() {
				g.owed = append(g.owed, m)
			}
		}
	}
}

func isEvent(head wire.Header) bool { return head.Op == wire.OpStopping && head.Seq == 0 }

func (h *hostile) check() {
	for _, s := range h.e.Dirty() {
		if s.closed || len(s.Out()) == 0 && s.ended == nil {
			h.t.Fatal("dirty without anything to send")
		}
	}
	for _, g := range h.clients {
		h.checkGuest(g)
	}
}

func (h *hostile) checkGuest(g guest) {
	s := g.s
	if s.closed {
		return
	}
	unread, b := 0, s.Out()
	for len(b) > 0 {
		head, _, n, err := wire.Split(b, wire.MaxResultBytes)
		if err != nil || n == 0 {
			h.t.Fatalf("a broken frame: %v", err)
		}
		if !isEvent(head) {
			unread++
		}
		b = b[n:]
	}
	if s.ended != nil {
		return
	}
	if asked := len(g.ordered) + len(g.waiting); asked != unread+s.Waiting() {
		h.t.Fatalf("%d not answered, but %d answers on their way and %d waiting", asked, unread, s.Waiting())
	}
	if s.ksock == nil || s.Busy() {
		return
	}
	if n := h.e.bus.NumMessages(s.ksock); s.nexts.len() > 0 && n > 0 {
		h.t.Fatalf("%d messages are kept from a NextWait", n)
	}
	if n := h.e.bus.NumMessages(s.ksock); len(s.readables) > 0 && n > 0 {
		h.t.Fatalf("a WaitReadable is not told of %d messages", n)
	}
	if len(s.sents) > 0 && !s.ksock.Sending() {
		h.t.Fatal("a WaitSent is not answered")
	}
	for _, c := range s.calls {
		if d, ok := h.e.bus.NextReply(s.ksock, c.request); ok {
			h.t.Fatalf("the answer %v is kept from %v", d.ID, c.op)
		}
	}
}
