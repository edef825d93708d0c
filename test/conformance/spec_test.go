package conformance

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"kbus.example/kbus/message"
	"kbus.example/kbus/test/conformance/driver"
)

// messageSpec is a message as the commands of a case write it:
//
//	NAME [request] [urgent] [synthetic] [all-or-wait] [all-or-fail] [flags=N] [data=TEXT] [to=K] [from=N] [extra=N]
//	     [id=N:S] [reply=N:S] [orig=N:L] [final=N:L]  [@OFFSET=WORD] [cut=N] [more=N]
//
// A name or data *N is one of N bytes, which are made; data=%HEX is those bytes. to= takes a number or a Ksock. The last
// three spoil the bytes of its entire form: a word of the header, the length, bytes too many.
type messageSpec struct {
	message.Message
	words map[int]uint32
	cut   int
	more  int
}

var flagWords = map[string]message.Flags{
	"request": message.WantAReply, "urgent": message.Urgent, "synthetic": message.Synthetic,
	"all-or-wait": message.AllOrWait, "all-or-fail": message.AllOrFail,
}

func (s *script) messageSpec(words []string) *messageSpec {
	l := &messageSpec{words: map[int]uint32{}, cut: -1}
	l.Name = named(words[0])
	for _, word := range words[1:] {
		if flag, ok := flagWords[word]; ok {
			l.Flags |= flag
			continue
		}
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "flags":
			l.Flags |= message.Flags(s.number(value))
		case "data":
			l.Data = s.data(value)
		case "to":
			l.To = message.KsockID(s.ids[value])
			if l.To == 0 {
				l.To = message.KsockID(s.number(value))
			}
		case "from":
			l.From = message.KsockID(s.number(value))
		case "extra":
			l.Extra = s.number(value)
		case "id":
			l.ID.Network, l.ID.Serial = s.pair(value)
		case "reply":
			l.InReplyTo.Network, l.InReplyTo.Serial = s.pair(value)
		case "orig":
			l.OrigFrom.Network, l.OrigFrom.Local = s.pair(value)
		case "final":
			l.FinalTo.Network, l.FinalTo.Local = s.pair(value)
		case "cut":
			l.cut = int(s.number(value))
		case "more":
			l.more = int(s.number(value))
		default:
			if key == "" || key[0] != '@' {
				s.t.Fatalf("no message has a %q", word)
			}
			l.words[int(s.number(key[1:]))] = s.number(value)
		}
	}
	return l
}

// bytes is the entire form, spoilt as the spec says.
func (l *messageSpec) bytes() []byte {
	b := driver.Entire(&l.Header, []byte(l.Name), l.Data)
	for offset, word := range l.words {
		binary.NativeEndian.PutUint32(b[offset:], word)
	}
	b = append(b, make([]byte, l.more)...)
	if l.cut >= 0 {
		b = b[:l.cut]
	}
	return b
}

// tell is a message in words; what is made is told as it is written.
func tell(m *message.Message) string {
	if n := len(m.Data); n > 40 && string(m.Data) == string(made(n)) {
		m.Data = fmt.Appendf(nil, "*%d", n)
	}
	if n := len(m.Name); n > 40 && m.Name == named(fmt.Sprintf("*%d", n)) {
		m.Name = fmt.Sprintf("*%d", n)
	}
	return m.String()
}

func named(word string) string {
	if n, err := strconv.Atoi(strings.TrimPrefix(word, "*")); err == nil && word[0] == '*' {
		return "$." + strings.Repeat("n", n-2)
	}
	if word == "''" {
		return ""
	}
	if unquoted, err := strconv.Unquote(`"` + word + `"`); err == nil {
		return unquoted // so that it may have any byte, as \xNN
	}
	return word
}

func (s *script) data(word string) []byte {
	if n, ok := strings.CutPrefix(word, "*"); ok {
		return made(int(s.number(n)))
	}
	if digits, ok := strings.CutPrefix(word, "%"); ok {
		b := make([]byte, len(digits)/2)
		if n, err := fmt.Sscanf(digits, "%x", &b); n != 1 || err != nil {
			s.t.Fatalf("%q is not hexadecimal", digits)
		}
		return b
	}
	return []byte(word)
}

// made is data with every value of a byte in it.
func made(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

func (s *script) number(word string) uint32 {
	n, err := strconv.ParseUint(word, 0, 32)
	if err != nil {
		s.t.Fatalf("%q is no number", word)
	}
	return uint32(n)
}

func (s *script) pair(word string) (uint32, uint32) {
	a, b, _ := strings.Cut(word, ":")
	return s.number(a), s.number(b)
}
