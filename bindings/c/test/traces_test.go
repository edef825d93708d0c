package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kbus/internal/file/trace"
	"kbus/internal/server"
)

// Every recording through the compatible functions, over the socket and over rings. The table in test/conformance has
// the outcomes in full; here those are left out in which a daemon differs rightly, because it sends what waits for room
// by itself.
func TestTraces(t *testing.T) {
	for _, door := range []string{"socket", "rings"} {
		t.Run(door, func(t *testing.T) {
			t.Parallel()
			files, err := filepath.Glob("../../../internal/file/testdata/traces/*.jsonl")
			if err != nil || len(files) == 0 {
				t.Fatal("no recordings", err)
			}
			operations := 0
			for _, file := range files {
				recorded, err := trace.Load(file)
				if err != nil {
					t.Fatal(err)
				}
				foretold, _ := foretell(recorded)
				seenWhole(foretold)
				operations += len(foretold.Ops)
				for _, d := range foretold.Replay(func(c trace.Config) trace.System { return overDriver(t, c, door) }) {
					t.Errorf("%v", d)
					if os.Getenv("KBUS_ALL") == "" {
						break
					}
				}
				if t.Failed() {
					t.Log(file)
					break
				}
			}
			t.Logf("traces %d operations %d", len(files), operations)
		})
	}
}

func overDriver(t *testing.T, c trace.Config, door string) trace.System {
	dir, stop := serve(t, func(config *server.Config) {
		config.Buses = c.Devices
		config.Limits.Buses = c.MostDevices
		config.Limits.MessageBytes = int64(c.MaxMessageBytes)
		config.Limits.MessageBytesCeiling = int64(c.AbsMaxMessageBytes)
		config.Limits.QueueMessages = int64(c.MaxMessages)
		config.Limits.SetAside = c.MaxSetAside
	})
	d := startDriver(t, stop, dir, door)
	d.pointers = true
	return d
}

// seenWhole changes what the stats report says of pointy messages that wait for room: the library has given them to the
// bus whole.
func seenWhole(t *trace.Trace) {
	for _, op := range t.Ops {
		if text, ok := op.Out["text"].(string); ok {
			op.Out["text"] = strings.ReplaceAll(text, "of NAME (finished), sending", "of FINAL (finished), sending")
		}
	}
}
