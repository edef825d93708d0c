// Package clients holds the client libraries to one text. The rules of a client (inbox order, what becomes of answers that come
// too late, what a lost bus leaves behind) are written once for each library; the scripts in testdata play them all.
package clients

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script_test.go tells how to read the scripts. "go test ./test/clients -run 'TestClients/python'" plays those of one client.

// root is the directory of the project.
var root, _ = filepath.Abs("../..")

var patience = flag.Duration("patience", time.Minute, "how long a client may take for anything")

// scripts gives those that a door plays.
func scripts(t *testing.T, d *door) (files []string) {
	patterns := []string{"testdata/*.txt", "testdata/paths/*.txt"}
	switch {
	case d.rings:
		patterns = []string{"testdata/rings/*.txt"}
	case d.web:
		patterns = patterns[:1]
	}
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatal("no scripts", err)
		}
		files = append(files, found...)
	}
	return files
}

func TestClients(t *testing.T) {
	built := map[string]bool{}
	for _, d := range doors() {
		files := scripts(t, d)
		t.Run(d.name, func(t *testing.T) {
			if _, err := exec.LookPath(d.needs); d.needs != "" && err != nil {
				t.Skip("this machine has no " + d.needs)
			}
			if _, err := os.Stat(filepath.Join(root, "bin/js/node_modules/ws")); d.web && err != nil {
				t.Skip("make js plays it, and installs a WebSocket for Node")
			}
			if d.build != nil && !built[d.command[0]] {
				build := exec.Command(d.build[0], d.build[1:]...)
				build.Dir = root
				if out, err := build.CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				built[d.command[0]] = true
			}
			defer d.end(t)
			for _, file := range files {
				t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { play(t, d, file) })
			}
		})
	}
}
