package folder

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kbus.example/kbus/internal/services"
	"kbus.example/kbus/internal/toml"
)

// fixed are users for tests.
type fixed struct{}

func (fixed) Find(user, group string) (*services.Identity, error) {
	if user != "door" && user != "1001" {
		return nil, errors.New("user: no such user " + user)
	}
	return &services.Identity{User: user, UID: 1001}, nil
}

func parse(texts ...string) (*services.Set, string) {
	var files []toml.File
	for i, t := range texts {
		files = append(files, toml.File{Name: string('a' + rune(i)), Text: []byte(t)})
	}
	set, err := Parse(files, fixed{})
	if err != nil {
		return set, err.Error()
	}
	return set, ""
}

func TestEveryKey(t *testing.T) {
	set, wrong := parse(`name = "$.Door.Lock"
exec = ["/usr/bin/door", "--bus", "0"] # a comment
user = "door"
group = 12
deadline = "1m"
bus = 3
`, "names = [\"$.A\",\n '$.B' ]\nunit = \"a@b.service\"\n")
	if wrong != "" {
		t.Fatal(wrong)
	}
	s := set.Services[0]
	if s.Bus != 3 || s.Names[0] != "$.Door.Lock" || len(s.Exec) != 3 || s.As.UID != 1001 || s.Deadline != time.Minute || s.File != "a" {
		t.Errorf("%+v", s)
	}
	if s := set.Services[1]; s.Unit != "a@b.service" || strings.Join(s.Names, " ") != "$.A $.B" || s.Deadline != services.DefaultDeadline {
		t.Errorf("%+v", s)
	}
	if got := set.Names(0); strings.Join(got, " ") != "$.A $.B" {
		t.Errorf("names of bus 0: %v", got)
	}
}

// Every mistake has its place, and none hides another.
func TestMistakes(t *testing.T) {
	const good = "name = \"$.A\"\nexec = [\"/a\"]\n"
	for _, c := range []struct{ text, want string }{
		{"", "a:1:1: the service has no name\na:1:1: the service has neither exec nor unit, so there is nothing to start"},
		{"Name = \"$.A\"\nname = \"$.A\"\n", `a:1:1: unknown key "Name"; did you mean "name"? Small and large letters are not the same here`},
		{good + "name = \"$.B\"\n", "a:3:1: name stands on line 1 already"},
		{good + "names = [\"$.B\"]\n", "a:3:1: a service has name or names, not both"},
		{good + "unit = \"a.service\"\n", "a:3:1: a service has exec or unit, not both"},
		{good + "user = \"nobody\"\n", "a:3:1: user: no such user nobody"},
		{good + "user = \"\"\n", "a:3:8: user is empty"},
		{good + "deadline = 5\nbus = 256\n", "a:3:12: deadline takes a string\na:4:7: bus takes the number of a bus, 0 to 255"},
		{good + "deadline = \"5\"\n", `a:3:12: deadline: "5" is no duration; write for instance "5s"`},
		{good + "deadline = \"2h\"\n", "a:3:12: deadline must be 10ms to 1h0m0s, not 2h0m0s"},
		{good + "[service]\nx = 1\n", "a:3:2: [service]: a service has no tables, only keys\na:4:1: unknown key \"x\"; known is name, names, exec, unit, user, group, deadline, bus"},
		{"name = \"$.A.*\"\nexec = [\"/a\"]\n", `a:1:8: "$.A.*": a service is started for exact names, without wildcards`},
		{"name = \"A\"\nexec = [\"/a\"]\n", `a:1:8: "A": not a valid name here`},
		{"name = \"$.KBUS.ReplierBindEvent\"\nexec = [\"/a\"]\n", "a:1:8: $.KBUS.ReplierBindEvent has no Replier but the bus"},
		{"names = [\"$.A\", \"$.A\"]\nexec = [\"/a\"]\n", "a:1:17: $.A has a service already: a:1:10"},
		{"names = []\nexec = []\n", "a:1:1: names has an empty list\na:2:1: exec has an empty list"},
		{"names = \"$.A\"\nexec = \"/a\"\n", "a:1:9: names takes a list of names; of a single one write name\na:2:8: exec takes a list"},
		{"name = \"$.A\"\nexec = [\"door\", 1]\n", "a:2:17: exec takes a list of strings"},
		{"name = \"$.A\"\nexec = [\"door\"]\n", `a:2:9: exec: must begin with the whole path of a program, not "door"`},
		{"name = \"$.A\"\nexec = [\"/a\\u0000\"]\n", "a:2:9: exec: there is a zero byte in it"},
		{"name = \"$.A\"\nunit = \"door\"\n", `a:2:8: unit: must be the name of a unit with its .service, not "door"`},
		{"name = \"$.A\"\nunit = \"--x.service\"\n", `a:2:8: unit: must be the name of a unit`},
		{"name = \"$.A\"\nunit = \"a.service\"\nuser = \"door\"\n", "a:3:1: whom the unit a.service runs as is for the unit to say"},
		{"name = \"A\"\nnames = [\"$.B.*\"]\nexec = []\nunit = \"a.service\"\nfoo = 1\n", "a:1:8: \"A\": not a valid name\na:2:1: a service has name or names\na:2:10: \"$.B.*\": a service is started for exact names\n" +
			"a:3:1: exec has an empty list\na:4:1: a service has exec or unit\na:5:1: unknown key \"foo\""},
		{"exec = [\"a\"]\nuser = \"nobody\"\n", "a:1:9: exec: must begin with\na:2:1: user: no such user nobody"},
		{"name \"$.A\"\nexec = = 1\nuser = [1]\n", "a:1:6: *\na:2:8: *\na:3:1: user takes a string"},
	} {
		_, wrong := parse(c.text)
		if !matches(wrong, c.want) {
			t.Errorf("%q\n  gave %s\n  want %s", c.text, wrong, c.want)
		}
	}
	if _, wrong := parse(good, good, "x"); !matches(wrong, "b:1:8: $.A has a service already: a:1:8\nc:1:1: *") {
		t.Error(wrong)
	}
}

// matches compares line by line; what is wanted is how a line begins, and * is anything.
func matches(got, want string) bool {
	gots, wants := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i, w := range wants {
		if i >= len(gots) || !strings.HasPrefix(gots[i], strings.TrimSuffix(w, "*")) {
			return false
		}
	}
	return len(gots) == len(wants)
}

// FuzzParse: no text makes it panic, and each mistake has a place within the text.
func FuzzParse(f *testing.F) {
	f.Add("name = \"$.A\"\nexec = [\"/a\"]\nuser = 1\nbus = 0x1\n")
	f.Add("names = ['$.A',1]\nunit=''\n[x]\nuser=''\ndeadline='1s'")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := Parse([]toml.File{{Name: "f", Text: []byte(text)}}, fixed{})
		if err == nil {
			if s := set.Services[0]; len(s.Names) == 0 || (s.Unit == "") == (s.Exec == nil) {
				t.Errorf("%+v", s)
			}
			return
		}
		for _, m := range err.(toml.Mistakes) {
			if m.Position.Line < 1 || m.Position.Line > 1+strings.Count(text, "\n") || m.Position.Column < 1 || m.Text == "" {
				t.Errorf("%v", m)
			}
		}
	})
}
