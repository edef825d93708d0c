package files

import (
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// Two recorders do not write into one file: the second is refused until the first has ended.
func TestOneRecorderOfAFile(t *testing.T) {
	plan := Plan{Path: filepath.Join(t.TempDir(), "a.pcapng"), Format: recording.Pcapng, Append: true}
	first, err := Begin(plan)
	must(t, err)
	for i := range 2 {
		if _, err := Begin(plan); !errors.Is(err, unix.EBUSY) || err.Error() != plan.Path+": another program records to it" {
			t.Errorf("%v", err)
		}
		write(t, first, uint64(i+1), second)
		must(t, first.Flush())
	}
	must(t, first.Close())
	then, err := Begin(plan)
	must(t, err)
	if then.Serial() != 2 {
		t.Errorf("it goes on after %d", then.Serial())
	}
	must(t, then.Close())
}

// What is told of a file at its end is what is there: a disk that is full has not all that was written.
func TestFullDisk(t *testing.T) {
	f, err := Begin(Plan{Path: filepath.Join(t.TempDir(), "a.mcap"), Format: recording.MCAP})
	must(t, err)
	must(t, f.Flush())
	info, err := f.out.Stat()
	must(t, err)
	var was unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_FSIZE, &was))
	signal.Ignore(unix.SIGXFSZ)
	defer signal.Reset(unix.SIGXFSZ)
	must(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: uint64(info.Size()) + 100, Max: was.Max}))
	defer func() { must(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &was)) }()
	write(t, f, 1, second)
	_ = f.Write(&recording.Event{Kind: event.Sent, Boot: second, Wall: second, Name: []byte("$.A"), Data: make([]byte, 5000), DataBytes: 5000})
	if err := f.Close(); err == nil {
		t.Error("it has room")
	}
	there, err := os.Stat(f.Name())
	must(t, err)
	if f.Bytes() != there.Size() {
		t.Errorf("%d bytes are told of, and there are %d", f.Bytes(), there.Size())
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
