package session

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// The scripts in testdata say what clients ask and what each of them is sent, in words. A line that is not indented is
// a request, "CLIENT OPERATION WORDS...", or a command to the test ("A connect", "A disconnect", "stop", "drained",
// "A hold", "A drain"). The indented lines after it are all frames that all clients are sent because of it.
//
// Words: N (the argument), seq=N, lazy, text=T or hex=H (the payload), id=N:N (a payload that is an id), and for a
// message $.Name to=N reply=N:N id=N:N extra=N flags=F,F data=T. Of Limpets: of=N:N (whose proxy), names=T,T, until=N (the
// moment of a Vouch); of taps: failures, kinds=N, ksock=N, bytes=N and names; "lapse" is that it has come, and "required" that the bus must have a federator. Then, to spoil a payload: cut=N (bytes off the end), zeros=N
// (bytes put to the end), lengths=N,N (of name and data, as the message has it), pointy (of an entire message).

var rewrite = flag.Bool("rewrite", false, "write what happens into the scripts, to be read and judged")

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := run(t, text)
			if *rewrite {
				if err := os.WriteFile(name, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			compare(t, name, text, got)
		})
	}
}

func compare(t *testing.T, name string, want, got []byte) {
	w, g := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range max(len(w), len(g)) {
		if i >= len(w) || i >= len(g) || w[i] != g[i] {
			t.Fatalf("%s:%d\nwant %q\ngot  %q", name, i+1, w[min(i, len(w)-1)], g[min(i, len(g)-1)])
		}
	}
}

// run performs a script and returns it with what was sent after each request.
func run(t *testing.T, script []byte) []byte { return runWith(t, script, func(*world) {}) }

// runWith is run with something that happens before each line.
func runWith(t *testing.T, script []byte, before func(*world)) []byte {
	w := newWorld(t, bus.Config{Incarnation: 77, Limits: bus.Limits{UserKsocks: 4, UserBindings: 6}})
	var alarms []uint64
	w.e.Alarm(func(at uint64) message.Condition {
		alarms = append(alarms, at)
		return message.OK
	})
	var done bytes.Buffer
	lines := bufio.NewScanner(bytes.NewReader(script))
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "  ") {
			continue
		}
		fmt.Fprintln(&done, line)
		if line == "" || line[0] == '#' {
			continue
		}
		before(w)
		for _, said := range w.command(strings.Fields(line)) {
			fmt.Fprintln(&done, "  "+said)
		}
		for _, at := range alarms {
			fmt.Fprintln(&done, "  the alarm is set to", at)
		}
		alarms = nil
	}
	return done.Bytes()
}

// world is a bus with named clients that take what they are sent at once.
type world struct {
	t       *testing.T
	e       *Engine
	config  bus.Config
	clients map[string]*client
	order   []string
}

type client struct {
	*Session
	seq  uint32
	hold bool // it does not read
}

func newWorld(t *testing.T, c bus.Config) *world {
	e := NewEngine(0, bus.New(c), nil)
	e.server = "kbusd 1" // as the scripts have it, whatever version there is
	e.SetTaps(Taps{Bytes: 500})
	return &world{t: t, e: e, config: c, clients: map[string]*client{}}
}

func (w *world) command(words []string) (said []string) {
	switch words[0] {
	case "stop":
		w.e.Stop()
		return w.said()
	case "lapse":
		w.e.Lapse()
		w.e.Pump()
		return w.said()
	case "required":
		w.e.RequireFederator()
		return nil
	case "drained":
		return append(w.said(), fmt.Sprint(w.e.Drained()))
	}
	name, verb, words := words[0], words[1], words[2:]
	c := w.clients[name]
	switch verb {
	case "connect":
		pid := uint32(1001 + len(w.order))
		c = &client{Session: w.e.Connect(Peer{UID: 1000, PID: pid, Program: "prog" + name})}
		w.clients[name] = c
		w.order = append(w.order, name)
		return w.said()
	case "disconnect":
		w.e.Disconnect(c.Session)
		return w.said()
	case "hold", "drain":
		c.hold = verb == "hold"
		return w.said()
	}
	h, payload := w.request(c, verb, words)
	err := c.Handle(h, payload)
	if said = w.said(); err != nil {
		said = append(said, name+" ended: "+err.Error())
	}
	return said
}

// said gives all frames that clients have been sent, and has them taken.
func (w *world) said() (said []string) {
	for _, name := range w.order {
		c := w.clients[name]
		for !c.hold && !c.closed && len(c.Out()) > 0 {
			h, payload, n, err := wire.Split(c.Out(), wire.MaxResultBytes)
			if err != nil || n == 0 {
				w.t.Fatalf("%s is sent a broken frame: %v % x", name, err, c.Out())
			}
			said = append(said, name+" "+show(h, payload))
			c.Sent(n)
			w.e.Pump()
		}
	}
	return said
}

var flagWords = map[string]message.Flags{
	"REQ": message.WantAReply, "URG": message.Urgent, "aFL": message.AllOrFail, "aWT": message.AllOrWait,
	"YOU": message.WantYouToReply, "SYN": message.Synthetic,
}

// request makes the frame that the words describe.
func (w *world) request(c *client, verb string, words []string) (h wire.Header, payload []byte) {
	c.seq++
	h.Seq = c.seq
	if h.Op = opNamed(verb); h.Op == 0 {
		w.t.Fatalf("no operation %q", verb)
	}
	if h.Op == wire.OpHello && len(words) == 1 {
		payload = wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1})
	}
	var m message.Message
	var spoils []string
	var filter wire.TapFilter
	var trace []byte
	for _, word := range words {
		key, value, isPair := strings.Cut(word, "=")
		switch {
		case strings.HasPrefix(word, "$"):
			m.Name = word
			filter.Patterns = append(filter.Patterns, word)
		case word == "failures":
			filter.OnlyFailures = true
		case key == "kinds":
			filter.Kinds = number(w.t, value)
		case key == "ksock":
			filter.Ksock = number(w.t, value)
		case key == "bytes":
			filter.DataBytes = number(w.t, value)
		case slices.Contains([]string{"cut", "zeros", "lengths", "pointy"}, key):
			spoils = append(spoils, word)
		case word == "lazy":
			h.Flags |= wire.Lazy
		case !isPair:
			h.Arg = number(w.t, word)
		case key == "seq":
			h.Seq = number(w.t, value)
		case key == "frameflags":
			h.Flags = wire.Flags(number(w.t, value))
		case key == "features":
			payload = wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1, Features: number(w.t, value)})
		case key == "text":
			payload = []byte(value)
		case key == "hex":
			payload, _ = hex.DecodeString(value)
		case key == "id":
			m.ID = id(w.t, value)
		case key == "reply":
			m.InReplyTo = id(w.t, value)
		case key == "extra":
			m.Extra = number(w.t, value)
		case key == "of":
			of := id(w.t, value)
			payload = wire.AppendProxy(nil, wire.Proxy{Of: message.Origin{Network: of.Network, Local: of.Serial}})
		case key == "names":
			payload = []byte(wire.JoinNames(strings.Split(value, ",")))
		case key == "until":
			payload = wire.AppendVouch(nil, uint64(number(w.t, value)))
		case key == "to":
			m.To = message.KsockID(number(w.t, value))
		case key == "data":
			m.Data = []byte(value)
		case key == "parent":
			m.Trace = &message.Trace{Parent: repeated(w.t, value)}
			trace = message.AppendTrace(nil, m.Trace)
		case key == "state":
			m.Trace.State = repeated(w.t, value)
			trace = message.AppendTrace(nil, m.Trace)
		case key == "follows":
			trace, _ = hex.DecodeString(value)
		case key == "flags":
			for f := range strings.SplitSeq(value, ",") {
				m.Flags |= flagWords[f]
			}
		default:
			w.t.Fatalf("what is %q?", word)
		}
	}
	switch h.Op {
	case wire.OpBind, wire.OpUnbind, wire.OpReplier, wire.OpWho, wire.OpBindProxy:
		payload = append(payload, m.Name...)
	case wire.OpTap:
		if payload == nil {
			payload = wire.AppendTapFilter(nil, filter)
		}
	case wire.OpNextReply:
		if payload == nil {
			payload = wire.AppendID(nil, m.ID)
		}
	case wire.OpWrite:
		if m.Name != "" {
			payload = message.AppendEntire(nil, &m.Header, []byte(m.Name), m.Data)
		}
	case wire.OpSendMessage, wire.OpCall, wire.OpSendToListeners:
		if payload == nil {
			wire.MarkTrace(&m.Header, trace)
			payload = append(wire.AppendMessage(nil, &m.Header, []byte(m.Name), m.Data), trace...)
		}
	}
	for _, word := range spoils {
		payload = spoil(w.t, payload, word)
	}
	return h, payload
}

// repeated is a text, or with a number before it so many of it: 200*x.
func repeated(t *testing.T, text string) string {
	if n, one, is := strings.Cut(text, "*"); is {
		return strings.Repeat(one, int(number(t, n)))
	}
	return text
}

func spoil(t *testing.T, payload []byte, word string) []byte {
	switch key, value, _ := strings.Cut(word, "="); key {
	case "cut":
		return payload[:len(payload)-int(number(t, value))]
	case "zeros":
		return append(payload, make([]byte, number(t, value))...)
	case "lengths":
		name, data, _ := strings.Cut(value, ",")
		binary.LittleEndian.PutUint32(payload[48:], number(t, name))
		binary.LittleEndian.PutUint32(payload[52:], number(t, data))
	case "pointy":
		payload = payload[:message.HeaderBytes]
		payload[64], payload[72] = 1, 1
	}
	return payload
}

func opNamed(name string) wire.Op {
	for op := range 256 {
		if wire.Op(op).String() == name {
			return wire.Op(op)
		}
	}
	return 0
}

func number(t *testing.T, s string) uint32 {
	n, err := strconv.ParseUint(s, 0, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

func id(t *testing.T, s string) message.ID {
	network, serial, _ := strings.Cut(s, ":")
	return message.ID{Network: number(t, network), Serial: number(t, serial)}
}

// show puts a result into words.
func show(h wire.Header, payload []byte) string {
	words := []string{h.Op.String() + fmt.Sprintf("(%d)", h.Seq), h.Condition.Name(), strconv.Itoa(int(h.Arg))}
	sends := []wire.Op{wire.OpSendMessage, wire.OpCall, wire.OpSendToListeners, wire.OpResend, wire.OpSend}
	reads := []wire.Op{wire.OpNext, wire.OpNextWait, wire.OpNextReply, wire.OpCall}
	switch sent, isSent := wire.ParseSent(payload); {
	case len(payload) == 0:
	case h.Op == wire.OpTapped:
		words = append(words, showEvent(payload))
	case h.Op == wire.OpLastSent, h.Op == wire.OpCall && len(payload) == wire.IDBytes:
		id, _ := wire.ParseID(payload)
		words = append(words, id.String())
	case h.Condition != message.OK && h.Condition != message.ErrPending:
		words = append(words, string(payload))
	case isSent && slices.Contains(sends, h.Op):
		words = append(words, fmt.Sprintf("%v reached %d skipped %d", sent.ID, sent.Reached, sent.Skipped))
	case slices.Contains(reads, h.Op):
		for len(payload) > 0 {
			var m message.Message
			name, data, rest, ok := wire.ParseMessage(payload, &m.Header)
			if !ok {
				return "a broken message"
			}
			m.Name, m.Data = string(name), data
			f, rest, ok := wire.Marks{Missed: true, Trace: true}.Cut(&m.Header, rest) // scripts have no such flags of a sender's
			if !ok {
				return "a broken mark"
			}
			m.Missed, m.Trace, payload = f.Missed, message.TraceOf(f.Trace), rest
			if m.Missed > 0 {
				words = append(words, fmt.Sprintf("(%d missed)", m.Missed))
			}
			words = append(words, m.String()+showTrace(m.Trace))
		}
	case h.Op == wire.OpHello:
		welcome, _ := wire.ParseWelcome(payload)
		words = append(words, fmt.Sprintf("%+v", welcome))
	case h.Op == wire.OpList:
		list, _ := wire.ParseList(payload)
		for _, k := range list {
			words = append(words, fmt.Sprintf("%+v", k))
		}
	case h.Op == wire.OpWho:
		replier, listeners, _ := wire.ParseWho(payload)
		words = append(words, fmt.Sprintf("%+v %+v", replier, listeners))
	case h.Op == wire.OpPeer:
		peer, _ := wire.ParsePeer(payload)
		words = append(words, fmt.Sprintf("%+v", peer))
	case h.Op == wire.OpMissed:
		total, _ := wire.ParseMissedTotal(payload)
		words = append(words, fmt.Sprint("in all ", total))
	case h.Op == wire.OpInfo:
		info, _ := wire.ParseInfo(payload)
		words = append(words, fmt.Sprintf("%+v", info))
	default:
		words = append(words, message.Quote(payload))
	}
	return strings.Join(words, " ")
}

// showEvent puts what a tap is shown into words.
func showEvent(payload []byte) string {
	var e wire.TapEvent
	if !wire.ParseTapEvent(payload, &e) {
		return "a broken event"
	}
	m := message.Message{Header: e.Header, Name: string(e.Name), Data: e.Data}
	text := fmt.Sprintf("by %d %s", e.Ksock, e.Program)
	if e.Missed > 0 {
		text = fmt.Sprintf("(%d missed) ", e.Missed) + text
	}
	if e.AsReplier {
		text += " as Replier"
	}
	if e.Replier > 0 {
		text += fmt.Sprintf(" to Replier %d", e.Replier)
	}
	if e.Reached+e.Skipped+e.SetAside > 0 {
		text += fmt.Sprintf(" reached %d skipped %d aside %d", e.Reached, e.Skipped, e.SetAside)
	}
	if len(e.Name) > 0 {
		text += fmt.Sprintf(" %v of %d bytes", &m, e.DataBytes) + showTrace(message.TraceOf(e.Trace))
	}
	return text
}

func showTrace(t *message.Trace) string {
	if t == nil {
		return ""
	}
	return fmt.Sprintf(" in trace %s %q", t.Parent, t.State)
}
