package keep

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// known is what is remembered, in a line.
func known(m *Memory) string {
	var text []string
	for _, e := range m.All() {
		text = append(text, fmt.Sprintf("%s=%s", e.Name, e.Data))
	}
	return strings.Join(text, " ")
}

func TestMemory(t *testing.T) {
	m := New(Limits{Names: 2, Bytes: 20})
	for _, step := range []struct{ name, data, fails, known string }{
		{"$.A", "one", "", "$.A=one"},
		{"$.A", "two", "", "$.A=two"},
		{"$.B", "three", "", "$.A=two $.B=three"},
		{"$.C", "four", "2 names", "$.A=two $.B=three"},
		{"$.B", "a longer text", "6 bytes of 20 are taken, which leaves no room for 16", "$.A=two"},
		{"$.B", "a long text", "", "$.A=two $.B=a long text"},
	} {
		err := m.Remember(step.name, Value{[]byte(step.data), noon}, noon)
		if (err != nil) != (step.fails != "") || err != nil && !strings.Contains(err.Error(), step.fails) || known(m) != step.known {
			t.Errorf("%v: %v, %s", step, err, known(m))
		}
	}
}

// TestTooLarge: what is too large is not kept, and the value before it is not the last any more. Its room comes back.
func TestTooLarge(t *testing.T) {
	m := New(Limits{Names: 9, Bytes: 10})
	must(t, m.Remember("$.A", Value{[]byte("1234567"), noon}, noon))
	if err := m.Remember("$.A", Value{[]byte("12345678"), noon}, noon); err == nil {
		t.Error("there was no room")
	}
	if _, err := m.Recall("$.A", noon); err == nil || !strings.Contains(err.Error(), "1 values were not kept") {
		t.Error(err)
	}
	must(t, m.Remember("$.B", Value{[]byte("1234567"), noon}, noon))
}

func TestAge(t *testing.T) {
	m := New(Limits{Names: 1, Bytes: 100, Age: time.Minute})
	must(t, m.Remember("$.A", Value{nil, noon}, noon))
	if _, err := m.Recall("$.A", noon.Add(time.Minute)); err != nil {
		t.Error(err)
	}
	later := noon.Add(2 * time.Minute)
	if _, err := m.Recall("$.A", later); err == nil || !strings.Contains(err.Error(), "2m0s old, and good for 1m0s") {
		t.Error(err)
	}
	must(t, m.Remember("$.B", Value{nil, later}, later)) // there is room again
	if got := known(m); got != "$.B=" {
		t.Error(got)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "values")
	f, err := Open(path)
	must(t, err)
	if all, err := f.Load(); err != nil || all != nil {
		t.Error(all, err)
	}
	want := []Entry{
		{"$.A", Value{[]byte("text with\na line"), noon}}, {"$.B", Value{[]byte{0xff, 0}, noon}}, {"$.C", Value{[]byte{}, noon}},
	}
	must(t, f.Save(want))
	must(t, os.WriteFile(path+".new", []byte("what a process that died has left, longer than the next"), 0o600))
	must(t, f.Save(want))
	got, err := f.Load()
	must(t, err)
	if len(got) != len(want) {
		t.Fatal(got)
	}
	for i := range want {
		if got[i].Name != want[i].Name || !bytes.Equal(got[i].Data, want[i].Data) || !got[i].At.Equal(noon) {
			t.Errorf("%v, want %v", got[i], want[i])
		}
	}
	if _, err := Open(path); !errors.Is(err, ErrInUse) {
		t.Error(err)
	}
	must(t, f.Close())
	f, err = Open(path)
	must(t, err)
	defer f.Close()

	whole, err := os.ReadFile(path)
	must(t, err)
	for n := range len(whole) - 1 { // without the last line break it is still whole
		if _, err := parse(whole[:n]); err == nil {
			t.Errorf("%q was taken for a whole file", whole[:n])
		}
	}
	must(t, os.WriteFile(path, whole[:len(whole)/2], 0o600))
	if _, err := f.Load(); err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Error(err)
	}
	for _, bad := range []string{
		`{"kbus_keep":2}` + "\n" + `{"values":0}`,
		`{"kbus_keep":1}` + "\n" + `{"name":"$.A.*","at":"2026-01-02T12:00:00Z"}` + "\n" + `{"values":1}`,
		`{"kbus_keep":1}` + "\n" + `{"name":3}` + "\n" + `{"values":1}`,
	} {
		if _, err := parse([]byte(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

// TestDiskFull: a write that fails leaves the file as it was.
func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "values")
	f, err := Open(path)
	must(t, err)
	defer f.Close()
	must(t, f.Save([]Entry{{"$.A", Value{[]byte("old"), noon}}}))
	must(t, os.Symlink("/dev/full", path+".new"))
	if err := f.Save([]Entry{{"$.A", Value{[]byte("new"), noon}}}); err == nil {
		t.Error("it was written")
	}
	all, err := f.Load()
	if err != nil || len(all) != 1 || string(all[0].Data) != "old" {
		t.Error(all, err)
	}
}

// TestFileBehindLink: who comes by a link and who comes by the file have one lock and write one file.
func TestFileBehindLink(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "values"), filepath.Join(dir, "link")
	must(t, os.Symlink("values", link))
	must(t, os.WriteFile(path, []byte("{\"kbus_keep\":1}\n{\"values\":0}\n"), 0o600))
	f, err := Open(link)
	must(t, err)
	defer f.Close()
	if _, err := Open(path); !errors.Is(err, ErrInUse) {
		t.Errorf("by another way: %v", err)
	}
	must(t, f.Save([]Entry{{"$.A", Value{[]byte("one"), noon}}}))
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), "one") {
		t.Errorf("%s, %v", text, err)
	}
	if to, err := os.Readlink(link); err != nil || to != "values" {
		t.Errorf("the link has become %q, %v", to, err)
	}
}
