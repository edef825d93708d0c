package card

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{}`, ""},
		{"{\"schema\": null}\n", ""},
		{`{"contentType":"text/plain" , "description":"a <b>"}`, `{"description":"a <b>","contentType":"text/plain"}`},
		{"{\"schema\": {\n \"type\" : [1, \"x y\"]}\n}", `{"schema":{"type":[1,"x y"]}}`},
		{`{"schema": "message A { }"}`, `{"schema":"message A { }"}`},
	} {
		got, err := Parse([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if string(got.JSON()) != c.want {
			t.Errorf("%s is %s, not %s", c.text, got.JSON(), c.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "1:1: the card ends too early"},
		{"[]", "1:1: a card is an object"},
		{"{\n  \"description\": 5}", "2:18: description takes a string"},
		{"{\n  \"description\": null}", "2:18: description takes a string"},
		{"{\n\n \"Schema\": 1}", `3:2: unknown key "Schema"; did you mean "schema"?`},
		{`{"ä":1,"what": 1}`, "1:2: unknown key \"ä\"; known is description, contentType, schema\n1:8: unknown key \"what\""},
		{"{\"description\":1,\n\"Schema\":2,\n\"schema\":3,\"schema\":4,\"contentType\":[]}",
			"1:16: description takes a string\n2:1: unknown key \"Schema\"\n3:12: \"schema\" is there twice\n3:37: contentType takes a string"},
		{"{\"schema\":1,\n\"schema\":2}", `2:1: "schema" is there twice`},
		{"{\"schema\": {\"a\" 5}}", "1:17: invalid character '5' after object key"},
		{"{\"schema\":", "1:11: the card ends too early"},
		{"{\"schema\":1}\n x", "2:2: invalid character 'x' after top-level value"},
		{"{\"description\":\"\xff\"}", "1:17: not UTF-8"},
		{`{"contentType":"a\nb"}`, "1:16: contentType: one line"},
	} {
		_, err := Parse([]byte(c.text))
		var m *Mistake
		got, want := strings.Split(fmt.Sprint(err), "\n"), strings.Split(c.want, "\n")
		if !errors.As(err, &m) || m.Error() != got[0] || !slices.EqualFunc(got, want, strings.HasPrefix) {
			t.Errorf("%q: %v, want %s", c.text, err, c.want)
		}
	}
	if _, err := Parse([]byte("{" + strings.Repeat(`"a":1,`, 1000) + `"b":1}`)); len(err.(Mistakes)) != mostMistakes {
		t.Errorf("%d mistakes", len(err.(Mistakes)))
	}
}

// FuzzParse: no text makes it panic, a mistake has its place, and what is taken is the same when it is read again.
func FuzzParse(f *testing.F) {
	f.Add(`{"description":"a","contentType":"b","schema":{"c":[1,null]}}`)
	f.Add(`{"schema":"x" `)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse([]byte(text))
		if err != nil {
			for _, m := range err.(Mistakes) {
				if m.Line < 1 || m.Line > 1+strings.Count(text, "\n") || m.Column < 1 || m.Text == "" {
					t.Errorf("%+v", m)
				}
			}
			return
		}
		kept := c.JSON()
		if kept == nil {
			return
		}
		again, err := Parse(kept)
		if err != nil || string(again.JSON()) != string(kept) {
			t.Errorf("%s is %v, %v", kept, again, err)
		}
	})
}

// FuzzScan: what is JSON, and what a string says, is as encoding/json has it.
func FuzzScan(f *testing.F) {
	for _, text := range []string{`{"a": [1, -0.5e+10, true, false, null, {}, []], "b\"\\\/\b\f\n\r\t": "\u00e4\ud83d\udE00\ud83dx\udc00"}`, "0", "01", "-", "1.", "1e", ".5", `"a`, `"\x"`, `"\u12g4"`,
		"[1,]", `{"a":1,}`, "{,}", "[", "tru", "nulll", "\"\x01\"", " 5 ", "5 5", `"\ud83d\u0041"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b := []byte(text)
		if is, want := valid(b), json.Valid(b); is != want && strings.Count(text, "[")+strings.Count(text, "{") < mostDepth {
			t.Fatalf("%q is JSON: %v, and not %v", text, is, want)
		}
		trimmed := strings.Trim(text, " \t\r\n")
		var want string
		if !utf8.ValidString(text) || !strings.HasPrefix(trimmed, `"`) || json.Unmarshal(b, &want) != nil {
			return
		}
		if is := unquoted([]byte(trimmed)); is != want {
			t.Errorf("%q says %q, and not %q", text, is, want)
		}
	})
}

// TestDepth: a card cannot take the stack of the daemon.
func TestDepth(t *testing.T) {
	deep := strings.Repeat("[", 1<<20)
	if _, err := Parse([]byte(`{"schema":` + deep)); err == nil || !strings.Contains(err.Error(), "1:1010: more than 1000 values lie in each other") {
		t.Error(err)
	}
}
