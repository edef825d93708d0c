package toml

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What cannot be read is a mistake of that file, beside those of the others; and nobody waits for the writer of a pipe.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		if err := os.WriteFile(in(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("10.toml", "a = = 1\n")
	write("40.toml", strings.Repeat("#", mostFileBytes+1))
	write("50.toml", "b = = 1\n")
	if err := os.Symlink("nowhere", in("20.toml")); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo(in("30.toml"), 0o644); err != nil {
		t.Fatal(err)
	}
	files, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		_, mistakes := Parse(f)
		got = append(got, mistakes.Lines()...)
	}
	want := []string{"10.toml:1:5: ", "20.toml:1:1: cannot be read: no such file or directory", "30.toml:1:1: cannot be read: not a file",
		"40.toml:1:1: cannot be read: longer than 1048576 bytes", "50.toml:1:5: "}
	for i := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], in(want[i])) {
			t.Fatalf("%s\nand not, line by line,\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// What is not read because of its name is known, but for what nobody means: hidden files and those that editors leave behind.
func TestUnread(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"20-b.conf", "10-a.toml", "README", "10-a.toml~", ".10-a.toml.swp", ".hidden", "10-a.toml.dpkg-old"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "old"), 0o755); err != nil {
		t.Fatal(err)
	}
	want := []string{filepath.Join(dir, "10-a.toml.dpkg-old"), filepath.Join(dir, "20-b.conf"), filepath.Join(dir, "README")}
	if got := Unread(dir); !slices.Equal(got, want) {
		t.Errorf("%q and not %q", got, want)
	}
	for _, none := range []string{filepath.Join(dir, "nowhere"), filepath.Join(dir, "README")} {
		if got := Unread(none); got != nil {
			t.Errorf("%s: %q", none, got)
		}
	}
}
