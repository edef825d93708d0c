package mcap

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"kbus.example/kbus/internal/testing/sample"
	"kbus.example/kbus/message"
)

// docs/recordings.md has the example that is written, and tells of every member that there can be; so does the schema.
func TestPage(t *testing.T) {
	text, err := os.ReadFile("../../../docs/recordings.md")
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ := strings.Cut(string(text), "## MCAP")
	want := appendObject(nil, &sample.Talk()[6])
	if !strings.Contains(page, string(want)) {
		t.Errorf("docs/recordings.md should have:\n%s", want)
	}
	var told struct {
		Properties map[string]any
		Required   []string
	}
	if err := json.Unmarshal(schema, &told); err != nil {
		t.Fatal(err)
	}
	members := map[string]any{}
	for _, b := range [][]byte{full(t), want} {
		if err := json.Unmarshal(b, &members); err != nil {
			t.Fatal(err)
		}
	}
	for m := range members {
		if _, ok := told.Properties[m]; !ok {
			t.Errorf("the schema does not tell of %s", m)
		}
		if !strings.Contains(page, "`"+m+"`") {
			t.Errorf("docs/recordings.md does not tell of `%s`", m)
		}
	}
	for m := range told.Properties {
		if _, ok := members[m]; !ok {
			t.Errorf("the schema tells of %s, which is not there", m)
		}
	}
	var least map[string]any
	if err := json.Unmarshal(appendObject(nil, &sample.Talk()[0]), &least); err != nil {
		t.Fatal(err)
	}
	for _, m := range told.Required {
		if _, ok := least[m]; !ok {
			t.Errorf("the schema wants %s, which need not be there", m)
		}
	}
}

// full is an object with every member that an event of text can have, and one of bytes adds the rest.
func full(t *testing.T) []byte {
	t.Helper()
	e := sample.Talk()[4]
	e.Header.Extra, e.Header.Flags, e.Header.OrigFrom.Network, e.Header.FinalTo.Network = 1, 1, 1, 1
	e.Condition, e.Skipped, e.SetAside, e.Missed, e.AsReplier, e.Replier = 1, 1, 1, 1, true, 1
	e.Trace = message.AppendTrace(nil, &message.Trace{Parent: "parent", State: "state"})
	a := appendObject(nil, &e)
	e.Name, e.Trace = []byte{0xFF}, message.AppendTrace(nil, &message.Trace{Parent: "\xFF", State: "\xFF"})
	b := appendObject(nil, &e)
	var both map[string]any
	for _, x := range [][]byte{a, b} {
		if err := json.Unmarshal(x, &both); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(both)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
