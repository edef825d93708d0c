package conformance

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kbus.example/kbus/internal/testing/trace"
)

// The recordings of the reference are most of the table. They are replayed as a front end can be driven: with pointers if
// it shares its memory with the bus as the original device does; and with what a daemon rightly does otherwise (eager).

// recordings is where they are. KBUS_TRACES names another directory of the same format; a relative one is relative to
// the module.
func recordings() string {
	dir := os.Getenv("KBUS_TRACES")
	switch {
	case dir == "":
		return filepath.Join(module(), "internal", "file", "testdata", "traces")
	case !filepath.IsAbs(dir):
		return filepath.Join(module(), dir)
	}
	return dir
}

// recording is one of them, as recorded and as foretold for a daemon. It is read once for all front ends.
type recording struct {
	path     string
	load     func() (*trace.Trace, error)
	onDevice func() (*trace.Trace, error)
	foretell func() (*trace.Trace, error)
}

func loadRecording(path string) *recording {
	r := &recording{path: path}
	r.load = sync.OnceValues(func() (*trace.Trace, error) { return trace.Load(path) })
	r.onDevice = sync.OnceValues(func() (*trace.Trace, error) {
		recorded, err := r.load()
		if err != nil {
			return nil, err
		}
		return recorded.WithoutEmptyWrites(), nil // which the kernel does not pass on
	})
	r.foretell = sync.OnceValues(func() (*trace.Trace, error) {
		recorded, err := r.load()
		if err != nil {
			return nil, err
		}
		foretold, _ := foretell(recorded.WithoutPointers())
		return foretold, nil
	})
	return r
}

func (r *recording) run(t *testing.T, f *front) {
	load := r.foretell
	if f.exact {
		load = r.onDevice
	}
	replayed, err := load()
	if err != nil {
		t.Fatal(err)
	}
	diverged := replayed.Replay(func(c trace.Config) trace.System { return f.start(t, c, false) })
	if len(diverged) > 0 {
		t.Errorf("%d of %d operations diverge; the first:\n%v", len(diverged), len(replayed.Ops), diverged[0])
	}
}

// recordedGroups are the recordings by their kind, which their names begin with.
func recordedGroups(t *testing.T) []*group {
	files, err := filepath.Glob(filepath.Join(recordings(), "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no recordings (*.jsonl) in %s", recordings())
	}
	kinds := []struct{ prefix, title string }{
		{"scen-", "recordings: rules"}, {"scenario-", "recordings: decisions"}, {"rand-", "recordings: random"},
		{"written-", "recordings: written"}, {"", "recordings: others"},
	}
	groups := make([]*group, len(kinds))
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".jsonl")
		for i, kind := range kinds {
			if strings.HasPrefix(name, kind.prefix) {
				if groups[i] == nil {
					groups[i] = &group{title: kind.title}
				}
				c := &tableCase{name: name, needs: []string{"bytes"}, run: loadRecording(file).run}
				groups[i].cases = append(groups[i].cases, c)
				break
			}
		}
	}
	return present(groups)
}

func present(groups []*group) (those []*group) {
	for _, g := range groups {
		if g != nil {
			those = append(those, g)
		}
	}
	return those
}
