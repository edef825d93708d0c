package client

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// The scripts in testdata show the rules of a client, a file for each area. A line that is not indented is something that
// the program does, that the bus says, or that happens to the connection; the indented lines below it are what the Core
// made of it, in order: "> FRAME" is sent to the bus, "NAME: ..." is a question that is completed. A line that begins with
// "new" begins a scenario, on a connection that has just been welcomed as Ksock 1. script_ops_test.go lists the operations;
// "repeat N" before one has it done so many times, and shows the last.

var rewrite = flag.Bool("rewrite", false, "write what happens into the scripts, to be read and judged")

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := perform(t, name, text)
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

// perform gives a script with what came of each line.
func perform(t *testing.T, name string, text []byte) []byte {
	var done bytes.Buffer
	s := &script{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if strings.HasPrefix(line, "  ") {
			continue
		}
		fmt.Fprintln(&done, line)
		operation, _, _ := strings.Cut(line+" ", "# ")
		words := strings.Fields(operation)
		if len(words) == 0 {
			continue
		}
		s.at = fmt.Sprintf("%s:%d", name, n)
		for range s.times(&words) {
			s.words, s.said = words[1:], nil
			operations[words[0]](s)
			if len(s.words) > 0 {
				t.Fatalf("%s: what is %q?", s.at, s.words)
			}
			s.conclude()
		}
		for _, l := range s.said {
			fmt.Fprintln(&done, "  "+l)
		}
	}
	return done.Bytes()
}

// script is a scenario under way.
type script struct {
	at        string
	words     []string // of the operation, those not yet taken
	said      []string
	core      *Core
	window    *shown // nil if the link has none
	stuck     bool   // the link takes nothing
	taken     []byte // that the link has taken, from the first frame that is not whole
	questions map[string]*Question
	places    map[string]*Borrowing
	pipes     map[string]*Pipe
}

func (s *script) say(format string, args ...any) {
	s.said = append(s.said, fmt.Sprintf(format, args...))
}

// word takes the next word, "" if there is none.
func (s *script) word() string {
	if len(s.words) == 0 {
		return ""
	}
	w := s.words[0]
	s.words = s.words[1:]
	return w
}

// has takes the word if it is the next.
func (s *script) has(word string) bool {
	if len(s.words) == 0 || s.words[0] != word {
		return false
	}
	s.word()
	return true
}

// times takes "repeat N" from a line. What the last time tells is shown.
func (s *script) times(words *[]string) int {
	if w := *words; w[0] == "repeat" {
		*words = w[2:]
		return int(number(w[1]))
	}
	return 1
}

// conclude does what a driver owes after each call, and says what it was.
func (s *script) conclude() {
	frames, body := s.core.Out()
	if n := len(frames) + len(body); n > 0 && !s.stuck {
		if body != nil {
			s.say("the link takes %d bytes, and %d from where they are", len(frames), len(body))
		}
		s.takes(n)
	}
	for _, q := range s.core.Completed() {
		s.complete(q)
	}
}

// takes has the link take n bytes, and says which frames are whole now.
func (s *script) takes(n int) {
	frames, body := s.core.Out()
	s.taken = append(s.taken, slices.Concat(frames, body)[:n]...)
	s.core.SentBytes(n)
	for {
		h, payload, n, err := wire.Split(s.taken, wire.MaxResultBytes)
		if err != nil {
			panic(fmt.Sprintf("%s: a broken frame: %v", s.at, err))
		}
		if n == 0 {
			return
		}
		line := fmt.Sprintf("> %v(%d)", h.Op, h.Seq)
		if h.Arg != 0 {
			line += fmt.Sprintf(" %d", h.Arg)
		}
		if h.Flags&wire.Lazy != 0 {
			line += " lazy"
		}
		var m message.Message
		switch name, data, _, ok := wire.ParseMessage(payload, &m.Header); {
		case ok:
			m.Name, m.Data = string(name), data[:min(len(data), 20)]
			line += " " + m.String()
		case h.Op == wire.OpNextReply:
			id, _ := wire.ParseID(payload)
			line += " " + id.String()
		case len(payload) > 0:
			line += " " + string(payload)
		}
		s.say("%s", line)
		s.taken = s.taken[n:]
	}
}

func (s *script) complete(q *Question) {
	line := q.Tag.(string) + ":"
	switch {
	case !q.Answered:
		s.say("%s there is no point in waiting", line)
		return
	case q.Condition != message.OK:
		line += " " + q.Condition.Name()
	case q.Got == nil:
		line += fmt.Sprintf(" OK %d", q.Number)
	}
	if q.Got != nil {
		line += " " + q.Got.String()
	}
	if !q.Sent.ID.IsZero() {
		line += " " + q.Sent.ID.String()
	}
	if q.Awaited {
		line += ", and a sender waits for its room"
	}
	if q.Reason != "" {
		line += ": " + q.Reason
	}
	s.say("%s", line)
}

func number(s string) uint32 {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		panic(err)
	}
	return uint32(n)
}

func id(s string) message.ID {
	network, serial, _ := strings.Cut(s, ":")
	return message.ID{Network: number(network), Serial: number(serial)}
}

var flagWords = map[string]message.Flags{"REQ": message.WantAReply, "SYN": message.Synthetic, "aWT": message.AllOrWait}

// message takes the words of one: $.Name, and id=, reply=, to=, from=, flags=, data=, bytes= (so many).
func (s *script) message() *message.Message {
	m := &message.Message{Name: s.word()}
	for len(s.words) > 0 && strings.Contains(s.words[0], "=") {
		key, value, _ := strings.Cut(s.word(), "=")
		switch key {
		case "id":
			m.ID = id(value)
		case "reply":
			m.InReplyTo = id(value)
		case "to":
			m.To = message.KsockID(number(value))
		case "from":
			m.From = message.KsockID(number(value))
		case "missed":
			m.Missed = number(value)
		case "data":
			m.Data = []byte(value)
		case "bytes":
			m.Data = bytes.Repeat([]byte("x"), int(number(value)))
		case "flags":
			for f := range strings.SplitSeq(value, ",") {
				m.Flags |= flagWords[f]
			}
		}
	}
	return m
}
