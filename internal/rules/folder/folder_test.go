package folder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kbus.example/kbus/internal/rules"
)

// fixed are names for tests.
type fixed map[string]uint32

func (f fixed) User(name string) (uint32, error) {
	if id, ok := f[name]; ok {
		return id, nil
	}
	return 0, errors.New("no such user " + name)
}
func (f fixed) Group(name string) (uint32, error) { return f.User(name) }

var known = fixed{"lamp": 1000, "door": 1001, "nobody": 65534}

func parse(t *testing.T, text string) (*rules.Set, []string) {
	t.Helper()
	set, err := Parse([]File{{Name: "f", Text: []byte(text)}}, known)
	var mistakes Mistakes
	switch {
	case err == nil:
		return set, nil
	case !errors.As(err, &mistakes):
		t.Fatal(err)
	}
	return nil, mistakes.Lines()
}

// The example of the manual, as it stands.
const example = `    # rules.d/10-door.toml
    [[rule]]
    allow = ["listen", "request"]        # and: open, send, reply, tap, administer, limpet, new-bus
    name = "$.Door.*"                    # a pattern as in a binding; absent: any name
    user = ["lamp", 1001]                # names or numbers; group, program, unit likewise; absent: everybody
    [[rule]]
    deny = ["reply"]
    name = "$.Door.Lock"
`

func TestExample(t *testing.T) {
	set, wrong := parse(t, example)
	if wrong != nil {
		t.Fatal(wrong)
	}
	if got := set.Rules[0].String(); got != "allow listen, request; name $.Door.*; user lamp, 1001" || set.Rules[0].Users[0] != 1000 {
		t.Error(got)
	}
	if got := set.Rules[1]; got.String() != "deny reply; name $.Door.Lock" || got.Position != (rules.Position{File: "f", Line: 6, Column: 5}) {
		t.Error(got)
	}
}

func TestEveryKey(t *testing.T) {
	set, wrong := parse(t, `[[rule]]
deny = "send"
name = ["$.A", '$.B.%']
group = [
  "door", # a comment
  0x10,
]
program = "/usr/bin/door"
unit = ["door.service", "/machine.slice"]
`)
	if wrong != nil {
		t.Fatal(wrong)
	}
	want := "deny send; name $.A, $.B.%; group door, 0x10; program /usr/bin/door; unit door.service, /machine.slice"
	if got := set.Rules[0].String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestMistakes: all of them at once, with line and column, and no rule comes of such a file.
func TestMistakes(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"a = 1\n", `f:1:1: "a" stands outside of a [[rule]]`},
		{"[[Rule]]\nallow = \"send\"\n", `f:1:3: unknown table "Rule"; did you mean "rule"? Small and large letters are not the same here`},
		{"[rule]\nallow = \"send\"\n", `f:1:2: [rule] must be [[rule]], with two brackets, for there can be several`},
		{"[[rule]]\n[rule.x]\n", "f:1:1: the rule has neither allow nor deny\n" + `f:2:2: unknown table "rule.x"; known is rule`},
		{"[[rule]]\ndeny = \"reply\"\nDeny = \"send\"\n", `f:3:1: unknown key "Deny"; did you mean "deny"? Small and large letters are not the same here`},
		{"[[rule]]\ndeny = \"reply\"\n  deny = \"send\"\n", `f:3:3: deny stands on line 2 of this rule already`},
		{"[[rule]]\nallow = []\n", `f:2:1: allow has an empty list: name what the rule is about`},
		{"[[rule]]\nallow = [\"send\", \"Listen\", \"send\"]\n", `f:2:18: allow: unknown operation "Listen"; did you mean "listen"? Small and large letters are not the same here` + "\n" + `f:2:28: allow has "send" twice`},
		{"[[rule]]\nallow = [\"open\"]\nname = \"$.A\"\n", `f:1:1: open has no name: give it a rule of its own, without name`},
		{"[[rule]]\nallow = \"send\"\ndeny = \"send\"\n", `f:1:1: a rule has allow or deny, not both: make two of it`},
		{"[[rule]]\nallow = \"send\"\nname = \"A.*\"\nuser = [\"who\", -1, 1.5]\n", "f:3:8: name: \"A.*\": not a valid name here: words of ASCII letters, digits, _ and - after \"$.\", wildcards only when binding\nf:4:1: user takes a name or a number, or a list of them"},
		{"[[rule]]\nallow = \"send\"\nuser = [\"who\", -1]\n", "f:3:9: user: no such user who\nf:3:16: user: -1 is not a number of a user or group"},
		{"[[rule]]\nallow = \"send\"\nuser = \"nobody\"\n", "f:1:1: 65534 is every user or group of a container that has no number here, so nothing can be allowed to it"},
		{"[[rule]]\nallow = \"send\"\nprogram = \"door\"\nunit = \"door\"\n", "f:3:11: program: must be the whole path of a program, not \"door\"\nf:4:8: unit: must be the name of a unit with its .service or .scope, or the path of a control group, not \"door\""},
		{"[[rule]]\nallow = \"send\"\nunit = [\"system.slice\", \"/a/\"]\n", "f:3:9: unit: of a slice write the path of its control group, for instance \"/system.slice\", not \"system.slice\"\nf:3:25: unit: must be the path of a control group without a / at its end, not \"/a/\""},
		{"[[rule]]\nallow = \"send\"\nname = []\n", "f:3:1: name has an empty list, which would match nothing: leave the key out if it does not matter"},
		{"[[rule]\nallow = 1\n[[rule]]\nallow = 5\nx = [\n", "f:1:7: expected ']]' to close array table name\nf:4:9: allow: takes a string, not 5\nf:5:6: array is incomplete"},
		{"[[rule]]\nallow = { a = 1 }\n", "f:2:1: allow takes a string, or a list of strings"},
	} {
		set, wrong := parse(t, c.text)
		if set != nil || !strings.HasPrefix(strings.Join(wrong, "\n"), c.want) {
			t.Errorf("%q:\n%s\nwant\n%s", c.text, strings.Join(wrong, "\n"), c.want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "none"), known); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("20-b.toml", "[[rule]]\nallow = \"open\"\n")
	write("10-a.toml", "[[rule]]\ndeny = \"open\"\n")
	for _, ignored := range []string{"README", "30.toml~", ".40.toml", "50.toml.dpkg-new"} {
		write(ignored, "no rules")
	}
	set, err := Load(dir, known)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, r := range set.Rules {
		order = append(order, filepath.Base(r.Position.String()))
	}
	if !slices.Equal(order, []string{"10-a.toml:1", "20-b.toml:1"}) {
		t.Errorf("the order is %v", order)
	}
	write("15.toml", "x")
	write("30.toml", "y")
	_, err = Load(dir, known)
	var mistakes Mistakes
	if !errors.As(err, &mistakes) || len(mistakes) != 2 {
		t.Errorf("two broken files: %v", err)
	}
}

// FuzzParse: no text makes it panic, and each mistake has a place within the text.
func FuzzParse(f *testing.F) {
	f.Add(example)
	f.Add("[[rule]]\nallow = [\"send\", 1]\n[[Rule]]\n[rule]\nx")
	f.Add("[[rule]]\ndeny='open'\nuser=[0x10,'lamp']\nunit=\"\"\"a\nb\"\"\"")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := Parse([]File{{Name: "f", Text: []byte(text)}}, known)
		if err == nil {
			for i := range set.Rules {
				if len(set.Rules[i].Operations) == 0 || set.Rules[i].Position.Line < 1 {
					t.Errorf("a rule about nothing: %v", set.Rules[i])
				}
			}
			return
		}
		for _, m := range err.(Mistakes) {
			if m.Position.Line < 1 || m.Position.Line > 1+strings.Count(text, "\n") || m.Position.Column < 1 || m.Text == "" {
				t.Errorf("%v", m)
			}
		}
	})
}

// What is wrong with expectations is told in the order of the file, whoever has found it.
func TestExpectationMistakes(t *testing.T) {
	text := "[[expect]]\nallow = 'send'\n[[expect]]\nAllow = 'x'\nname = '$.A'\n"
	_, err := ParseExpectations(File{Name: "f", Text: []byte(text)}, known)
	var mistakes Mistakes
	if !errors.As(err, &mistakes) || len(mistakes) != 2 || !strings.HasPrefix(mistakes[0].String(), "f:1:1: ") || !strings.HasPrefix(mistakes[1].String(), "f:4:1: ") {
		t.Error(err)
	}
}
