package websocket

import (
	"encoding/binary"
	"errors"
	"fmt"

	"kbus.example/kbus/internal/rules"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// What a page asks, judged. A gate is a function of the bytes that come: it has no I/O. Of each frame it keeps what it needs to
// judge it, 1 KiB at most, and passes the rest by.
//
// A request that is refused must have its result where the protocol wants it: behind those of the requests before it. So the
// daemon is asked for a Reset in its place, which does nothing and has a result; and that becomes the refusal (answers.go).

// gate judges the frames of one page.
type gate struct {
	door  *Door
	head  []byte // of the frame under way, as much of it as has come and is needed
	left  uint32 // bytes of its payload that are still to come
	drop  bool   // they are not passed on
	begun bool   // there was a Hello
}

// refusal is the result that a page gets in place of a Reset's.
type refusal struct {
	op        wire.Op
	condition message.Condition
	text      string
}

// mostMessages is what a page may set the limit of its queue to. It is what a Ksock has from the start.
const mostMessages = 100

// justAsk is the argument of a switch that is not to be turned.
const justAsk = 0xFFFFFFFF

// features are those that go through a stream of bytes and give no rights.
const features = wire.FeaturesFollowing | wire.FeatureRuns

var (
	errNoHello  = errors.New("the first frame must be a Hello")
	errMessage  = errors.New("a message is cut off")
	errObserver = errors.New("through a door there are no observers")
)

func newGate(d *Door) *gate {
	return &gate{door: d, head: make([]byte, 0, wire.HeaderBytes+wire.MessageHeaderBytes+message.MaxNameBytes)}
}

// judged is what came of some bytes: how many they were, whether a Reset goes to the daemon for them, and the refusal that is for
// its result, if there is one.
type judged struct {
	bytes   int
	reset   bool
	refused *refusal
}

// next takes bytes up to the end of one frame, or all of them, and appends to out what is to be sent to the daemon for them. An
// error is the end of the connection.
func (g *gate) next(out, in []byte) (to []byte, j judged, err error) {
	if g.left > 0 {
		j.bytes = int(min(uint64(g.left), uint64(len(in))))
		g.left -= uint32(j.bytes)
		if !g.drop {
			out = append(out, in[:j.bytes]...)
		}
		return out, j, nil
	}
	for len(g.head) < g.needs() {
		rest := in[j.bytes:]
		if len(rest) == 0 {
			return out, j, nil
		}
		more := min(g.needs()-len(g.head), len(rest))
		g.head = append(g.head, rest[:more]...)
		j.bytes += more
	}
	h := wire.ParseHeader(g.head)
	if j.refused, err = g.judge(h, g.head[wire.HeaderBytes:]); err != nil {
		return out, j, err
	}
	g.left, g.drop = h.PayloadBytes-uint32(len(g.head)-wire.HeaderBytes), j.refused != nil
	if j.reset = j.refused != nil || h.Op == wire.OpReset; j.refused != nil {
		out = wire.AppendHeader(out, wire.Header{Op: wire.OpReset, Seq: h.Seq})
	} else {
		out = append(out, g.head...)
	}
	g.head = g.head[:0]
	return out, j, nil
}

// needs is how many bytes of the frame under way must be there to judge it, as far as that is known.
func (g *gate) needs() int {
	if len(g.head) < wire.HeaderBytes {
		return wire.HeaderBytes
	}
	h, most := wire.ParseHeader(g.head), 0
	switch h.Op {
	case wire.OpHello, wire.OpBind, wire.OpReplier:
		most = message.MaxNameBytes
	case wire.OpSendMessage, wire.OpCall:
		most = wire.MessageHeaderBytes + message.MaxNameBytes
	}
	return wire.HeaderBytes + int(min(h.PayloadBytes, uint32(most)))
}

// judge looks at a frame of which as much as it needs is there; it may change that. What it does not know is refused.
func (g *gate) judge(h wire.Header, payload []byte) (*refusal, error) {
	if !g.begun {
		if h.Op != wire.OpHello {
			return nil, errNoHello
		}
		g.begun = true
		return nil, hello(h, payload)
	}
	switch h.Op {
	case wire.OpHello, wire.OpReset, wire.OpUnbind, wire.OpNext, wire.OpNextWait, wire.OpNextReply, wire.OpResend, wire.OpDiscard,
		wire.OpWaitSent, wire.OpPoll, wire.OpCancel, wire.OpGiveUp, wire.OpLastSent, wire.OpNumMessages, wire.OpNumUnreplied,
		wire.OpOnlyOnce, wire.OpWaitReadable, wire.OpMissed: // they are about the Ksock itself; a Hello more is the daemon's affair
		return nil, nil
	case wire.OpBind:
		operation := rules.Reply
		if h.Arg == wire.AsListener {
			operation = rules.Listen
		}
		return g.name(h, operation, payload), nil
	case wire.OpReplier:
		return g.name(h, rules.Request, payload), nil
	case wire.OpSendMessage, wire.OpCall:
		return g.message(h, payload)
	case wire.OpMaxMessages:
		return g.unless(h.Arg <= mostMessages, h.Op, fmt.Sprintf("a queue of more than %d messages", mostMessages)), nil
	case wire.OpMaxMessageSize:
		return g.unless(h.Arg <= 1, h.Op, "to set the maximum message size"), nil
	case wire.OpVerbose, wire.OpReportReplierBinds:
		asks := h.Arg == justAsk
		return g.unless(asks || h.Arg == 1 && h.Op == wire.OpReportReplierBinds && g.allows(rules.Listen, message.NameReplierBindEvent),
			h.Op, "to turn switches of the bus"), nil
	}
	if !h.Op.Known() {
		return &refusal{h.Op, message.ErrUnknownOperation, ""}, nil
	}
	return g.unless(false, h.Op, fmt.Sprintf("the operation %v", h.Op)), nil
}

// hello takes off the features that need more than bytes, or would give a page the manners of an original Ksock, which can hold up
// others.
func hello(h wire.Header, payload []byte) error {
	if h.Arg == 0 {
		return errObserver
	}
	if asked, ok := wire.ParseHello(payload); ok {
		asked.Features &= features
		copy(payload, wire.AppendHello(nil, asked))
	}
	return nil
}

func (g *gate) unless(may bool, op wire.Op, what string) *refusal {
	if may {
		return nil
	}
	return &refusal{op, message.ErrDenied, fmt.Sprintf("%v does not allow %s", g.door, what)}
}

func (g *gate) allows(o rules.Operation, name string) bool {
	return g.door.law.DecideAll(rules.Question{Operation: o, Name: name}).Allow
}

// deny refuses what the door does not allow for a name, which is valid.
func (g *gate) deny(op wire.Op, o rules.Operation, name string) *refusal {
	return g.unless(g.allows(o, name), op, "to "+rules.Question{Operation: o, Name: name}.String())
}

// name judges a payload that is a name to bind to. A pattern must be allowed as a whole, for what comes is not looked at again.
func (g *gate) name(h wire.Header, o rules.Operation, payload []byte) *refusal {
	if h.PayloadBytes > message.MaxNameBytes {
		return &refusal{h.Op, message.ErrNameTooLong, ""}
	}
	if c := message.CheckBinding(payload); c != message.OK {
		return &refusal{h.Op, c, message.NameFault(payload, false, true)}
	}
	return g.deny(h.Op, o, string(payload))
}

// message judges one that is to be sent.
func (g *gate) message(h wire.Header, payload []byte) (*refusal, error) {
	if len(payload) < wire.MessageHeaderBytes {
		return nil, errMessage
	}
	le := binary.LittleEndian
	nameLen, dataLen := le.Uint32(payload[48:]), le.Uint32(payload[52:])
	flags := message.Flags(le.Uint32(payload[44:]))
	whole := uint64(wire.MessageHeaderBytes) + uint64(nameLen) + uint64(dataLen)
	if followed := flags.Has(message.TraceMark) && whole < uint64(h.PayloadBytes); whole != uint64(h.PayloadBytes) && !followed {
		return nil, errMessage // what follows is for the daemon to judge
	}
	if nameLen > message.MaxNameBytes {
		return &refusal{h.Op, message.ErrNameTooLong, ""}, nil
	}
	name := payload[wire.MessageHeaderBytes : wire.MessageHeaderBytes+nameLen]
	if c := message.CheckName(name); c != message.OK {
		return &refusal{h.Op, c, message.NameFault(name, false, false)}, nil
	}
	clear(payload[0:8])   // its id, and
	clear(payload[24:32]) // its original sender: nobody says here that a message comes from another bus
	clear(payload[40:44]) // likewise
	isReply := le.Uint64(payload[8:]) != 0
	isRequest := h.Op == wire.OpCall || flags.Has(message.WantAReply)
	if isReply {
		if refused := g.reply(h.Op, string(name)); refused != nil {
			return refused, nil
		}
	}
	if isRequest {
		return g.deny(h.Op, rules.Request, string(name)), nil
	}
	if isReply {
		return nil, nil
	}
	return g.deny(h.Op, rules.Send, string(name)), nil
}

// reply judges a Reply. It reaches Listeners too, so it must have a name that the page could be the Replier for, or send; or say
// that the Replier has failed.
func (g *gate) reply(op wire.Op, name string) *refusal {
	if name == message.NameFailed || g.allows(rules.Send, name) {
		return nil
	}
	return g.deny(op, rules.Reply, name)
}
