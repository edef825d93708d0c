package conformance

import (
	"path/filepath"
	"testing"

	"kbus.example/kbus/internal/testing/rawclient"
	"kbus.example/kbus/internal/testing/trace"
	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// A tap that has stopped changes nothing: all recordings come to the same beside one on each bus, which is shown everything and
// never reads. TestTable has each of them without one, and compares with the same outcomes.
func TestStoppedTapChangesNothing(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(recordings(), "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no recordings (*.jsonl) in %s", recordings())
	}
	for _, f := range fronts() {
		if f.name != "frames, socket" && f.name != "frames, rings" {
			continue
		}
		for _, file := range files {
			t.Run(f.name+"/"+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				replayed, err := loadRecording(file).foretell()
				if err != nil {
					t.Fatal(err)
				}
				var taps []*rawclient.Client
				diverged := replayed.Replay(func(c trace.Config) trace.System {
					s := f.start(t, c, false)
					for device := range c.Devices {
						taps = append(taps, stoppedTap(t, s.(*frames).path(device)))
					}
					return s
				})
				if len(diverged) > 0 {
					t.Fatalf("%d of %d operations diverge; the first:\n%v", len(diverged), len(replayed.Ops), diverged[0])
				}
				// It was shown what happened: a Ksock was opened, at least.
				if e := taps[0].Next(); e.Op != wire.OpTapped || e.Arg != 4 {
					t.Errorf("the tap has got %+v", e.Header)
				}
			})
		}
	}
}

func stoppedTap(t *testing.T, path string) *rawclient.Client {
	tap := rawclient.Dial(t, path)
	tap.Hello(0)
	if f := tap.Ask(wire.OpTap, 0, wire.AppendTapFilter(nil, wire.TapFilter{DataBytes: 1<<32 - 1})); f.Condition != message.OK {
		t.Fatal(f.Condition)
	}
	return tap
}
