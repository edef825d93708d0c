package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/limpet/federation/report"
)

// Two bowls, of which one has the NATS server inside: `kbus list` shows each the other, and so does `kbus-limpet status`.
func TestStatus(t *testing.T) {
	var dirs [2]string
	for i := range dirs {
		dirs[i] = t.TempDir()
		daemon(t, dirs[i])
	}
	limpet := start(t, nil, "kbus-limpet", "serve", "--dir", dirs[0], "--id", "1", "--store", t.TempDir(),
		"--listen", "127.0.0.1:0", "--config", portsLogged(t, dirs[0]))
	limpet.await("joined")
	start(t, nil, "kbus-limpet", "join", "--dir", dirs[1], "--id", "2", "--servers", portLogged(t, dirs[0])).await("joined")
	near := open(t, dirs[0])
	must(t, near.Bind(t.Context(), kbus.NameReplierBindEvent, kbus.Listener))
	must(t, open(t, dirs[1]).Bind(t.Context(), "$.Far", kbus.Replier))
	awaitEvent(t, near, true, "$.Far") // bowl 1 knows all of bowl 2

	for _, command := range [][]string{{"kbus", "list"}, {"kbus-limpet", "status"}} {
		for i := range dirs {
			text, whole := askStatus(t, dirs[i], command...)
			if whole.ID != uint32(i+1) || whole.Names != 1 || len(whole.Peers) != 1 || whole.Peers[0].ID != uint32(2-i) {
				t.Fatalf("%v in bowl %d: %+v", command, i+1, whole)
			}
			peer := whole.Peers[0]
			row := fmt.Sprintf("\n%d %d joined %d 0 0 0 %s\n", peer.ID, peer.Epoch, i^1, peer.Where)
			if !strings.Contains(text, "in touch with the quorum") || !strings.Contains(text, row) {
				t.Errorf("%v in bowl %d:\n%s\nwant%s", command, i+1, text, row)
			}
		}
	}
	if status := limpet.terminate(); status != 0 {
		t.Errorf("terminated: status %d", status)
	}
	awaitEvent(t, near, false, report.Name)
	if text := succeeds(t, "kbus", "list", "--dir", dirs[0]); strings.Contains(text, "federation") {
		t.Errorf("in no federation any more:\n%s", text)
	}
}

func awaitEvent(t *testing.T, k *kbus.Ksock, bind bool, name string) {
	t.Helper()
	for m, err := range k.Messages(t.Context()) {
		must(t, err)
		if e, _ := kbus.ParseBindEvent(m.Data); e.Bind == bind && e.Name == name {
			return
		}
	}
}

// told runs a command in both forms. Columns of the text are one space apart; the last line of the JSON is the Status.
func askStatus(t *testing.T, dir string, command ...string) (text string, whole report.Status) {
	t.Helper()
	command = append(command, "--dir", dir)
	for line := range strings.Lines(succeeds(t, command...)) {
		text += strings.Join(strings.Fields(line), " ") + "\n"
	}
	lines := strings.Split(strings.TrimSpace(succeeds(t, append(command, "--json")...)), "\n")
	last := []byte(lines[len(lines)-1])
	if command[0] == "kbus" {
		var outer struct{ Federation json.RawMessage }
		must(t, json.Unmarshal(last, &outer))
		last = outer.Federation
	}
	must(t, json.Unmarshal(last, &whole))
	return text, whole
}

// succeeds runs a command that must succeed and say nothing, and gives what it printed.
func succeeds(t *testing.T, command ...string) string {
	t.Helper()
	p := start(t, nil, command...)
	if status := p.status(); status != 0 || len(p.logged) > 0 {
		t.Fatalf("%v: status %d, %v", command, status, p.logged)
	}
	return p.out.String()
}

// portsLogged is a configuration with which the server writes into the directory at which port it listens.
func portsLogged(t *testing.T, dir string) (file string) {
	t.Helper()
	file = filepath.Join(dir, "nats.conf")
	must(t, os.WriteFile(file, []byte("ports_file_dir: '"+dir+"'\n"), 0o600))
	return file
}

// portLogged is the URL of that server, which must have started.
func portLogged(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.ports"))
	must(t, err)
	if len(files) != 1 {
		t.Fatalf("the server has written %q", files)
	}
	text, err := os.ReadFile(files[0])
	must(t, err)
	var ports struct{ NATS []string }
	must(t, json.Unmarshal(text, &ports))
	if len(ports.NATS) == 0 {
		t.Fatalf("%s", text)
	}
	return ports.NATS[0]
}
