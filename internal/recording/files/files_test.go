package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kbus.example/kbus/internal/recording"
	"kbus.example/kbus/internal/recording/event"
)

const second = int64(1e9)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func there(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func write(t *testing.T, f *Files, serial uint64, boot int64) {
	t.Helper()
	must(t, f.Write(&recording.Event{Serial: serial, Boot: boot, Wall: boot, Kind: event.Opened}))
}

// A file begins when there is something for it: no event for hours makes no files, and an old file stays until then.
func TestRotationByTime(t *testing.T) {
	dir := t.TempDir()
	f, err := Begin(Plan{Path: filepath.Join(dir, "a.b.mcap"), Format: recording.MCAP, MaxTime: 10 * time.Second, Keep: 2})
	must(t, err)
	if names := there(t, dir); len(names) != 0 || f.Bytes() != 0 {
		t.Errorf("%s begins empty", names)
	}
	for i, step := range []struct {
		boot int64
		want []string
	}{
		{100 * second, []string{"a.b.000001.mcap"}},
		{110*second - 1, []string{"a.b.000001.mcap"}},
		{0, []string{"a.b.000001.mcap"}}, // one that only tells of a loss has no time
		{900 * second, []string{"a.b.000001.mcap", "a.b.000002.mcap"}},
		{910 * second, []string{"a.b.000002.mcap", "a.b.000003.mcap"}},
	} {
		write(t, f, uint64(i+1), step.boot)
		must(t, f.Flush())
		if names := there(t, dir); !slices.Equal(names, step.want) {
			t.Errorf("after event %d: %s, want %s", i+1, names, step.want)
		}
	}
	must(t, f.Close())
	must(t, f.Flush())
	if len(f.Names()) != 3 || f.Name() != filepath.Join(dir, "a.b.000003.mcap") || f.Bytes() < 3000 {
		t.Errorf("%s, %s, %d", f.Names(), f.Name(), f.Bytes())
	}
}

// Only files of this row are counted and removed, in the order of their numbers, and numbers never come twice.
func TestNumbers(t *testing.T) {
	dir := t.TempDir()
	others := []string{"a.12.pcapng", "a.000005.mcap", "b.000009.pcapng", "a.pcapng", "a.x000001.pcapng"}
	for _, name := range append(others, "a.999999.pcapng", "a.1000000.pcapng") {
		must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	must(t, os.Mkdir(filepath.Join(dir, "a.2000000.pcapng"), 0o700))
	f, err := Begin(Plan{Path: filepath.Join(dir, "a.pcapng"), Format: recording.Pcapng, MaxBytes: 1 << 20, Keep: 2})
	must(t, err)
	write(t, f, 1, 1)
	must(t, f.Close())
	want := append(others, "a.1000000.pcapng", "a.1000001.pcapng", "a.2000000.pcapng")
	slices.Sort(want)
	if names := there(t, dir); !slices.Equal(names, want) {
		t.Errorf("%s, want %s", names, want)
	}
}

// No file is written over, not even an empty one; a device or a pipe is no file.
func TestNothingIsLost(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.mcap")
	must(t, os.WriteFile(name, nil, 0o600))
	if _, err := Begin(Plan{Path: name, Format: recording.MCAP}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v", err)
	}
	f, err := Begin(Plan{Path: "/dev/null", Format: recording.MCAP})
	must(t, err)
	write(t, f, 1, 1)
	must(t, f.Close())
	if _, err := Begin(Plan{Path: "/dev/full", Format: recording.MCAP}); err == nil {
		t.Error("a full device is written to")
	}
}

// What cannot be written is told, by an event or by a Flush.
func TestFull(t *testing.T) {
	dir := t.TempDir()
	f, err := Begin(Plan{Path: filepath.Join(dir, "a.pcapng"), Format: recording.Pcapng})
	must(t, err)
	must(t, f.out.Close())
	write(t, f, 1, second)
	if err := f.Flush(); err == nil {
		t.Error("Flush says nothing")
	}
	if err := f.Write(&recording.Event{Boot: 3 * second}); err == nil {
		t.Error("Write says nothing")
	}
	if err := f.Close(); err == nil {
		t.Error("Close says nothing")
	}
}
