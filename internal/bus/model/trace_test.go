package model_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// The recordings of the reference are replayed against the model itself, so that it is right without any bus to compare
// it with. A recording is one JSON object a line: a header that configures the system, then operations with the outcome
// that they had.

var traces = flag.String("traces", "../../file/testdata/traces", "folder of recordings to replay against the model")

// step is one line of a recording.
type step struct {
	I       int
	Op      string
	K       int
	Dev     int
	Mode    string
	Name    string
	Replier uint32
	V       uint32
	N       int
	Hex     string
	Events  []string
	Chunks  []int
	Msg     *sent
	Out     map[string]any

	Trace string
	Cfg   struct {
		Devices    int    `json:"kbus_num_devices"`
		MaxDevices int    `json:"MAX_NUM_DEVICES"`
		Max        uint32 `json:"DEF_MAX_MESSAGES"`
		AbsBytes   uint32 `json:"ABS_MAX_MESSAGE_SIZE"`
		MaxBytes   uint32 `json:"DEF_MAX_MESSAGE_SIZE"`
		MaxAside   int    `json:"MAX_UNSENT_UNBIND_MESSAGES"`
	}
}

func TestTraces(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(*traces, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("no recordings in %s", *traces)
	}
	for _, f := range files {
		if strings.HasPrefix(filepath.Base(f), "written-pointy_") {
			continue // what messages point to is beyond the model: it has no memory
		}
		t.Run(filepath.Base(f), func(t *testing.T) { replay(t, f) })
	}
}

// replay fails at the first operation with another outcome than recorded.
func replay(t *testing.T, file string) {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	var s *system
	for lines.Scan() {
		var st step
		if err := json.Unmarshal(lines.Bytes(), &st); err != nil {
			t.Fatal(err)
		}
		if s == nil {
			s = newSystem(&st)
			continue
		}
		got := normal(t, s.do(&st))
		for key, want := range st.Out {
			if key != "text" && !reflect.DeepEqual(got[key], want) {
				t.Fatalf("%s\n%s: got %v, want %v", lines.Bytes(), key, got[key], want)
			}
		}
		if text, ok := st.Out["text"].(string); ok {
			if want := parseStats(t, text); !reflect.DeepEqual(s.stats(), want) {
				t.Fatalf("%s\n got %v\nwant %v", lines.Bytes(), s.stats(), want)
			}
		}
	}
	if err := lines.Err(); err != nil || s == nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// normal is v as it would look if it had been read from JSON.
func normal(t *testing.T, v outcome) (n map[string]any) {
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &n)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// latin1 turns a recorded string, one character a byte, into those bytes.
func latin1(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// The lines of /proc/kbus/stats that the model knows.
const (
	deviceFormat = "dev %2d: next ksock %d next msg %d unsent unbindings %d"
	ksockFormat  = "ksock %d last msg %d:%d queue %d of %d"
	listsFormat  = "outstanding requests %d (max %d), unsent replies %d (max %d)"
)

// stats is the system's state in the form that parseStats gives.
func (s *system) stats() (all []string) {
	for n, b := range s.buses {
		i := b.Info()
		line := fmt.Sprintf(deviceFormat, n, i.NextKsock, i.NextSerial, i.SetAside)
		if i.Tragic {
			line += "(gone tragic)"
		}
		all = append(all, line)
		for _, k := range b.Ksocks() {
			i := b.KsockInfo(k)
			all = append(all,
				fmt.Sprintf(ksockFormat, i.ID, i.LastSent.Network, i.LastSent.Serial, i.Queued, i.MaxMessages),
				fmt.Sprintf(listsFormat, i.Outstanding, i.OutstandingMost, i.Unreplied, i.UnrepliedMost))
		}
	}
	return all
}

// parseStats leaves out the lines that say what is being read and written, and the capacity of the outstanding list.
func parseStats(t *testing.T, text string) (all []string) {
	for line := range bytes.Lines([]byte(text)) {
		l := string(bytes.TrimSpace(line))
		var o, size, oMost, u, uMost int
		const lists = "outstanding requests %d (size %d, max %d), unsent replies %d (max %d)"
		if n, _ := fmt.Sscanf(l, lists, &o, &size, &oMost, &u, &uMost); n == 5 {
			l = fmt.Sprintf(listsFormat, o, oMost, u, uMost)
		} else if l[:4] == "read" {
			continue
		}
		all = append(all, l)
	}
	return all
}
