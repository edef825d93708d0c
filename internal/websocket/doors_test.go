package websocket

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goodToken = "0123456789abcdef"

// inDir writes files, readable for their owner, and gives their directory.
func inDir(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// load reads doors.toml of a directory with some tokens.
func load(t testing.TB, text string) ([]*Door, error) {
	t.Helper()
	dir := inDir(t, map[string]string{"doors.toml": text, "token": goodToken + "\n", "other": strings.ToUpper(goodToken), "short": "abc", "open": goodToken})
	if err := os.Chmod(filepath.Join(dir, "open"), 0o644); err != nil {
		t.Fatal(err)
	}
	return Load(filepath.Join(dir, "doors.toml"))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const twoDoors = `# of the panel
[[door]]
origin = "https://panel.example"
token-file = "token"
bus = [0, 2]
listen = ["$.Panel.*"]
[[door]]
origin = "https://panel.example"
token-file = "other"
bus = [0]
connections = 1
send = ["$.Panel.Button"]
`

// Who comes through which door: origin and token must be those of the same one.
func TestDoorsAreFound(t *testing.T) {
	list, err := load(t, twoDoors)
	must(t, err)
	for _, c := range []struct {
		origin, token string
		door          int // from 1; 0: none
	}{
		{"https://panel.example", goodToken, 1},
		{"https://panel.example", strings.ToUpper(goodToken), 2},
		{"https://panel.example", "", 0},
		{"https://panel.example", goodToken + "0", 0},
		{"https://panel.example:443", goodToken, 0},
		{"http://panel.example", goodToken, 0},
		{"https://panel.example.evil.example", goodToken, 0},
		{"null", goodToken, 0},
		{"", goodToken, 0},
		{"none", goodToken, 0},
	} {
		var want *Door
		if c.door > 0 {
			want = list[c.door-1]
		}
		if found := find(list, c.origin, c.token); found != want {
			t.Errorf("%q with %q: %v", c.origin, c.token, found)
		}
	}
	if list[0].Connections != defaultConnections || list[1].Connections != 1 {
		t.Errorf("%d and %d connections", list[0].Connections, list[1].Connections)
	}
	if got := list[1].String(); !strings.HasSuffix(got, "doors.toml:7") {
		t.Errorf("the second is %q", got)
	}
}

// What is wrong is said, with its line.
func TestBadDoors(t *testing.T) {
	const begin = "[[door]]\norigin = \"https://panel.example\"\n"
	for text, want := range map[string]string{
		"":                                      "at least one",
		"[door]\n":                              "tables [[door]]",
		"x = 1\n":                               `:1: unknown key "x"`,
		begin + "tokenfile = \"token\"\n":       `:3: unknown key "tokenfile"`,
		begin + "bus = [0\n":                    "doors.toml:",
		begin + "bus = [-1]\n":                  "doors.toml:3",
		begin + "bus = [0]\nsend=[\"$.A\"]\n":   ":1: token-file: name the file",
		begin + "bus = []\n":                    ":3: bus: say for which",
		begin + "bus = [0]\nconnections = -1":   ":4: connections: it must be from 1",
		"[[door]]\norigin = \"*\"\nbus = [0]\n": `:2: origin: it must be as browsers write it`,
		"[[door]]\norigin = \"https://panel.example/\"\nbus = [0]\n": ":2: origin:",
		"[[door]]\norigin = \"https://Panel.example\"\nbus = [0]\n":  ":2: origin:",
		"[[door]]\nbus = [0]\n": ":1: origin:",
		begin + "bus = [0]\ntoken-file = \"nowhere\"\nsend = [\"$.A\"]\n":                   ":4: token-file: ",
		begin + "bus = [0]\ntoken-file = \"short\"\nsend = [\"$.A\"]\n":                     "16 to 256",
		begin + "bus = [0]\ntoken-file = \"open\"\nsend = [\"$.A\"]\n":                      "chmod o=",
		begin + "bus = [0]\ntoken-file = \"token\"\n":                                       ":2: origin: the door allows nothing",
		begin + "bus = [0]\ntoken-file = \"token\"\nsend = []\n":                            "the door allows nothing",
		begin + "bus = [0]\ntoken-file = \"token\"\nsend = [\"$.A\"]\nreply = [\"$.B!\"]\n": `:6: reply: "$.B!": `,
	} {
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q\ngives %v\nnot %q", text, err, want)
		}
	}
	for text, want := range map[string][]string{ // all of it is said, in the words of the file
		begin + "bus = 0\ntoken-file = 7\nsend = \"$.A\"\nconnections = \"many\"\nlisten = [\"$.B!\"]\n": {":3: bus takes a list of numbers, such as [0]",
			":4: token-file takes a string", `:5: send takes a list of names, such as ["$.Panel.*"]`, ":6: connections takes a number", `:7: listen: "$.B!": `},
		"x = 1\n[[doors]]\nbus = 0\n[[door]]\norigin = 1\nbus = [0.5]\ntokenfile = \"token\"\n": {`:1: unknown key "x"; known are tables [[door]]`,
			`:2: unknown table "doors"; known is [[door]]`, ":5: origin takes a string", ":6: bus takes a list of numbers, such as [0]", `:7: unknown key "tokenfile"; known are origin,`},
		"door = 1\n":                    {`:1: unknown key "door"; known are tables [[door]]`},
		"[[door]]\norigin = \"none\"\n": {":1: bus: say", ":1: token-file: name", ":2: origin: the door allows nothing"},
		begin + "token-file = \"nowhere\"\n[[door]]\norigin = \"here\"\nbus = [0]\ntoken-file = \"token\"\nsend = [\"$.A\"]\n": {":1: bus: say", ":2: origin: the door allows nothing",
			":3: token-file: ", ":5: origin: it must be"},
	} {
		_, err := load(t, text)
		if err == nil {
			t.Errorf("%q is taken", text)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		for i, line := range lines {
			if len(lines) != len(want) || !strings.Contains(line, "doors.toml"+want[i]) {
				t.Errorf("%q\ngives\n%v\nnot %q", text, err, want)
				break
			}
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("a file that is not there is no mistake")
	}
	many := strings.Repeat(twoDoors, mostDoors/2+1)
	if _, err := load(t, many); err == nil || !strings.Contains(err.Error(), fmt.Sprint(mostDoors)) {
		t.Errorf("many doors: %v", err)
	}
}
