// Package trace replays recorded traces against a front end of the bus and compares every outcome. A trace is one
// file: a line that says how the system was set up, then one line for each operation with what came of it. The format
// is described in internal/file/testdata/traces/FORMAT.md.
//
// The package shares no code with what it tests: it lays out and takes apart messages by itself, so that a wrong
// layout cannot agree with itself. A new front end implements System and Ksock and calls Run; its test is a page.
package trace

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Config is the system on which a trace was recorded.
type Config struct {
	Devices            int    `json:"kbus_num_devices"`
	MostDevices        int    `json:"MAX_NUM_DEVICES"`
	MaxMessages        uint32 `json:"DEF_MAX_MESSAGES"`
	MaxMessageBytes    uint32 `json:"DEF_MAX_MESSAGE_SIZE"`
	AbsMaxMessageBytes uint32 `json:"ABS_MAX_MESSAGE_SIZE"`
	MaxSetAside        int    `json:"MAX_UNSENT_UNBIND_MESSAGES"`
	MaxNameBytes       int    `json:"MAX_NAME_LEN"`
}

// Trace is one recording.
type Trace struct {
	File   string // where it came from
	Config Config
	Ops    []Op
}

// Op is one operation. Which fields mean something depends on Name.
type Op struct {
	Index  int    `json:"i"`
	Name   string `json:"op"`
	Handle int    `json:"k"`
	operands
	Out outcome `json:"out"`

	line   string
	faults bool // its message points at what cannot be read
}

// operands is what operations are given: each takes some of it.
type operands struct {
	Device  int      `json:"dev"`
	Mode    string   `json:"mode"`
	Binding latin1   `json:"name"`
	Replier uint32   `json:"replier"`
	Message *Sent    `json:"msg"`
	Chunks  []int    `json:"chunks"`
	Hex     string   `json:"hex"`
	Count   int      `json:"n"`
	Value   uint32   `json:"v"`
	Events  []string `json:"events"`
	Code    uint32   `json:"code"`
}

// Load reads a trace from a file.
func Load(path string) (*Trace, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := Parse(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	t.File = filepath.Base(path)
	return t, nil
}

// Parse reads a trace. It refuses other formats and other semantics than the decided ones.
func Parse(r io.Reader) (*Trace, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<20)
	var t Trace
	for n := 1; lines.Scan(); n++ {
		if n == 1 {
			if err := t.parseHeader(lines.Bytes()); err != nil {
				return nil, err
			}
			continue
		}
		op := Op{line: lines.Text()}
		if err := json.Unmarshal(lines.Bytes(), &op); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if op.Message == nil && (op.Name == "sendmsg" || op.Name == "write") {
			return nil, fmt.Errorf("line %d: %s without a msg", n, op.Name)
		}
		op.Out = op.Out.canonical()
		t.Ops = append(t.Ops, op)
	}
	if len(t.Ops) == 0 && lines.Err() == nil {
		return nil, io.ErrUnexpectedEOF
	}
	if !asRecorded {
		t.turnRaw()
	}
	t.noteFaults()
	return &t, lines.Err()
}

func (t *Trace) parseHeader(line []byte) error {
	header := struct {
		Format    int    `json:"format"`
		Semantics string `json:"semantics"`
		PtrBits   int    `json:"ptr_bits"`
		Config    Config `json:"cfg"`
	}{}
	if err := json.Unmarshal(line, &header); err != nil {
		return fmt.Errorf("line 1: %w", err)
	}
	if header.Format != 1 || header.Semantics != "decided" || header.PtrBits != 64 {
		return fmt.Errorf("line 1: format %d, semantics %q, %d bits: want 1, \"decided\", 64",
			header.Format, header.Semantics, header.PtrBits)
	}
	if header.Config.MaxNameBytes != 1000 {
		return fmt.Errorf("line 1: names of up to %d bytes: want 1000", header.Config.MaxNameBytes)
	}
	t.Config = header.Config
	return nil
}
