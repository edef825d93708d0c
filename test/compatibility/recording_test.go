package compatibility

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A recording is a text, a line for each frame in the order in which they went through the sockets:
//
//	1 > Hello flags 0 condition 0 seq 1 arg 3: 4b425553 01000100 00000000
//	1 < Hello flags 0 condition 0 seq 1 arg 1: 01000000 00000000 00000000 00400600 ...
//
// It begins with the number of the connection and who says it, > the client or < the daemon. A byte that differs from run to run is
// written ??, and dots stand for whatever follows.

// frame is one line.
type frame struct {
	client  int
	asked   bool // by the client
	header  wire.Header
	payload string // in hexadecimal
	open    bool   // anything may follow
}

const comment = '#'

func (f frame) String() string {
	who, more := "<", ""
	if f.asked {
		who = ">"
	}
	if f.open {
		more = " ..."
	}
	var groups strings.Builder
	for p := f.payload; len(p) > 0; {
		n := min(8, len(p))
		groups.WriteString(" " + p[:n])
		p = p[n:]
	}
	h := f.header
	return fmt.Sprintf("%d %s %v flags %d condition %d seq %d arg %d:%s%s", f.client, who, h.Op, h.Flags, h.Condition, h.Seq, h.Arg, &groups, more)
}

// operation finds one by its name.
func operation(name string) wire.Op {
	for op := wire.Op(1); op < 255; op++ {
		if op.Known() && op.String() == name {
			return op
		}
	}
	return 0
}

func parseFrame(line string) (f frame, err error) {
	head, payload, found := strings.Cut(line, ":")
	var who, op string
	var flags, condition int
	_, err = fmt.Sscanf(head, "%d %s %s flags %d condition %d seq %d arg %d", &f.client, &who, &op, &flags, &condition, &f.header.Seq, &f.header.Arg)
	f.asked, f.header.Op, f.header.Flags, f.header.Condition = who == ">", operation(op), wire.Flags(flags), message.Condition(condition)
	if err != nil || !found || f.header.Op == 0 {
		return f, fmt.Errorf("%q is no frame: %v", line, err)
	}
	payload, f.open = strings.CutSuffix(payload, " ...")
	f.payload = strings.ReplaceAll(payload, " ", "")
	return f, nil
}

// read reads a recording.
func read(t *testing.T, path string) (frames []frame) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := lines.Text(); line != "" && line[0] != comment {
			f, err := parseFrame(line)
			if err != nil {
				t.Fatal(err)
			}
			frames = append(frames, f)
		}
	}
	return frames
}

// fits says what of a frame that came is not as recorded, "" if nothing.
func (f frame) fits(h wire.Header, payload []byte) string {
	want, got := f.header, h
	want.PayloadBytes, got.PayloadBytes = 0, 0
	if want != got {
		return fmt.Sprintf("it begins with %+v", got)
	}
	is := hex.EncodeToString(payload)
	if len(is) < len(f.payload) || len(is) > len(f.payload) && !f.open {
		return fmt.Sprintf("it has %d bytes", len(payload))
	}
	for i := range f.payload {
		if f.payload[i] != '?' && f.payload[i] != is[i] {
			return fmt.Sprintf("it differs at byte %d: %s", i/2, is)
		}
	}
	return ""
}
