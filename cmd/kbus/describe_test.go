package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/npm"
)

const doorCard = `{
  "description": "locks the door,\nor opens it",
  "contentType": "application/json",
  "schema": {"type": "object", "properties": {"locked": {"type": "boolean"}}}
}
`

// answersWith starts a Replier with a card and waits for it.
func answersWith(t *testing.T, name, card string) *command {
	t.Helper()
	file := filepath.Join(t.TempDir(), "card.json")
	must(t, os.WriteFile(file, []byte(card), 0o644))
	c := start(t, "kbus", "answer", name, "--echo", "--card", file)
	await(t, func(o *kbus.Observer) bool {
		got, err := o.Card(t.Context(), name)
		must(t, err)
		return got != nil
	})
	return c
}

func TestDescribeCommand(t *testing.T) {
	withDaemon(t, 1)
	c := answersWith(t, "$.Door.*", doorCard)
	want := `$.Door.Lock
  locks the door,
  or opens it
  content type: application/json
  schema:
    {
      "type": "object",
      "properties": {
        "locked": {
          "type": "boolean"
        }
      }
    }
`
	if got := kbusOK(t, "describe", "$.Door.Lock"); got != want {
		t.Error(got)
	}
	var j jsonCard
	must(t, json.Unmarshal([]byte(kbusOK(t, "describe", "$.Door.Lock", "--json")), &j))
	card, err := kbus.ParseCard(j.Card)
	if err != nil || card.ContentType != "application/json" || j.Replier == nil || int(j.Replier.PID) != c.Process.Pid {
		t.Errorf("%+v, %v", j, err)
	}
	// It goes with the Replier; then there is what who says.
	must(t, c.Process.Signal(os.Interrupt))
	c.status(t)
	if got := kbusOK(t, "describe", "$.Door.Lock"); got != "nobody\n" {
		t.Error(got)
	}
	start(t, "kbus", "answer", "$.Plain", "--echo")
	await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 1 })
	if got := kbusOK(t, "describe", "$.Plain"); got != kbusOK(t, "who", "$.Plain") {
		t.Error(got)
	}
}

func TestBadCard(t *testing.T) {
	file := filepath.Join(t.TempDir(), "card.json")
	must(t, os.WriteFile(file, []byte("{\n  \"Schema\": 1,\n  \"description\": 2\n}"), 0o644))
	want := "kbus: " + file + `:2:3: unknown key "Schema"; did you mean "schema"? Small and large letters are not the same here` + "\n" +
		file + ":3:18: description takes a string\n"
	if got := kbusFails(t, int(syscall.EINVAL), "answer", "$.A", "--echo", "--card", file); got != want {
		t.Error(got)
	}
}

// TestAsyncAPI has AsyncAPI's own parser read what we write. Where everything is to be tested, it must be had.
func TestAsyncAPI(t *testing.T) {
	withDaemon(t, 1)
	answersWith(t, "$.Door.Lock", doorCard)
	answersWith(t, "$.Door.%", `{"schema": "message Door { }"}`)
	answersWith(t, "$.Lamp.*", `{"schema": true, "contentType": "text/plain"}`)
	start(t, "kbus", "answer", "$.Plain", "--echo")
	await(t, func(o *kbus.Observer) bool { return bindings(t, o) == 4 })
	if got := kbusOK(t, "describe", "--asyncapi", "$.Door.*"); strings.Contains(got, "Lamp") || !strings.Contains(got, `"x-kbus"`) {
		t.Error(got)
	}
	dir, err := asyncParser(t)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("AsyncAPI's parser is not asked: ", err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "bus.json"), []byte(kbusOK(t, "describe", "--asyncapi")), 0o644))
	node := exec.Command("node", "asyncapi.cjs", "bus.json")
	node.Dir = dir
	out, err := node.CombinedOutput()
	want := `3.0.0 KBUS bus 0
Door..word receive $.Door.{word} - - reply {"name":"$.Door.%"}
Door.Lock receive $.Door.Lock application/json object reply {"name":"$.Door.Lock"}
Lamp..words receive $.Lamp.{words} text/plain - reply {"name":"$.Lamp.*"}
Plain receive $.Plain - - reply {"name":"$.Plain"}
`
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s", err, out)
	}
}

func asyncParser(t *testing.T) (dir string, err error) {
	dir = t.TempDir()
	if err := npm.Install(dir, "@asyncapi/parser@3.6.6"); err != nil {
		return "", err
	}
	script, err := os.ReadFile("testdata/asyncapi.cjs")
	must(t, err)
	return dir, os.WriteFile(filepath.Join(dir, "asyncapi.cjs"), script, 0o644)
}
