package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"kbus.example/kbus/internal/gauge"
	"kbus.example/kbus/internal/gauge/ksock"
	"kbus.example/kbus/internal/server"
)

func TestMain(m *testing.M) {
	gauge.Child(func() gauge.Client { return &ksock.Client{} })
	os.Exit(m.Run())
}

func TestRun(t *testing.T) {
	config := server.Default()
	config.Dir = t.TempDir()
	s, err := server.Start(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Wait()
	defer s.Stop(0)
	t.Setenv("KBUS_DIR", config.Dir)
	t.Setenv("PEER", "")
	t.Setenv("PATH", "") // a kbus-bench-c in there is none of ours
	tests := []struct {
		args   string
		status int
		says   string // begins so, on either output
	}{
		{"rtt 32 50", exitOK, `{"peer":"kbus/go","test":"rtt","size":32,"n":50,`},
		{"--client go-socket pub 32 50 2", exitOK, `{"peer":"kbus/go-socket","test":"pub","size":32,"consumers":2,`},
		{"idle 3", exitOK, `{"peer":"kbus/go","test":"mem","clients":3,`},
		{"--client c rtt 32 50", exitNotBuilt, "kbus-bench: there is no kbus-bench-c here"},
		{"--client rust rtt 32 50", exitUsage, `kbus-bench: no client is called "rust"`},
		{"--bus 77 rtt 32 50", exitFailed, "kbus-bench: "},
		{"crowd 3 7 percent", exitOK, `{"ksocks":3,"bindings":7,"kind":"percent"}`},
		{"crowd 0 7 percent", exitUsage, "kbus-bench: crowd takes"},
		{"--bus 77 crowd 1 1 star", exitFailed, "kbus-bench: "},
		{"tap stopped", exitOK, `{"tap":"stopped"}`},
		{"tap reads", exitOK, `{"tap":"reads"}`},
		{"tap", exitUsage, "kbus-bench: tap takes"},
		{"--bus 77 tap reads", exitFailed, "kbus-bench: "},
		{"rtt 32", exitUsage, "kbus-bench: usage: rtt SIZE N"},
		{"--fast", exitUsage, "kbus-bench: flag provided but not defined"},
		{"--help", exitOK, "usage: kbus-bench"},
	}
	for _, test := range tests {
		var out, err bytes.Buffer
		status := run(strings.Fields(test.args), &out, &err)
		if said := out.String() + err.String(); status != test.status || !strings.HasPrefix(said, test.says) {
			t.Errorf("%s: status %d, %s", test.args, status, said)
		}
	}
}
