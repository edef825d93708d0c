package clients

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Words of scripts, and what they stand for.

var flagWords = []struct {
	word string
	flag message.Flags
}{
	{"REQ", message.WantAReply}, {"YOU", message.WantYouToReply}, {"SYN", message.Synthetic}, {"URG", message.Urgent},
	{"aWT", message.AllOrWait}, {"aFL", message.AllOrFail},
}

// messageOf reads a message. It reports false if there is none among the words.
func messageOf(p *player, words []string) (m message.Message, ok bool) {
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch {
		case strings.HasPrefix(word, "$"):
			m.Name, ok = word, true
		case key == "id":
			m.ID = id(p, value)
		case key == "reply":
			m.InReplyTo = id(p, value)
		case key == "from":
			m.From = message.KsockID(number(p, value))
		case key == "to":
			m.To = message.KsockID(number(p, value))
		case key == "missed":
			m.Missed = number(p, value)
		case key == "data":
			m.Data = []byte(value)
		case key == "flags":
			for one := range strings.SplitSeq(value, ",") {
				m.Flags |= flagNamed(p, one)
			}
		}
	}
	return m, ok
}

func flagNamed(p *player, word string) message.Flags {
	for _, f := range flagWords {
		if f.word == word {
			return f.flag
		}
	}
	p.fatalf("what is the flag %q?", word)
	return 0
}

// show puts a message into words.
func show(m *message.Message) string {
	words := []string{m.Name}
	add := func(key string, value any, is bool) {
		if is {
			words = append(words, fmt.Sprintf("%s=%v", key, value))
		}
	}
	add("id", strings.Trim(m.ID.String(), "[]"), !m.ID.IsZero())
	add("from", m.From, m.From != 0)
	add("to", m.To, m.To != 0)
	add("reply", strings.Trim(m.InReplyTo.String(), "[]"), !m.InReplyTo.IsZero())
	var flags []string
	for _, f := range flagWords {
		if m.Flags.Has(f.flag) {
			flags = append(flags, f.word)
		}
	}
	add("flags", strings.Join(flags, ","), len(flags) > 0)
	add("missed", m.Missed, m.Missed != 0)
	add("data", string(m.Data), len(m.Data) > 0)
	return strings.Join(words, " ")
}

// canonical writes a message in words in the order that show has.
func canonical(p *player, line string) string {
	at := strings.Index(line, "$")
	before := strings.Fields(line[:max(at, 0)])
	if at < 0 || len(before) == 1 && (before[0] == "Bind" || before[0] == "Unbind") {
		return line
	}
	m, _ := messageOf(p, strings.Fields(line[at:]))
	return line[:at] + show(&m)
}

// request puts a frame from the client into words.
func (p *player) request(f frame) string {
	op := f.header.Op
	words := []string{op.String()}
	switch op {
	case wire.OpNext, wire.OpNextWait, wire.OpNextReply:
	case wire.OpCancel, wire.OpGiveUp:
		words = append(words, p.labelOf(f.header.Arg))
	case wire.OpBind, wire.OpUnbind:
		role := map[bool]string{true: "replier", false: "listener"}[f.header.Arg != 0]
		words = append(words, string(f.payload), role)
	default:
		if f.header.Arg != 0 {
			words = append(words, strconv.Itoa(int(f.header.Arg)))
		}
	}
	switch op {
	case wire.OpSendMessage, wire.OpCall:
		var m message.Message
		name, data, rest, ok := wire.ParseMessage(f.payload, &m.Header)
		if !ok || len(rest) > 0 {
			return "a broken message"
		}
		m.Name, m.Data = string(name), data
		words = append(words, show(&m))
	case wire.OpNextReply:
		id, _ := wire.ParseID(f.payload)
		words = append(words, strings.Trim(id.String(), "[]"))
	}
	return strings.Join(words, " ")
}

// labelOf is the frame that has been sent with a sequence.
func (p *player) labelOf(seq uint32) string {
	for label, f := range p.frames {
		if f.header.Seq == seq && f.conn == p.bus.conn {
			return label
		}
	}
	return fmt.Sprintf("the unknown sequence %d", seq)
}

// outcome puts what a client says of the end of an operation into words.
func (p *player) outcome(line string) (label, how string) {
	label, line, _ = strings.Cut(line, " ")
	kind, rest, _ := strings.Cut(line, " ")
	words := strings.Fields(rest)
	switch kind {
	case "sent":
		return label, fmt.Sprintf("sent %s reached %s skipped %s", words[0], words[1], words[2])
	case "pending":
		return label, "pending " + words[0]
	case "nothing":
		return label, "gets nothing"
	case "late":
		return label, "gives up"
	case "fails":
		text := ""
		if len(words) > 1 {
			text = " '" + strings.Join(words[1:], " ") + "'"
		}
		return label, "fails " + unix.ErrnoName(syscall.Errno(number(p, words[0]))) + text
	case "gets":
		name, _ := hex.DecodeString(words[0])
		data, _ := hex.DecodeString(strings.Trim(words[7], "-"))
		m := message.Message{Name: string(name), Data: data}
		m.ID, m.InReplyTo = id(p, words[1]), id(p, words[2])
		m.To, m.From, m.Flags = message.KsockID(number(p, words[3])), message.KsockID(number(p, words[4])), message.Flags(number(p, words[5]))
		m.Missed = number(p, words[6])
		return label, "gets " + show(&m)
	}
	return label, line
}

func number(p *player, s string) uint32 {
	n, err := strconv.ParseUint(s, 0, 32)
	if err != nil {
		p.fatalf("what number is %q?", s)
	}
	return uint32(n)
}

func id(p *player, s string) message.ID {
	network, serial, _ := strings.Cut(s, ":")
	return message.ID{Network: number(p, network), Serial: number(p, serial)}
}
