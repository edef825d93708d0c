package mcap

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kbus.example/kbus/internal/recording/event"
	"kbus.example/kbus/internal/testing/npm"
	"kbus.example/kbus/internal/testing/sample"
)

// foxglove is a folder with the library that Foxglove reads with.
type foxglove string

// TestFoxglove has that library read our files. Where everything is to be tested, it must be had.
func TestFoxglove(t *testing.T) {
	f, err := install(t)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("Foxglove's library is not asked: ", err)
	}
	t.Run("whole", f.whole)
	t.Run("equal times", f.equalTimes)
	t.Run("cut", f.cut)
}

func install(t *testing.T) (foxglove, error) {
	f := foxglove(t.TempDir())
	if err := npm.Install(string(f), "@mcap/core@2"); err != nil {
		return "", err
	}
	script, err := os.ReadFile("testdata/read.cjs")
	if err != nil {
		return "", err
	}
	return f, os.WriteFile(filepath.Join(string(f), "read.cjs"), script, 0o600)
}

// read reads a file.
func (f foxglove) read(t *testing.T, file []byte, args ...string) (lines []string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.mcap")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("node", append([]string{"read.cjs", path}, args...)...)
	c.Dir = string(f)
	out, err := c.CombinedOutput()
	return strings.Split(strings.TrimRight(string(out), "\n"), "\n"), err
}

var talk = []string{
	"1800000000250000007 1 Ksocks opened ",
	"1800000000500000007 2 $.Lamp.Set bound ",
	"1800000000750000007 3 $.Lamp.Set sent on",
	"1800000001000000007 4 $.Lamp.Set taken ",
	"1800000001250000007 5 $.Lamp.Set sent it is on",
	"1800000001500000007 6 $.Door.Open sent ",
	"1800000001750000007 7 $.Picture sent ",
	"1800000002000000007 8 $.Lamp.Set sent off",
	"1800000002250000007 9 Ksocks closed ",
	"1800000002500000007 10 $.KBUS.Replier.GoneAway status ",
}

// What a person looks for in Foxglove is there.
func (f foxglove) whole(t *testing.T) {
	b := file(t, sample.Talk())
	const figures = "10 5 2 2 kbus.Event/jsonschema/object"
	for _, c := range []struct {
		args string
		want []string
	}{
		{"indexed", append(talk[:10:10], figures)},
		{"indexed $.Lamp.Set", []string{talk[1], talk[2], talk[3], talk[4], talk[7], figures}},
		{"indexed $.Lamp.Set 1800000000750000007 1800000001250000007", []string{talk[2], talk[3], talk[4], figures}}, // the end counts
		{"indexed $.Nobody", []string{figures}},
		{"stream", append(talk[:10:10], "done")},
	} {
		got, err := f.read(t, b, strings.Fields(c.args)...)
		if err != nil || strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.args, err, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// Times that are equal, or go back because somebody has set the clock, keep their order where times are equal.
func (f foxglove) equalTimes(t *testing.T) {
	var events []event.Event
	for i := range 6 {
		e := event.Event{Serial: uint64(i), Kind: event.Sent, Name: []byte("$.A"), Boot: int64(i) * 4e8, Wall: 100 - int64(i/3)}
		events = append(events, e)
	}
	got, err := f.read(t, file(t, events), "indexed")
	want := []string{"99 3 $.A sent ", "99 4 $.A sent ", "99 5 $.A sent ", "100 0 $.A sent ", "100 1 $.A sent ", "100 2 $.A sent "}
	if err != nil || strings.Join(got[:len(got)-1], "\n") != strings.Join(want, "\n") {
		t.Errorf("%v\n%s", err, strings.Join(got, "\n"))
	}
}

// A file without an end is not one for readers with random access, which say so; from the front all of it is there. An empty one is
// an empty one.
func (f foxglove) cut(t *testing.T) {
	b := file(t, sample.Talk())
	var dataEnd int
	for _, r := range records(b, len(magic)) {
		if r.op == opDataEnd {
			dataEnd = r.at
		}
	}
	if got, err := f.read(t, b[:dataEnd], "indexed"); err == nil {
		t.Errorf("read with random access: %q", got)
	}
	if got, err := f.read(t, b[:dataEnd], "stream"); err != nil || len(got) != 11 || got[10] != "cut" {
		t.Errorf("from the front: %q, %v", got, err)
	}
	spoilt := append([]byte(nil), b...)
	spoilt[chunks(b)[0].at+100] ^= 1
	if got, err := f.read(t, spoilt, "indexed"); err == nil {
		t.Errorf("with a mistake in a chunk: %q", got)
	}
	if got, err := f.read(t, file(t, nil), "indexed"); err != nil || got[0] != "0 0 0 0 " {
		t.Errorf("an empty one: %q, %v", got, err)
	}
}
