package jsontext

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzAppendString: encoding/json reads what was written.
func FuzzAppendString(f *testing.F) {
	f.Add("")
	f.Add("a \"b\" \\ / \n\r\t\b\f\x00\x1f\x7f ü \u2028\u2029 \U0001F600")
	f.Add("\xff\xc0x")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		text := AppendString([]byte("x"), s)
		if err := json.Unmarshal(text[1:], &got); err != nil || text[0] != 'x' || got != strings.ToValidUTF8(s, "\uFFFD") && got != string([]rune(s)) {
			t.Errorf("%q is written %q and read %q: %v", s, text, got, err)
		}
	})
}
