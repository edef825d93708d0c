package toml

import (
	"bytes"
	"strings"
	"testing"
)

func lastOf(v Value) Value {
	if len(v.List) == 0 {
		return v
	}
	return v.List[len(v.List)-1]
}

// A file as long as may be that nests without end is a mistake with its place, and no end of the daemon.
func TestDeep(t *testing.T) {
	for name, text := range map[string]string{
		"lists":         "a = " + strings.Repeat("[", mostFileBytes-10),
		"lists, closed": "a = " + strings.Repeat("[", mostFileBytes/2-10) + strings.Repeat("]", mostFileBytes/2-10),
		"tables":        "a = " + strings.Repeat("{a=", mostFileBytes/3-10),
		"words":         "a" + strings.Repeat(".a", mostFileBytes/2-10) + " = 1",
		"values":        "a = [1" + strings.Repeat(",1", mostFileBytes/2-10) + "]", // each has a place
		"keys":          strings.Repeat("a=1\n", mostFileBytes/4),
		"lines":         string(bytes.Repeat([]byte("[\n"), mostFileBytes/2)),
	} {
		entries, mistakes := Parse(File{Name: "f", Text: []byte(text)})
		if len(entries) > 0 {
			if at := lastOf(entries[len(entries)-1].Value).At; name == "values" && at.Column != len(text)-1 {
				t.Errorf("the last value is at %v", at)
			}
			continue
		}
		if len(mistakes) == 0 {
			t.Errorf("%s: no mistake, %d entries", name, len(entries))
		}
		for _, m := range mistakes {
			if m.Position.Line < 1 || m.Position.Column < 1 {
				t.Errorf("%s: %v", name, m.Position)
			}
		}
	}
}
