package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kbus/internal/file/trace"
	"kbus/internal/server"
)

// The recordings through the compatible functions, over the socket and over rings, with pointy messages written as
// such, and the descriptor polled whenever the recording polls. Every fourth through each, or all with
// KBUS_ALL_TRACES=1.
func TestTraces(t *testing.T) {
	const every = 4 // each recording needs a daemon and a process of its own
	for number, door := range []string{"socket", "rings"} {
		t.Run(door, func(t *testing.T) {
			t.Parallel()
			files, err := filepath.Glob("../../../internal/file/testdata/traces/*.jsonl")
			if err != nil || len(files) == 0 {
				t.Fatal("no recordings", err)
			}
			operations := 0
			for i, file := range files {
				if i%every != number && os.Getenv("KBUS_ALL_TRACES") == "" {
					continue
				}
				recorded, err := trace.Load(file)
				if err != nil {
					t.Fatal(err)
				}
				foretold, _ := foretell(recorded)
				seenWhole(foretold)
				operations += len(foretold.Ops)
				for _, d := range foretold.Replay(func(c trace.Config) trace.System { return overDriver(t, c, door) }) {
					t.Errorf("%v", d)
					break
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
