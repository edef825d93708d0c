package session

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// docs/protocol.md is what strangers write clients from, so it is held to the code: its tables row by row, and its
// example byte by byte.

func protocolPage(t *testing.T) string {
	page, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// section gives the text of a numbered section.
func section(t *testing.T, number int) string {
	_, after, found := strings.Cut(protocolPage(t), fmt.Sprintf("\n## %d. ", number))
	if !found {
		t.Fatalf("no section %d", number)
	}
	text, _, _ := strings.Cut(after, "\n## ")
	return text
}

func TestDocumentedConditions(t *testing.T) {
	var want strings.Builder
	for _, c := range append([]message.Condition{message.OK}, message.Conditions()...) {
		fmt.Fprintf(&want, "%d %s %d %s\n", c, c.Name(), int(c.Errno()), c.Error())
	}
	var got strings.Builder
	row := regexp.MustCompile(`(?m)^\| (\d+) \| (\w+) \| (?:E\w+ )?(\d+) \| (.*) \|$`)
	for _, m := range row.FindAllStringSubmatch(section(t, 12), -1) {
		fmt.Fprintln(&got, m[1], m[2], m[3], m[4])
	}
	if got.String() != want.String() {
		t.Errorf("the page has\n%s\nthe code has\n%s", &got, &want)
	}
}

func TestDocumentedOperations(t *testing.T) {
	who := map[wire.Needs]string{wire.Nobody: "–", wire.Stranger: "A", wire.Anybody: "A", wire.AKsock: "K", wire.Reader: "R",
		wire.Writer: "W", wire.ReaderWriter: "R W"}
	var want strings.Builder
	for op := wire.OpHello; op.Known(); op++ {
		fmt.Fprintf(&want, "%d %v %s\n", op, op, who[op.Rules().Needs])
	}
	var got strings.Builder
	row := regexp.MustCompile(`(?m)^\| (\d+) \| (\w+) \| ([A-Z –]+) \|`)
	for _, m := range row.FindAllStringSubmatch(section(t, 6), -1) {
		fmt.Fprintln(&got, m[1], m[2], m[3])
	}
	if got.String() != want.String() {
		t.Errorf("the page has\n%s\nthe code has\n%s", &got, &want)
	}
}

func TestDocumentedExample(t *testing.T) {
	_, example, _ := strings.Cut(section(t, 13), "```example\n")
	example, _, _ = strings.Cut(example, "```")
	e := NewEngine(0, bus.New(bus.Config{}), nil)
	e.server = "kbusd 1" // as the example has it, whatever version there is
	clients := map[string]*Session{}
	asked := map[string][]byte{}
	lines := 0
	for line := range strings.Lines(example) {
		line, _, _ = strings.Cut(line, "|")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		who, direction := words[0], words[1]
		b, err := hex.DecodeString(strings.Join(words[2:], ""))
		if err != nil {
			t.Fatal(err)
		}
		lines++
		s := clients[who]
		if s == nil {
			s = e.Connect(Peer{UID: 1})
			clients[who] = s
		}
		if direction == "<" {
			if !bytes.HasPrefix(s.Out(), b) {
				t.Fatalf("%s is sent\n% x\nand not\n% x", who, s.Out(), b)
			}
			s.Sent(len(b))
			continue
		}
		asked[who] = append(asked[who], b...)
		h, payload, n, err := wire.Split(asked[who], wire.MaxRequestBytes(bus.DefaultMessageBytes))
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			asked[who] = asked[who][n:]
			if err := s.Handle(h, payload); err != nil {
				t.Fatal(err)
			}
		}
	}
	for who, s := range clients {
		if len(s.Out())+len(asked[who]) > 0 {
			t.Errorf("%s is left with % x to read and % x sent", who, s.Out(), asked[who])
		}
	}
	if lines < 20 {
		t.Errorf("the example has only %d lines", lines)
	}
}
